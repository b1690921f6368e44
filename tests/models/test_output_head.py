from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest

from analysis.errors import ArchitectureError
from analysis.models.output_head import Head, choose_loss, find_head, predict, to_probabilities
from tests.models.conftest import TWO
from tests.models.small_networks import ENDS, write_network

Run = Callable[..., Path]
Recipe = dict[str, Any]


@pytest.mark.parametrize("head", ENDS)
def test_every_head_gives_a_probability_for_each_class(
    two: dict[str, Path], short: Recipe, train: Run, predict: Run, tmp_path: Path, head: str
) -> None:
    write_network(two["architecture"], head)
    out = train(two, tmp_path, short)
    facts = json.loads((out / "training.json").read_text())
    assert (facts["head"], facts["loss"].split("_")[0]) == (
        head,
        "binary" if head == "sigmoid" else "categorical",
    )
    table = pd.read_csv(predict(two, out, tmp_path / "predicted", TWO))
    y_score = table[TWO].to_numpy()
    np.testing.assert_allclose(y_score.sum(1), 1, rtol=1e-6)
    val = (table["split"] == "val").to_numpy()
    y_true = table["y_true"].map(TWO.index).to_numpy()
    last = pd.read_csv(out / "history.csv").iloc[-1]
    assert -np.log(y_score[range(len(table)), y_true])[val].mean() == pytest.approx(
        last["val_loss"], rel=1e-4
    )
    assert (y_score.argmax(1) == y_true)[val].mean() == pytest.approx(last["val_accuracy"])


def test_a_head_that_fits_no_classes() -> None:
    inputs = keras.Input((4,))
    for layer, classes in ((keras.layers.Dense(1, "sigmoid"), 3), (keras.layers.Dense(4, "softmax"), 3)):
        with pytest.raises(ArchitectureError, match="softmax"):
            find_head(keras.Model(inputs, layer(inputs)), classes)
    outputs = np.array([[0.25]], np.float32)
    np.testing.assert_array_equal(to_probabilities("sigmoid", outputs), [[0.75, 0.25]])


def test_probabilities_are_averaged_over_the_mirror_image() -> None:
    inputs = keras.Input((2, 2, 1))
    left = keras.layers.Flatten()(inputs)
    model = keras.Model(inputs, keras.layers.Dense(1, "sigmoid", use_bias=False)(left))
    model.set_weights([np.array([[1.0], [0], [0], [0]], np.float32)])
    image = np.array([[[[2.0], [0.0]], [[5.0], [7.0]]]], np.float32)
    sigmoid = 1 / (1 + np.exp(-2.0))
    alone = predict(model, "sigmoid", image, [])
    both = predict(model, "sigmoid", image, ["horizontal_flip"])
    np.testing.assert_allclose(alone, [[1 - sigmoid, sigmoid]], rtol=1e-6)
    np.testing.assert_allclose(both[:, 1], [(sigmoid + 0.5) / 2], rtol=1e-6)
    assert both.dtype == np.float32


@pytest.mark.parametrize(
    ("head", "target", "output"), [("softmax", [0.0, 1.0, 0.0], [0.2, 0.7, 0.1]), ("sigmoid", [1.0], [0.7])]
)
def test_smoothed_labels_give_the_other_classes_their_share(
    head: Head, target: list[float], output: list[float]
) -> None:
    one, other = np.array([target], np.float32), np.array([output], np.float32)
    smoothed = 0.9 * one + 0.1 / max(len(target), 2)
    expected = -(smoothed * np.log(other)).sum() - (
        ((1 - smoothed) * np.log(1 - other)).sum() if head == "sigmoid" else 0
    )
    assert float(choose_loss(head, 0.1)(one, other)) == pytest.approx(expected, rel=1e-5)
