from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from tests.figures.drawing import (
    MODELS,
    draw,
    keep_figures,
)


def test_prevalence_is_the_share_of_the_class(inputs: dict[str, Path], tmp_path: Path) -> None:
    assert draw("overlay.pr", inputs, tmp_path / "pr").count("prevalence 0.250") == 8
    assert "prevalence" not in draw("overlay.roc", inputs, tmp_path / "roc")


def test_areas_that_a_table_has_are_not_listed_again(inputs: dict[str, Path], tmp_path: Path) -> None:
    svg = draw("overlay.roc", inputs, tmp_path / "roc")
    assert "95 % interval" not in svg
    assert "chance" in svg
    assert "95 % interval" in draw("overlay.pr", inputs, tmp_path / "pr")


def test_the_corner_is_enlarged_where_all_curves_crowd_there(
    inputs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = keep_figures(monkeypatch)
    crowded = shutil.copytree(inputs["evaluate_a"], tmp_path / "crowded")
    table = pd.read_csv(crowded / "bands.csv")
    table.loc[(table["kind"] == "roc") & (table["curve"] == "covid_19") & (table["x"] > 0), "y"] = 1.0
    table.to_csv(crowded / "bands.csv", index=False)
    models = MODELS[:1]
    draw("overlay.roc", {**inputs, "evaluate_a": crowded}, tmp_path / "out", models=models)
    insets = [child for ax in figures[0].axes for child in ax.child_axes]
    assert len(insets) >= 1
    assert {(ax.get_xlim()[1], ax.get_ylim()[0]) for ax in insets} == {(0.3, 0.7)}
