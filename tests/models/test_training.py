from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest

from analysis.errors import ArchitectureError, DataError
from analysis.models.images import read
from analysis.models.output_head import to_probabilities
from tests.models.conftest import CLASSES, TWO
from tests.models.small_networks import ENDS, write_network

Run = Callable[..., Path]
Recipe = dict[str, Any]


def test_early_stopping_restores_the_best_epoch(
    prepared: dict[str, Path], trained: Path, recipe: dict[str, Any]
) -> None:
    facts = json.loads((trained / "training.json").read_text())
    history = pd.read_csv(trained / "history.csv")
    assert list(history) == ["epoch", "loss", "accuracy", "val_loss", "val_accuracy"]
    assert list(history["epoch"]) == list(range(1, facts["epochs_run"] + 1))
    assert facts["best_epoch"] == history["epoch"][history["val_loss"].idxmin()] == facts["weights_epoch"]
    # Processors differ in the last bits, so the epoch itself is not written here.
    assert facts["epochs_run"] == min(facts["best_epoch"] + 2, recipe["epochs"])
    assert (facts["stopped"] == "early stopping") == (facts["epochs_run"] == facts["best_epoch"] + 2)
    assert facts["restored"] == (facts["epochs_run"] > facts["best_epoch"])
    images = read(prepared).table
    counts = images["label"][images["split"] == "train"].value_counts()
    assert facts["training_pictures"] == counts.sum()
    assert facts["steps_per_epoch"] == 3 * counts.max() // 8


def test_history_is_that_of_the_saved_network(
    prepared: dict[str, Path], trained: Path, predict: Run, tmp_path: Path
) -> None:
    table = pd.read_csv(predict(prepared, trained, tmp_path / "predicted", CLASSES))
    facts = json.loads((trained / "training.json").read_text())
    best = pd.read_csv(trained / "history.csv").iloc[facts["weights_epoch"] - 1]
    val = table[table["split"] == "val"]
    y_true = val["y_true"].map(CLASSES.index).to_numpy()
    y_score = val[CLASSES].to_numpy()
    assert (y_score.argmax(1) == y_true).mean() == pytest.approx(best["val_accuracy"])
    assert -np.log(y_score[range(len(val)), y_true]).mean() == pytest.approx(best["val_loss"], rel=1e-5)


def test_absent_class_is_an_error(
    plain: dict[str, Any],
    train: Run,
    write_pictures: Callable[..., dict[str, Path]],
    write_architecture: Run,
    tmp_path: Path,
) -> None:
    folders = write_pictures(tmp_path / "in", (8, 8, 0))
    write_architecture(folders["architecture"])
    with pytest.raises(DataError, match="no image to train on for plain"):
        train(folders, tmp_path, plain)


@pytest.mark.parametrize(
    ("size", "activation", "complaint"), [(16, "softmax", "pixels"), (32, "relu", "softmax")]
)
def test_network_that_does_not_fit(
    prepared: dict[str, Path],
    plain: dict[str, Any],
    train: Run,
    tmp_path: Path,
    size: int,
    activation: str,
    complaint: str,
) -> None:
    layers = [keras.Input((size, size, 3)), keras.layers.Flatten(), keras.layers.Dense(3, activation)]
    (tmp_path / "architecture.json").write_text(keras.Sequential(layers).to_json())
    with pytest.raises(ArchitectureError, match=complaint):
        train({**prepared, "architecture": tmp_path}, tmp_path / "run", plain)


@pytest.mark.parametrize("head", ENDS)
def test_weighted_loss_is_what_keras_reports(
    two: dict[str, Path], short: Recipe, train: Run, tmp_path: Path, head: str
) -> None:
    """With a learning rate of almost nothing the loss of the epoch is that of the untrained network, by hand."""
    write_network(two["architecture"], head)
    weights = {"round": 0.5, "striped": 13.0}
    once = {"epochs": 1, "optimizer": "sgd", "learning_rate": 1e-12, "batch_size": 33}
    out = train(two, tmp_path, {**short, **once, "class_weights": weights})
    assert json.loads((out / "training.json").read_text())["class_weights"] == [0.5, 13.0]
    first = pd.read_csv(out / "history.csv").iloc[0]

    images = read(two)
    rows = images.rows("train")
    assert len(rows) == 33
    model = keras.models.load_model(out / "model.keras")
    shown = images.levels[rows][..., None].repeat(3, -1) / np.float32(255)
    y_score = to_probabilities(head, np.asarray(model(shown, training=True)))
    y_true = images.class_indices(rows, TWO)
    losses = -np.log(y_score[range(33), y_true])
    # As Keras means it: the weighted sum over the number of images, not over the sum of the weights.
    assert first["loss"] == pytest.approx((losses * np.array([0.5, 13])[y_true]).mean(), rel=1e-4)
    assert first["accuracy"] == pytest.approx((y_score.argmax(1) == y_true).mean())


def test_warm_start_begins_with_the_trained_weights(
    two: dict[str, Path], short: Recipe, train: Run, tmp_path: Path
) -> None:
    write_network(two["architecture"], "sigmoid")
    first = train(two, tmp_path / "first", short)
    still = {"epochs": 1, "optimizer": "sgd", "learning_rate": 1e-30}
    warm = train({**two, "initial": first}, tmp_path / "warm", {**short, **still})
    cold = train(two, tmp_path / "cold", {**short, **still})
    kernel, untrained = (keras.models.load_model(f / "model.keras").get_weights()[-2] for f in (warm, cold))
    np.testing.assert_array_equal(kernel, keras.models.load_model(first / "model.keras").get_weights()[-2])
    assert not np.array_equal(kernel, untrained)
    write_network(two["architecture"], "softmax")
    with pytest.raises(ArchitectureError, match="another architecture"):
        train({**two, "initial": first}, tmp_path / "other", short)
