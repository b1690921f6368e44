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

from analysis.errors import WeightsError
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
        inputs |= {f"image_{i}": file for i, file in enumerate(files)}
        names = [file.name for file in files]
        classify(inputs, out, scratch=scratch, progress=silent, classes=CLASSES, images=names)
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
        assert found["image"] == file.name
        probabilities = [found["probabilities"][c] for c in CLASSES]
        assert probabilities == pytest.approx(list(expected[CLASSES]), rel=1e-5)
    assert np.array_equal(np.load(tmp_path / "out" / "images.npy"), levels[rows])


def test_what_is_no_picture_is_named_and_the_others_are_answered(
    ask: Callable[..., Any], prepared: dict[str, Path], tmp_path: Path
) -> None:
    (tmp_path / "notes.png").write_text("not an image")
    Image.fromarray(np.load(prepared["images"] / "images.npy")[0]).save(tmp_path / "image.png")
    broken, found = ask(tmp_path / "notes.png", tmp_path / "image.png")
    assert broken == {"image": "notes.png", "problem": "not an image in a known format"}
    assert sum(found["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert len(np.load(tmp_path / "out" / "images.npy")) == 1
    assert ask(tmp_path / "notes.png") == [broken]
    assert np.load(tmp_path / "out" / "images.npy").shape == (0, 32, 32)


def test_a_network_of_other_images_than_its_input_says_is_refused(
    ask: Callable[..., Any], trained: Path, tmp_path: Path
) -> None:
    other = Path(shutil.copytree(trained, tmp_path / "other"))
    seen = json.loads((other / "input.json").read_text())
    (other / "input.json").write_text(json.dumps(seen | {"size": 64}))
    with pytest.raises(WeightsError, match="takes other images"):
        ask(tmp_path / "image.png", model=other)


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
    assert "in 16 bits, and nothing tells" in ask(twelve)[0]["problem"]
    images = tmp_path / "images"
    shutil.copytree(prepared["images"], images)
    (images / "depth.json").write_text('{"depth": 12}')
    model = train({**prepared, "images": images}, tmp_path / "training", recipe | {"epochs": 1})
    first, second = ask(eight, twelve, model=model)
    assert first["probabilities"] == pytest.approx(second["probabilities"], rel=1e-5)
