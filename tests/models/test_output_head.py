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
from analysis.models.output_head import find_head, to_probabilities
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
