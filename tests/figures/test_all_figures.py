"""What every kind of figure keeps to."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from analysis.figures import typesetting
from tests.figures.conftest import Drawn
from tests.figures.drawing import (
    CLASSES,
    EVALUATIONS,
    FIGURES,
    IDS,
    MODELS,
    OF_MODELS,
    draw,
    keep_figures,
    require_clean,
)

# seaborn still gives boxplot an argument that matplotlib has renamed.
pytestmark = pytest.mark.filterwarnings("ignore:vert:DeprecationWarning")


slow = partial(pytest.param, marks=pytest.mark.slow)
"""Of what is drawn in other numbers, or elsewhere, every time."""


@pytest.mark.parametrize("name", FIGURES)
def test_writes_a_figure_with_its_table_and_words(name: str, drawn: Drawn) -> None:
    figures, folder = drawn(name)
    require_clean(*figures)
    svg = (folder / "figure.svg").read_text(encoding="utf-8")
    root = ET.fromstring(svg)
    facts = json.loads((folder / "figure.json").read_text())
    width, height = (float(str(root.get(side)).removesuffix("pt")) for side in ("width", "height"))
    assert facts["width_mm"] == 160
    assert width == pytest.approx(160 / 25.4 * 72, abs=0.01)
    assert height < 230 / 25.4 * 72
    assert "<text" in svg
    assert set(re.findall(r"font-family: ([^;\"]+)", svg)) == {"'IBM Plex Sans'"}
    assert min(float(size) for size in re.findall(r"font-size: ([\d.]+)px", svg)) >= typesetting.SMALL
    assert '<g id="' not in svg
    assert "matplotlib.org" not in svg
    assert 1 <= facts["alt"].count(". ") + 1 <= 3
    assert facts["alt"].endswith(".")
    assert "nan" not in facts["alt"].lower()
    assert not pd.read_csv(folder / "figure.csv").empty


@pytest.mark.parametrize(
    ("name", "n_classes"),
    [
        *((name, 2) for name in ("roc", "moved", "overlay.roc", "overlay.pr", "differences.grouped")),
        ("overlay.roc", 3),
        *(slow(name, 3) for name in ("roc", "moved", "overlay.pr", "differences.grouped")),
    ],
)
def test_fewer_classes_fit(
    name: str, n_classes: int, inputs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = keep_figures(monkeypatch)
    draw(name, inputs, tmp_path, classes=CLASSES[1 : 1 + n_classes])
    require_clean(*figures)


@pytest.mark.parametrize("n_models", [1, slow(2), 4])
@pytest.mark.parametrize("name", OF_MODELS)
def test_more_and_fewer_models_fit(
    name: str, n_models: int, inputs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = keep_figures(monkeypatch)
    long = {"id": "c", "title": "ResNet50V2, the last block trained"}
    monkeypatch.setitem(FIGURES, name, ({**EVALUATIONS, "evaluation_c": "evaluate_b"}, FIGURES[name][1]))
    draw(name, inputs, tmp_path, models=[*MODELS[:2], long, MODELS[2]][:n_models])
    require_clean(*figures)
    shown = pd.read_csv(tmp_path / "figure.csv")["model"].unique().tolist()
    assert shown == ["a", "b", "c", "low_detail"][:n_models]


@pytest.mark.parametrize(
    ("name", "n_models"),
    [
        *((name, n) for name in ("histories", "matrices") for n in (1, 12, 24)),
        *(("histories.loss", 24), ("histories.accuracy", 1)),
        *(slow(name, 3) for name in ("histories", "histories.loss", "histories.accuracy", "matrices")),
        *(
            slow(f"histories.{name}", n)
            for name, n in (("loss", 1), ("loss", 12), ("accuracy", 12), ("accuracy", 24))
        ),
    ],
)
def test_two_dozen_models_fit(
    name: str, n_models: int, inputs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = keep_figures(monkeypatch)
    titles = itertools.cycle(
        ["Baseline CNN", "CNN with dropout and L2 penalty", "Dropout CNN, low learning rate"]
    )
    models = [{"id": f"m{i}", "title": title} for i, title in zip(range(n_models), titles, strict=False)]
    kind, folder = ("training", "train") if "histories" in name else ("evaluation", "evaluate")
    given = {f"{kind}_{m['id']}": f"{folder}_{'ab'[i % 2]}" for i, m in enumerate(models)}
    monkeypatch.setitem(FIGURES, name, (given, {**FIGURES[name][1], "models": models}))
    draw(
        name,
        inputs,
        tmp_path,
        **({"classes": CLASSES[:2] if n_models > 12 else CLASSES} if name == "matrices" else {}),
    )
    require_clean(*figures)
    assert pd.read_csv(tmp_path / "figure.csv")["model"].unique().tolist() == [m["id"] for m in models]
    height = float(ET.parse(tmp_path / "figure.svg").getroot().get("height", "").removesuffix("pt"))
    assert height < 240 / 25.4 * 72


VARIANTS = [name for name in FIGURES if name.partition(".")[2] not in {"", "roc"}]
"""Figures that share the code of another: with a second analysis, or with other curves."""


@pytest.mark.parametrize(
    "names", [[n for n in FIGURES if n not in VARIANTS], slow(VARIANTS)], ids=["kinds", "variants"]
)
def test_two_processes_draw_the_same_bytes(
    names: list[str], inputs: dict[str, Path], drawn: Drawn, tmp_path: Path
) -> None:
    script = (
        "import sys; sys.path[:0] = sys.argv[3:5]\n"
        "from pathlib import Path; import drawing as t\n"
        "inputs = {p.name: p for p in Path(sys.argv[1]).iterdir()}\n"
        "for name in sys.argv[5:]: t.draw(name, inputs, Path(sys.argv[2]) / name)\n"
    )
    here, project = Path(__file__).parent, Path(__file__).parents[2]
    other = os.environ.get("PYTHONHASHSEED") != "1"
    arguments = [str(inputs["read"].parent), str(tmp_path), str(here), str(project), *names]
    environment = {**os.environ, "PYTHONHASHSEED": "1" if other else "2"}
    subprocess.run([sys.executable, "-c", script, *arguments], check=True, env=environment)
    files = sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("figure.*"))
    assert len(files) == 3 * len(names)
    for file in files:
        assert (tmp_path / file).read_bytes() == (drawn(file.parts[0])[1] / file.name).read_bytes(), file


def test_labels_from_outside_are_escaped(inputs: dict[str, Path], tmp_path: Path) -> None:
    classes = [{"id": i, "label": f"<script>alert({i})</script>"} for i in IDS]
    for name in ("counts", "confusion", "examples"):
        assert "<script" not in draw(name, inputs, tmp_path / name, classes=classes)


def test_class_without_pictures(inputs: dict[str, Path], tmp_path: Path) -> None:
    classes = [*CLASSES, {"id": "empty", "label": "Empty"}]
    for name in ("counts", "sizes", "examples"):
        draw(name, inputs, tmp_path / name, classes=classes)
    table = pd.read_csv(tmp_path / "counts" / "figure.csv")
    assert table.loc[table["class"] == "empty", "count"].tolist() == [0, 0, 0]


UNDEFINED = [
    "auroc",
    "average_precision",
    "share",
    "y",
    "low",
    "high",
    "confidence",
    "observed",
    "net_benefit",
    "a",
    "b",
    "difference",
    "value",
    "level",
]


DEFINED = {
    "flow",
    "primary",
    "primary.grouped",
    "counts",
    "sizes",
    "examples",
    "labels",
    "flips",
    "attention",
    "activations",
    "subsets",
    "duplicates",
    "curves",
    "before",
    "histories",
    "histories.loss",
    "histories.accuracy",
}


@pytest.mark.parametrize("name", [n for n in FIGURES if n not in DEFINED])
def test_undefined_values_are_said_not_drawn(name: str, inputs: dict[str, Path], tmp_path: Path) -> None:
    changed = {
        **inputs,
        **{n: shutil.copytree(inputs[n], tmp_path / n) for n in ("evaluate_a", "compare", "ablation")},
    }
    for path in (path for n in ("evaluate_a", "compare", "ablation") for path in changed[n].glob("*.csv")):
        table = pd.read_csv(path, keep_default_na=False)
        values = table.columns.intersection(UNDEFINED)
        table.assign(**dict.fromkeys(values, "")).to_csv(path, index=False)
    (changed["evaluate_a"] / "roc.csv").write_text("split,curve,fpr,tpr\n")
    svg = draw(name, changed, tmp_path / "out")
    words = json.loads((tmp_path / "out" / "figure.json").read_text())["alt"]
    assert "nan" not in (svg + words).lower()
    if name not in {"confusion", "moved", "external"}:  # they count
        assert "undefined" in words


def test_two_networks_whose_losses_do_not_compare_have_panels_of_their_own(inputs, tmp_path):
    shared = draw("histories", inputs, tmp_path / "shared")
    apart = draw("histories", inputs, tmp_path / "apart", comparable=False)
    titles = [model["title"] for model in MODELS[:2]]
    assert [shared.count(f">{title}<") for title in titles] == [1, 1]  # in the key
    assert [apart.count(f">{title}<") for title in titles] == [2, 2]  # over a panel of each measure
    assert "learning rate" not in apart
