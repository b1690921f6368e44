from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from analysis.errors import DataError
from analysis.figures import duplicate_pairs
from analysis.figures.typesetting import text_mm
from tests.figures.drawing import draw


def test_at_most_six_pairs_are_drawn_and_no_two_of_one_group(inputs: dict[str, Path], tmp_path: Path) -> None:
    svg = draw("duplicates", inputs, tmp_path)
    shown = pd.read_csv(tmp_path / "figure.csv")
    assert svg.count("data:image/jpeg") == 2 * len(shown) == 2 * duplicate_pairs.MOST_PAIRS
    assert shown["group"].is_unique
    # Different labels first, then different patients.
    assert shown["group"].tolist()[:3] == [6, 3, 4]
    assert {"split_first", "split_second", "label_first", "label_second"} <= {*shown}


def test_without_pairs_nothing_is_shown(inputs: dict[str, Path], tmp_path: Path) -> None:
    folder = shutil.copytree(inputs["duplicates"], tmp_path / "none")
    pairs = pd.read_csv(folder / "pairs.csv")
    pairs[:0].to_csv(folder / "pairs.csv", index=False)
    svg = draw("duplicates", {**inputs, "duplicates": folder}, tmp_path / "out")
    assert "image/jpeg" not in svg
    assert json.loads((tmp_path / "out" / "figure.json").read_text())["alt"] == "No two images are one X-ray."


def test_a_long_name_keeps_both_ends() -> None:
    name = "covid-19-rapidly-progressive-acute-respiratory-distress-syndrome-ards-admission.jpg"
    short = duplicate_pairs.elide(name, 30)
    assert text_mm(short) <= 30 < text_mm(name)
    first, last = short.split(duplicate_pairs.ELIDED)
    assert name.startswith(first) and name.endswith(last) and min(len(first), len(last)) > 5
    assert duplicate_pairs.elide("a.png", 30) == "a.png"


def test_an_image_that_changed_is_refused(inputs: dict[str, Path], tmp_path: Path) -> None:
    data = shutil.copytree(inputs["data"], tmp_path / "data")
    for path in data.iterdir():
        path.write_bytes(path.read_bytes() + b"0")
    with pytest.raises(DataError, match=r"image \d\d\.png has changed"):
        draw("duplicates", {**inputs, "data": data}, tmp_path / "out")
