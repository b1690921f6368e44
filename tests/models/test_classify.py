"""A trained network asked about single pictures answers as in its predictions."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from analysis.errors import DataError
from analysis.models.classify import classify
from analysis.progress import silent

CLASSES = ["round", "striped", "plain"]


@pytest.fixture
def ask(trained: Path, tmp_path: Path) -> Callable[..., Any]:
    """Return a function that asks the trained network about files."""

    def run(*files: Path) -> Any:
        out, scratch = tmp_path / "out", tmp_path / "scratch"
        out.mkdir()
        scratch.mkdir()
        inputs = {"model": trained / "model.keras", "input": trained / "input.json"}
        inputs |= {f"picture_{i}": file for i, file in enumerate(files)}
        names = [file.name for file in files]
        classify(inputs, out, scratch=scratch, progress=silent, classes=CLASSES, pictures=names)
        return json.loads((out / "probabilities.json").read_text())

    return run


def test_a_picture_gets_the_probabilities_of_its_prediction(
    ask: Callable[..., Any],
    prepared: dict[str, Path],
    trained: Path,
    predict: Callable[..., Path],
    tmp_path: Path,
) -> None:
    table = pd.read_csv(predict(prepared, trained, tmp_path / "predicted", CLASSES))
    split = pd.read_csv(prepared["split"] / "split.csv")["split"]
    rows = np.flatnonzero(split.isin(["val", "test"]))[:3]
    levels = np.load(prepared["images"] / "images.npy")
    files = [tmp_path / f"{row}.png" for row in rows]
    for file, row in zip(files, rows, strict=True):
        Image.fromarray(levels[row]).save(file)
    for found, file, (_, expected) in zip(ask(*files), files, table.iterrows(), strict=False):
        assert found["picture"] == file.name
        probabilities = [found["probabilities"][c] for c in CLASSES]
        assert probabilities == pytest.approx(list(expected[CLASSES]), rel=1e-5)
        assert found["predicted"] == CLASSES[int(np.argmax(probabilities))]


def test_what_is_no_picture_is_named(ask: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "notes.png").write_text("not a picture")
    with pytest.raises(DataError, match=r"notes\.png: not a picture"):
        ask(tmp_path / "notes.png")
