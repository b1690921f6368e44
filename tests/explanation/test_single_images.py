"""The map beside the answer about a single image."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from analysis.explanation import single_images
from analysis.figures.attention_maps import overlay
from analysis.progress import silent
from analysis.vocabulary.attention import SHOWN_TABLE
from tests.models.conftest import CLASSES, SIZE

Study = dict[str, Path]


def ask(study: Study, folder: Path, rows: list[dict[str, Any]], images: Any) -> Any:
    classified = folder / "classified"
    classified.mkdir()
    (classified / "probabilities.json").write_text(json.dumps(rows))
    np.save(classified / "images.npy", images)
    network = {"model": study["model_net"] / "model.keras", "input": study["model_net"] / "input.json"}
    given = {**network, "classified": classified}
    single_images.explain(given, folder, scratch=folder, progress=silent, classes=CLASSES)
    return np.load(folder / "maps.npy")


def test_an_image_has_the_map_that_it_has_in_the_report(
    study: Study, explained: Path, tmp_path: Path
) -> None:
    image, heat, _ = np.load(explained / "pictures.npy")[-1]
    called = (explained / SHOWN_TABLE).read_text().splitlines()[-1].split(",")[2]
    rows = [{"problem": "no image"}, {"probabilities": {c: float(c == called) for c in CLASSES}}]
    (drawn,) = ask(study, tmp_path, rows, image[None])
    assert heat.any()
    expected = overlay(np.repeat(image[..., None], 3, axis=-1), heat)
    np.testing.assert_allclose(drawn.astype(int), expected.astype(int), atol=2)


@pytest.mark.parametrize("rows", [[], [{"problem": "no image"}]])
def test_where_no_image_could_be_read_there_is_no_map(study: Study, tmp_path: Path, rows: list[Any]) -> None:
    assert len(ask(study, tmp_path, rows, np.empty((0, SIZE, SIZE), np.uint8))) == 0


def test_a_network_without_convolution_has_no_map(study: Study, tmp_path: Path) -> None:
    model = shutil.copytree(study["model_net"], tmp_path / "model")
    layers = [keras.Input((SIZE, SIZE, 3)), keras.layers.Flatten(), keras.layers.Dense(3, "softmax")]
    keras.Sequential(layers).save(model / "model.keras")
    rows = [{"probabilities": dict.fromkeys(CLASSES, 0.3)}]
    found = ask(study | {"model_net": model}, tmp_path, rows, np.zeros((1, SIZE, SIZE), np.uint8))
    assert len(found) == 0
