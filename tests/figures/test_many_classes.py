"""Every kind of figure with few and many classes, with short and long labels and titles."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.figures import (
    style,
    typesetting,
    wording,
)
from report.study.loading import load
from tests.figures.conftest import write_external_inputs
from tests.figures.drawing import (
    FIGURES,
    OF_NO_CLASSES,
    draw,
    keep_figures,
    require_clean,
)
from tests.figures.many_classes import (
    Inputs,
    classes_of,
    ids,
    multiply,
    said_in,
)

# seaborn still gives boxplot an argument that matplotlib has renamed.
pytestmark = pytest.mark.filterwarnings("ignore:vert:DeprecationWarning")


CASES = Path(__file__).resolve().parents[2].parent / "shared" / "cases"


TITLE = "ResNet50V2, pretrained on ImageNet, with the last block trained at a low rate"


FAST = {(2, "long"), (14, "short")}


ALSO_FAST = {("counts", 20, "short"), ("confusion", 20, "short")}


def _is_fast(name: str, n: int, kind: str) -> bool:
    """Whether a case differs from what is drawn elsewhere: a figure without classes only by its long titles."""
    if name in OF_NO_CLASSES:
        return kind == "long" and n == 2
    return (n, kind) in FAST or (name, n, kind) in ALSO_FAST


GRID = [
    pytest.param(name, n, kind, marks=() if _is_fast(name, n, kind) else pytest.mark.slow)
    for name in FIGURES
    for n, kind in (*sorted(FAST), (8, "solid"), (8, "long"), (20, "short"), (20, "long"))
]


@pytest.mark.parametrize(("name", "n", "kind"), GRID)
def test_figures_fit_a_page_and_their_texts_lie_apart(
    name: str,
    n: int,
    kind: str,
    study: Callable[..., Inputs],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    figures = keep_figures(monkeypatch)
    changes = {} if kind == "short" else _titles(name)
    inputs = study(n, few=(name, n, kind) in ALSO_FAST)
    svg = draw(name, inputs, tmp_path, classes=classes_of(n, kind), **changes)
    # Small digits in rows of 2.7 mm have their descenders' room in common, not their ink.
    require_clean(*figures, slack=1.6)
    height = float(ET.fromstring(svg).get("height", "").removesuffix("pt"))
    assert height <= style.PAGE_MM / 25.4 * 72 + 0.01
    assert min(float(size) for size in re.findall(r"font-size: ([\d.]+)px", svg)) >= typesetting.SMALL
    alt = json.loads((tmp_path / "figure.json").read_text())["alt"]
    assert n <= wording.MOST_SAID or len(alt) < 2200


def _titles(name: str) -> dict[str, object]:
    """Return the parameters of a figure with long titles for all models."""
    params, long = FIGURES[name][1], f"X {TITLE}"
    changed: dict[str, object] = {}
    if "title" in params:
        changed["title"] = TITLE
    if "titles" in params:
        changed["titles"] = dict(zip(params["titles"], (TITLE, long), strict=False))
    if "models" in params:
        changed["models"] = [{"id": m["id"], "title": f"{k} {TITLE}"} for k, m in enumerate(params["models"])]
    return changed


@pytest.mark.parametrize(("n", "kind", "models"), [(4, "long", 12), (14, "long", 12), (8, "long", 24)])
def test_the_external_matrices_of_many_models_fit_a_page(
    n: int,
    kind: str,
    models: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    figures, (_, params) = keep_figures(monkeypatch), FIGURES["external"]
    named = [{"id": f"m{k}", "title": f"Network number {k}"} for k in range(models)]
    inputs = {f"external_{m['id']}": "external_a" for m in named}
    monkeypatch.setitem(FIGURES, "external.many", (inputs, {**params, "models": named}))
    made = write_external_inputs(tmp_path / "study", ids(n))
    svg = draw("external.many", made, tmp_path, classes=classes_of(n, kind))
    require_clean(*figures, slack=1.6)
    assert float(ET.fromstring(svg).get("height", "").removesuffix("pt")) <= style.PAGE_MM / 25.4 * 72 + 0.01
    drawn = [m for m in named if f">{m['title']}<" in svg]
    assert drawn == named[: len(drawn)]
    told = re.search(r"models not drawn: (\d+)", svg)
    assert len(drawn) + (int(told[1]) if told else 0) == models


@pytest.mark.parametrize(
    ("times", "n"),
    [
        pytest.param(1, 2, marks=pytest.mark.slow),
        (1500, 2),
        pytest.param(1, 14, marks=pytest.mark.slow),
        (1500, 14),
    ],  # those of few are in the grid too
)
@pytest.mark.parametrize("name", ["counts", "before", "confusion", "moved", "matrices"])
def test_few_and_many_pictures_fit(
    name: str,
    times: int,
    n: int,
    study: Callable[..., Inputs],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    figures = keep_figures(monkeypatch)
    inputs = study(n)
    given = multiply(inputs, inputs["read"].parent.with_name(f"times-{times}"), times)
    draw(name, given, tmp_path, classes=classes_of(n, "short"))
    require_clean(*figures, slack=1.6)


FEW_REAL = {
    *(("confusion", "fourteen-classes"), ("roc", "fourteen-classes")),
    *(("confusion", "long-labels"), ("sizes", "long-labels"), ("counts", "label-with-dollar")),
}
"""The grid has other labels of such lengths, and `test_labels_as_typed.py` others with a dollar."""


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "case"),
    [
        pytest.param(name, case, marks=() if (name, case) in FEW_REAL else pytest.mark.slow)
        for name in ("counts", "sizes", "examples", "roc", "confusion", "moved", "overlay.roc")
        for case in ("fourteen-classes", "long-labels", "label-with-dollar")
    ],
)
def test_the_studies_of_the_cases_have_readable_figures(
    name: str, case: str, study: Callable[..., Inputs], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not CASES.is_dir():
        pytest.skip("the cases are not here")
    told = load(CASES / case / "study.toml")
    figures = keep_figures(monkeypatch)
    n = len(told.classes)
    classes = [{"id": i, "label": c.label} for i, c in zip(ids(n), told.classes, strict=True)]
    svg = draw(name, study(n), tmp_path, classes=classes)
    require_clean(*figures, slack=1.6)
    said = said_in(svg)
    assert [c.label for c in told.classes if re.sub(r"\s+", "", c.label) not in said] == []
