from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from analysis.errors import DataError
from analysis.figures import example_images
from tests.figures.drawing import (
    IDS,
    draw,
)


def test_examples_stay_small_and_depend_on_the_seed(inputs: dict[str, Path], tmp_path: Path) -> None:
    svg = draw("examples", inputs, tmp_path / "a")
    # Noise is the worst that JPEG can be given.
    assert len(svg) < 1_000_000
    assert svg.count("data:image/jpeg") == 2 * 4 * 2  # four classes in a row have room for two images each
    assert "image/png" not in svg
    shown = pd.read_csv(tmp_path / "a" / "figure.csv")
    assert shown["class"].tolist() == [i for i in IDS for _ in range(2)]
    draw("examples", inputs, tmp_path / "b", seed=7)
    assert pd.read_csv(tmp_path / "b" / "figure.csv")["image_id"].tolist() != shown["image_id"].tolist()


def test_examples_refuse_a_picture_that_changed(inputs: dict[str, Path], tmp_path: Path) -> None:
    data = shutil.copytree(inputs["data"], tmp_path / "data")
    for path in data.iterdir():
        path.write_bytes(path.read_bytes() + b"0")
    with pytest.raises(DataError, match=r"image \d\d\.png has changed"):
        draw("examples", {**inputs, "data": data}, tmp_path / "out")


@pytest.mark.parametrize(("classes", "per_class", "rows"), [(1, 3, 1), (2, 3, 1), (4, 2, 1), (20, 1, 3)])
def test_few_classes_stand_in_one_row_and_many_on_as_few_as_hold_large_images(classes, per_class, rows):
    layout = example_images.arrange([f"class {k}" for k in range(classes)])
    assert (layout.per_class, -(-classes // layout.across)) == (per_class, rows)
    assert layout.cell >= example_images.SMALLEST


def test_where_no_images_are_large_enough_they_are_as_large_as_can_be():
    layout = example_images.arrange([f"class {k}" for k in range(60)])
    assert layout.per_class == 1
    assert 8 < layout.cell < example_images.SMALLEST
