from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from tests.figures.drawing import draw


def test_draws_the_numbered_images_mended_and_broken(inputs: dict[str, Path], tmp_path: Path) -> None:
    svg = draw("flips", inputs, tmp_path)
    table = pd.read_csv(tmp_path / "figure.csv")
    assert table["number"].tolist() == list(range(1, 22))
    assert svg.count("data:image/jpeg") == 21
    assert svg.count(">no such image<") == 1  # nothing of the first class was broken
    alt = json.loads((tmp_path / "figure.json").read_text())["alt"]
    assert alt.startswith(
        "21 images as read that only Improved CNN or only Baseline CNN gets right: 3 and 0 of"
    )


def test_of_models_that_are_right_alike_there_is_no_image(inputs: dict[str, Path], tmp_path: Path) -> None:
    none = pd.read_csv(inputs["flips"] / "flips.b.csv").head(0)
    (tmp_path / "flips").mkdir()
    none.to_csv(tmp_path / "flips" / "flips.b.csv", index=False)
    svg = draw("flips", {**inputs, "flips": tmp_path / "flips"}, tmp_path / "out")
    assert "data:image" not in svg
    assert json.loads((tmp_path / "out" / "figure.json").read_text())["alt"].startswith("No image: ")
