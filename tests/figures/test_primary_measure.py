from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pandas as pd
import pytest

from analysis.figures import style
from tests.figures.drawing import FIGURES, draw, keep_figures, require_clean


def changed(inputs: dict[str, Path], out: Path, **items: dict[str, float | None] | None) -> dict[str, Path]:
    """Return the inputs with some results changed; what is None is left out."""
    found = json.loads((inputs["results"] / "results.json").read_text())["results"]
    for name, item in items.items():
        if item is None:
            del found[name]
        else:
            found[name] |= item
    out.mkdir(parents=True)
    (out / "results.json").write_text(json.dumps({"results": found}))
    return {**inputs, "results": out}


def test_every_classifier_stands_in_it_with_its_interval(inputs: dict[str, Path], tmp_path: Path) -> None:
    svg = draw("primary.grouped", inputs, tmp_path)
    table = pd.read_csv(tmp_path / "figure.csv", keep_default_na=False)
    assert table["model"].tolist() == ["a", "b", "low_detail", "majority"] * 2
    assert table["analysis"].tolist() == [""] * 4 + ["@patient"] * 4
    assert "Majority class" in svg
    assert "0.800" not in svg, "the first table has the numbers"
    assert svg.count("← 0.3") == 2, "far below all others: told, and not drawn"
    assert "macro F1, test, with 95 % intervals" in svg
    alt = json.loads((tmp_path / "figure.json").read_text())["alt"]
    assert alt.startswith("Macro F1, test: split by image: Baseline CNN 0.800 (0.760–0.850), Improved CNN")
    assert "split by patient: Baseline CNN 0.770" in alt
    assert "split by patient" not in draw("primary", inputs, tmp_path / "alone")


def test_what_has_no_interval_or_no_value_says_so(inputs: dict[str, Path], tmp_path: Path) -> None:
    none: dict[str, float | None] = {"low": None, "high": None, "level": None}
    given = changed(
        inputs,
        tmp_path / "results",
        **{
            "a.test.f1.macro": none,
            "b.test.f1.macro": {**none, "value": None},
            "majority.test.f1.macro": None,
        },
    )
    svg = draw("primary", given, tmp_path / "out")
    assert svg.count(">undefined<") == 2
    alt = json.loads((tmp_path / "out" / "figure.json").read_text())["alt"]
    assert "Baseline CNN 0.800, Improved CNN undefined" in alt


@pytest.mark.parametrize("measure", ["accuracy", "sensitivity.macro", "auroc.macro"])
def test_the_measure_is_the_declared_one(measure: str, inputs: dict[str, Path], tmp_path: Path) -> None:
    svg = draw("primary", inputs, tmp_path, measure=measure)
    assert {"accuracy": "accuracy", "sensitivity.macro": "macro sensitivity", "auroc.macro": "macro AUC"}[
        measure
    ] + ", test" in svg


@pytest.mark.parametrize("n", [1, 5, 13, 24])
def test_many_models_fit_a_page(
    n: int, inputs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = keep_figures(monkeypatch)
    title = "ResNet50V2, pretrained on ImageNet, with the last block trained at a low rate"
    models = [{"id": f"m{k}", "title": title if k % 2 else f"Network {k}"} for k in range(n)]
    found = json.loads((inputs["results"] / "results.json").read_text())["results"]
    more = {
        f"m{k}{a}.test.f1.macro": found[f"a{a}.test.f1.macro"] for k in range(n) for a in ("", "@patient")
    }
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "results.json").write_text(json.dumps({"results": {**found, **more}}))
    assert FIGURES["primary.grouped"][0] == {"results": "results"}
    svg = draw("primary.grouped", {"results": tmp_path / "results"}, tmp_path / "out", models=models)
    require_clean(*figures, slack=1.5)
    height = float(ET.fromstring(svg).get("height", "").removesuffix("pt"))
    assert height <= style.PAGE_MM / 25.4 * 72 + 0.01
