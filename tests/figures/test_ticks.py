"""Ticks are where their numbers say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.container import BarContainer
from matplotlib.figure import Figure

from tests.figures.conftest import Drawn
from tests.figures.drawing import (
    draw,
    keep_figures,
)
from tests.figures.many_classes import (
    Inputs,
)

# seaborn still gives boxplot an argument that matplotlib has renamed.
pytestmark = pytest.mark.filterwarnings("ignore:vert:DeprecationWarning")


@pytest.mark.parametrize("pictures", [4, 17, 100, 30_000])
def test_ticks_of_counts_are_what_they_say(
    pictures: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = keep_figures(monkeypatch)
    for folder, table in (
        ("read", pd.DataFrame({"label": ["a", "b"] * pictures, "official": ""})),
        ("split", pd.DataFrame({"split": ["train"] * 2 * pictures})),
    ):
        (tmp_path / folder).mkdir()
        table.to_csv(tmp_path / folder / ("records.csv" if folder == "read" else "split.csv"), index=False)
    classes = [{"id": i, "label": i.upper()} for i in "ab"]
    given = {"read": tmp_path / "read", "split": tmp_path / "split"}
    for name in ("counts", "before"):
        draw(name, given, tmp_path / name, classes=classes)
    for ax in [ax for figure in figures for ax in figure.axes if ax.containers]:
        assert any(isinstance(container, BarContainer) for container in ax.containers)
        _require_true_ticks(ax.figure, [ax.xaxis])


@pytest.mark.parametrize("name", ["sizes", "differences", "roc", "overlay.pr", "decision", "histories.loss"])
def test_ticks_are_what_they_say(name: str, drawn: Drawn) -> None:
    figures, _ = drawn(name)
    for ax in figures[0].axes:
        _require_true_ticks(figures[0], [ax.xaxis, *([ax.yaxis] if name in {"roc", "decision"} else [])])


@pytest.mark.parametrize("half", [0.001, 0.004, 0.02, 0.3, 2.0])
def test_ticks_of_narrow_differences_are_what_they_say(
    half: float, inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = pd.read_csv(inputs["compare"] / "differences.b.csv", keep_default_na=False)
    table[["difference", "low", "high"]] = np.array([0.0, -half, half])
    (tmp_path / "compare").mkdir()
    table.to_csv(tmp_path / "compare" / "differences.b.csv", index=False)
    figures = keep_figures(monkeypatch)
    draw(
        "effects",
        {"compare": tmp_path / "compare"},
        tmp_path / "out",
        margin=half,
        measures=["accuracy", "f1"],
    )
    for ax in figures[0].axes:
        _require_true_ticks(figures[0], [ax.xaxis])


def _require_true_ticks(figure: Figure, axes: list[object]) -> None:
    figure.draw_without_rendering()
    for axis in axes:
        low, high = sorted(axis.get_view_interval())  # type: ignore[attr-defined]
        for tick in axis.get_major_ticks():  # type: ignore[attr-defined]
            text = tick.label1.get_text().replace("−", "-").replace(",", "")
            if text and low <= tick.get_loc() <= high:
                assert float(text) == pytest.approx(tick.get_loc(), abs=1e-9)
