from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pandas as pd
import pytest

from analysis.errors import AnalysisError, ArchitectureError, DataError
from analysis.models import runtime
from analysis.models.pictures import read

Run = Callable[..., Path]
CLASSES = ["round", "striped", "plain"]


@pytest.fixture
def plain(recipe: dict[str, Any]) -> dict[str, Any]:
    return {**recipe, "class_balance": "none", "augmentation": [], "callbacks": [], "epochs": 1}


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
    pictures = read(prepared).table
    counts = pictures["label"][pictures["split"] == "train"].value_counts()
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


def test_predictions_are_rows_of_the_records_in_order(
    prepared: dict[str, Path], trained: Path, predict: Run, tmp_path: Path
) -> None:
    path = predict(prepared, trained, tmp_path / "predicted", CLASSES)
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    columns = ["image_id", "split", "fold", "seed", "patient_id", "y_true"]
    assert list(table) == [*columns, *CLASSES]
    split = pd.read_csv(prepared["split"] / "split.csv")
    assert list(table["image_id"]) == list(split["image_id"][split["split"].isin(["val", "test"])])
    y_score = table[CLASSES].to_numpy().astype(np.float32)
    assert (y_score.astype(str) == table[CLASSES].to_numpy()).all()
    np.testing.assert_allclose(y_score.sum(1), 1, rtol=1e-6)

    model = keras.models.load_model(trained / "model.keras")
    levels = np.load(prepared["images"] / "images.npy")[split["split"].isin(["val", "test"])]
    direct = model(np.repeat(levels[..., None] / np.float32(255), 3, -1), training=False)
    np.testing.assert_allclose(y_score, direct, rtol=1e-4, atol=1e-6)


def test_saved_network_has_no_dates_and_no_optimizer(trained: Path) -> None:
    with zipfile.ZipFile(trained / "model.keras") as file:
        assert file.namelist() == sorted(file.namelist())
        assert {info.date_time for info in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert set(json.loads(file.read("metadata.json"))) == {"keras_version"}
        with h5py.File(io.BytesIO(file.read("model.weights.h5"))) as weights:
            assert "optimizer" not in weights
    assert json.loads((trained / "input.json").read_text()) == {
        "size": 32,
        "channels": 3,
        "scale": 1 / 255,
        "offset": 0.0,
        "pixels": "in-place",
        "fit": "squash",
        "resample": "area",
    }


def test_progress_tells_batches_and_epochs(
    prepared: dict[str, Path],
    plain: dict[str, Any],
    train: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("analysis.models.callbacks.TELL_SECONDS", 0)
    told: list[tuple[Any, ...]] = []
    train(prepared, tmp_path, plain, lambda *state, **figures: told.append((*state, figures)))
    assert [state[:3] for state in told] == [*((i + 1, 7, "batches") for i in range(7)), (1, 1, "epochs")]
    assert set(told[0][3]) == {"epoch", "loss", "accuracy", "images_per_second"}
    assert set(told[-1][3]) == {"loss", "accuracy", "val_loss", "val_accuracy", "images_per_second"}
    facts = json.loads((tmp_path / "out/training.json").read_text())
    assert (facts["stopped"], facts["restored"]) == ("all epochs run", False)


def test_absent_class_is_an_error(
    plain: dict[str, Any],
    train: Run,
    write_pictures: Callable[..., dict[str, Path]],
    write_architecture: Run,
    tmp_path: Path,
) -> None:
    folders = write_pictures(tmp_path / "in", (8, 8, 0))
    write_architecture(folders["architecture"])
    with pytest.raises(DataError, match="no picture to train on for plain"):
        train(folders, tmp_path, plain)


def test_infinite_loss_is_an_error(
    prepared: dict[str, Path], plain: dict[str, Any], train: Run, tmp_path: Path
) -> None:
    with pytest.raises(AnalysisError, match="finite number in epoch 1"):
        train(prepared, tmp_path, {**plain, "learning_rate": 1e38})
    assert not (tmp_path / "scratch/checkpoint").exists()


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


def test_other_backend_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(AnalysisError, match="jax"):
        runtime.start(0)
