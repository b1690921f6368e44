from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.figures.attention_maps import overlay
from tests.figures.drawing import draw


def test_each_image_has_its_map_and_that_of_random_weights_beside(
    inputs: dict[str, Path], tmp_path: Path
) -> None:
    svg = draw("attention", inputs, tmp_path)
    table = pd.read_csv(tmp_path / "figure.csv")
    assert len(table) == 7
    assert svg.count("data:image/jpeg") == 3 * len(table) + 1  # and the key
    assert svg.count(">no such image<") == 1  # nothing of the first class is called wrong
    assert "in the lungs: 30 %, random weights 30 %" in svg
    assert "map 0 everywhere" in svg
    alt = json.loads((tmp_path / "figure.json").read_text())["alt"]
    assert alt.startswith("7 test images, 4 called right and 3 called wrong by the Baseline CNN")


def test_where_a_map_is_zero_the_image_is_as_it_is_and_more_of_it_more_colour() -> None:
    image = np.full((1, 3, 3), 100, np.uint8)
    drawn = overlay(image, np.array([[0, 60, 255]], np.uint8))
    np.testing.assert_array_equal(drawn[0, 0], image[0, 0])
    changes = np.abs(drawn.astype(int) - 100).sum(axis=-1)[0]
    assert 0 == changes[0] < changes[1] < changes[2]


def test_without_maps_there_is_no_image(inputs: dict[str, Path], tmp_path: Path) -> None:
    attention = shutil.copytree(inputs["attention"], tmp_path / "attention")
    pd.read_csv(attention / "images.csv").head(0).to_csv(attention / "images.csv", index=False)
    svg = draw("attention", {**inputs, "attention": attention}, tmp_path / "out")
    assert svg.count("data:image/jpeg") == 1  # the key
    assert json.loads((tmp_path / "out" / "figure.json").read_text())["alt"].startswith("No image: ")


def test_of_many_channels_the_first_are_drawn_and_said(inputs: dict[str, Path], tmp_path: Path) -> None:
    svg = draw("activations", inputs, tmp_path)
    assert svg.count("data:image/jpeg") == 1 + 32 + 3
    assert "Convolution 1, the first 32 of 40 channels of 48 × 48" in svg
    assert "Convolution 2: 3 channels of 9 × 9" in svg


def test_of_a_network_without_convolution_the_image_is_drawn_alone(
    inputs: dict[str, Path], tmp_path: Path
) -> None:
    activations = shutil.copytree(inputs["activations"], tmp_path / "activations")
    pd.read_csv(activations / "layers.csv").head(0).to_csv(activations / "layers.csv", index=False)
    svg = draw("activations", {**inputs, "activations": activations}, tmp_path / "out")
    assert svg.count("data:image/jpeg") == 1
    assert "has no convolution" in json.loads((tmp_path / "out" / "figure.json").read_text())["alt"]
