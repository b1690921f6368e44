from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from tests.figures.drawing import MODELS, draw


def test_the_words_have_each_share_and_a_missing_interval_is_left_out(
    inputs: dict[str, Path], tmp_path: Path
) -> None:
    (tmp_path / "subsets").mkdir()
    for name in ("measures", "trainings"):
        table = pd.read_csv(inputs["subsets"] / f"{name}.csv")
        if name == "measures":
            table.loc[table["share"] == 1, ["low", "high"]] = None
        table.to_csv(tmp_path / "subsets" / f"{name}.csv", index=False)
    draw("subsets", {**inputs, "subsets": tmp_path / "subsets"}, tmp_path / "out", models=MODELS[:1])
    assert json.loads((tmp_path / "out" / "figure.json").read_text())["alt"] == (
        "macro F1: Baseline CNN 0.725 (0.695–0.755) on 200 images, 0.750 (0.720–0.780) on 400 images and "
        "0.800 on 800 images."
    )
