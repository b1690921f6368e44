"""A trained network asked about single pictures answers as in its predictions."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from analysis.errors import DataError
from analysis.models.single_images import classify
from analysis.progress import silent

CLASSES = ["round", "striped", "plain"]


@pytest.fixture
def ask(trained: Path, tmp_path: Path) -> Callable[..., Any]:
    """Return a function that asks the trained network about files."""

    def run(*files: Path, model: Path = trained) -> Any:
        out, scratch = tmp_path / "out", tmp_path / "scratch"
        out.mkdir(exist_ok=True)
        scratch.mkdir(exist_ok=True)
        inputs = {"model": model / "model.keras", "input": model / "input.json"}
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
    (tmp_path / "notes.png").write_text("not an image")
    with pytest.raises(DataError, match=r"notes\.png: not an image"):
        ask(tmp_path / "notes.png")


def test_sixteen_bits_are_read_with_the_depth_of_the_training(
    ask: Callable[..., Any],
    prepared: dict[str, Path],
    train: Callable[..., Path],
    recipe: dict[str, Any],
    tmp_path: Path,
) -> None:
    levels = (
        np.load(prepared["images"] / "images.npy")[0] // 2
    )  # so dark that the picture itself tells no depth
    eight, twelve = tmp_path / "eight.png", tmp_path / "twelve.png"
    Image.fromarray(levels).save(eight)
    Image.fromarray((levels * 4095.0 / 255).round().astype(np.uint16)).save(twelve)
    with pytest.raises(
        DataError, match=r"twelve\.png: levels up to \d+ in 16 bits, and nothing tells"
    ) as error:
        ask(twelve)
    assert "of 8 bits" in error.value.hint
    images = tmp_path / "images"
    shutil.copytree(prepared["images"], images)
    (images / "depth.json").write_text('{"depth": 12}')
    model = train({**prepared, "images": images}, tmp_path / "training", recipe | {"epochs": 1})
    first, second = ask(eight, twelve, model=model)
    assert first["probabilities"] == pytest.approx(second["probabilities"], rel=1e-5)
