from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from analysis.figures import score_curves_of_models, style, wording
from tests.figures.conftest import Drawn
from tests.figures.drawing import (
    IDS,
    MODELS,
    draw,
    keep_figures,
)


def svg_of(drawn: Drawn, name: str) -> str:
    return (drawn(name)[1] / "figure.svg").read_text(encoding="utf-8")


def test_prevalence_is_the_share_of_the_class(drawn: Drawn) -> None:
    assert svg_of(drawn, "overlay.pr").count("prevalence 0.250") == 8
    assert "prevalence" not in svg_of(drawn, "overlay.roc")


def test_areas_whose_intervals_a_table_has_stand_without_them(inputs: dict[str, Path], drawn: Drawn) -> None:
    svg = svg_of(drawn, "overlay.roc")
    areas = pd.concat([pd.read_csv(inputs[f"evaluate_{m}"] / "auroc.csv") for m in ("a", "b", "low_detail")])
    shown = areas[(areas["split"] == "test") & areas["curve"].isin(IDS)]["auroc"]
    assert [area for area in map(wording.three_digits, shown) if area.removeprefix("> ") not in svg] == []
    assert "area under the curve" in svg
    assert "95 % interval" not in svg
    assert "95 % interval" in svg_of(drawn, "overlay.pr")


def test_the_dashed_curve_lies_upon_the_others(drawn: Drawn) -> None:
    figures, _ = drawn("overlay.roc")
    panel = figures[0].axes[1]
    assert [line.get_color() for line in panel.lines][-1] == style.LOW_DETAIL_COLOUR


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


def test_dashes_before_an_area_are_short_enough_to_be_seen():
    """The line of the trees was dashed in the key and solid before their areas, where one dash filled it."""
    lines = style.model_lines([f"model_{k}" for k in range(12)])
    drawn = [score_curves_of_models._swatch(line) for line in lines.values()]
    periods = [sum(line["linestyle"][1]) * 1.6 / 72 * 25.4 for line in drawn if line["linestyle"] != "-"]
    assert len(periods) > 1
    assert max(periods) < score_curves_of_models.SHORT_SWATCH * 0.75
    looks = {(line["color"], line["linestyle"]) for line in drawn}
    assert len(looks) == len(drawn), "models of one colour must differ here too"
