from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.figures.drawing import (
    FIGURES,
    draw,
)


def test_both_analyses_stand_in_the_forest_plot(inputs: dict[str, Path], tmp_path: Path) -> None:
    grouped = shutil.copytree(inputs["compare"], tmp_path / "grouped")
    table = pd.read_csv(grouped / "differences.b.csv", keep_default_na=False)
    table["difference"] = -0.123
    table.to_csv(grouped / "differences.b.csv", index=False)
    folders = {"comparison": "compare", "grouped": "grouped"}
    changed = {**inputs, "grouped": grouped}
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(FIGURES, "differences.grouped", (folders, FIGURES["differences.grouped"][1]))
        svg = draw("differences.grouped", changed, tmp_path / "out")
    drawn = pd.read_csv(tmp_path / "out" / "figure.csv")
    assert drawn["analysis"].value_counts().to_dict() == {"prescribed": 33, "grouped": 33}
    assert svg.count("−0.123") == 33
    assert (
        "split by patient: accuracy −0.123"
        in json.loads((tmp_path / "out" / "figure.json").read_text())["alt"]
    )
    assert "split by patient" not in draw("differences", inputs, tmp_path / "alone")


def test_how_many_differences_are_undefined_is_said(inputs: dict[str, Path], tmp_path: Path) -> None:
    comparison = shutil.copytree(inputs["compare"], tmp_path / "compare")
    table = pd.read_csv(comparison / "differences.b.csv", keep_default_na=False)
    table.loc[table["measure"] == "ppv", ["difference", "low", "high"]] = np.nan
    table.to_csv(comparison / "differences.b.csv", index=False)
    assert draw("differences", {**inputs, "compare": comparison}, tmp_path / "out").count(">–<") == 5
    words = json.loads((tmp_path / "out" / "figure.json").read_text())["alt"]
    assert words.endswith(" 5 of 33 differences are undefined.")


@pytest.mark.parametrize("level", [0.975, 0.95])
def test_a_level_of_its_own_is_said(level: float, inputs: dict[str, Path], tmp_path: Path) -> None:
    comparison = shutil.copytree(inputs["compare"], tmp_path / "compare")
    table = pd.read_csv(comparison / "differences.b.csv", keep_default_na=False, dtype=str)
    table.loc[(table["measure"] == "f1") & (table["class"] == "macro"), "level"] = str(level)
    table.to_csv(comparison / "differences.b.csv", index=False)
    svg = draw("differences", {**inputs, "compare": comparison}, tmp_path / "out")
    assert ("margin ±0.03 (97.5 % interval)" in svg) == (level == 0.975)
    assert "with 95 % intervals" in svg


def test_the_short_figure_has_the_measures_it_is_given(inputs: dict[str, Path], tmp_path: Path) -> None:
    svg = draw("effects", inputs, tmp_path)
    drawn = pd.read_csv(tmp_path / "figure.csv", keep_default_na=False)
    assert drawn["measure"].value_counts().to_dict() == {"accuracy": 1, "f1": 5, "sensitivity": 5, "auroc": 5}
    assert "Specificity" not in svg
    assert "MCC" not in svg
