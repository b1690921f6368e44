"""A small prepared study: pictures of three kinds, 32 px, that a network can learn to tell apart."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.progress import Progress, silent

TWO = ["round", "striped"]
CLASSES = ["round", "striped", "plain"]
SIZE = 32
RECIPE: dict[str, Any] = {
    "classes": CLASSES,
    "seed": 42,
    "fit": "squash",
    "resample": "area",
    "input": {"scale": 1 / 255, "offset": 0.0, "pixels": "in-place"},
    "class_balance": "oversample",
    "class_weights": "none",
    "augmentation": [
        {"kind": "horizontal_flip"},
        {"kind": "shift", "width": 0.12, "height": 0.12, "fill": "nearest"},
    ],
    "augmented": "each-epoch",
    "label_smoothing": 0.0,
    "optimizer": "adam",
    "learning_rate": 0.005,
    "weight_decay": 0.0,
    "schedule": None,
    "epochs": 8,
    "batch_size": 8,
    "callbacks": [{"kind": "early_stopping", "monitor": "val_loss", "patience": 2, "restore_best": True}],
    "averaged_over": [],
}


def write_pictures(folder: Path, counts: tuple[int, ...] = (40, 30, 20)) -> dict[str, Path]:
    """Write the outputs of the stages before training and return their folders."""
    rng = np.random.default_rng(5)
    labels = rng.permutation(np.repeat(np.arange(len(counts)), counts))
    y, x = np.mgrid[:SIZE, :SIZE]
    patterns = [np.hypot(x - 16, y - 16) < 9, x % 8 < 4, np.zeros((SIZE, SIZE))]
    levels = np.stack([90 + 60 * patterns[c] for c in labels]) + rng.normal(0, 25, (len(labels), SIZE, SIZE))
    folders = {name: folder / name for name in ("records", "images", "split", "architecture")}
    for path in folders.values():
        path.mkdir(parents=True)
    np.save(folders["images"] / "images.npy", levels.clip(0, 255).astype(np.uint8))
    names = [f"images/{i:03}.png" for i in range(len(labels))]
    records = {"image_id": names, "label": [CLASSES[c] for c in labels], "patient_id": ""}
    pd.DataFrame(records).to_csv(folders["records"] / "records.csv", index=False)
    split = np.array(["train", "train", "train", "val", "test"])[np.arange(len(labels)) % 5]
    pd.DataFrame({"image_id": names, "split": split, "fold": ""}).to_csv(
        folders["split"] / "split.csv", index=False
    )
    return folders


def write_architecture(folder: Path, *, size: int = SIZE, classes: int = len(CLASSES)) -> None:
    """Write the JSON of a small network with dropout."""
    import keras
    from keras import layers

    keras.utils.clear_session()
    model = keras.Sequential(
        [
            keras.Input((size, size, 3)),
            layers.Conv2D(6, 3, activation="relu"),
            layers.MaxPooling2D(4),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(classes, activation="softmax"),
        ]
    )
    (folder / "architecture.json").write_text(model.to_json(), encoding="utf-8")


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folders = write_pictures(tmp_path_factory.mktemp("prepared"))
    write_architecture(folders["architecture"])
    return folders


def train(inputs: dict[str, Path], folder: Path, recipe: dict[str, Any], progress: Progress = silent) -> Path:
    """Run the stage with ``folder/out`` and ``folder/scratch``, what an earlier run left there kept."""
    from analysis.models import training

    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    (folder / "scratch").mkdir(exist_ok=True)
    training.train(inputs, out, scratch=folder / "scratch", progress=progress, **recipe)
    return out


def predict(inputs: dict[str, Path], model: Path, folder: Path, classes: list[str], **settings: Any) -> Path:
    from analysis.models import prediction

    folder.mkdir()
    prediction.predict(
        {**inputs, "model": model},
        folder,
        scratch=folder,
        progress=silent,
        classes=classes,
        seed=42,
        splits=["val", "test"],
        **settings,
    )
    return folder / "predictions.csv"


@pytest.fixture(scope="session")
def trained(prepared: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the output of a training that nothing disturbed and that stopped early."""
    return train(prepared, tmp_path_factory.mktemp("trained"), RECIPE)


@pytest.fixture
def recipe() -> dict[str, Any]:
    return copy.deepcopy(RECIPE)


@pytest.fixture(scope="session", name="train")
def _train() -> Callable[..., Any]:
    return train


@pytest.fixture(scope="session", name="predict")
def _predict() -> Callable[..., Any]:
    return predict


@pytest.fixture(scope="session", name="write_pictures")
def _write_pictures() -> Callable[..., Any]:
    return write_pictures


@pytest.fixture(scope="session", name="write_architecture")
def _write_architecture() -> Callable[..., Any]:
    return write_architecture


@pytest.fixture
def two(write_pictures: Callable[..., dict[str, Path]], tmp_path: Path) -> dict[str, Path]:
    """Return images of two classes, 40 and 15."""
    return write_pictures(tmp_path / "two", (40, 15))


@pytest.fixture
def short(recipe: dict[str, Any]) -> dict[str, Any]:
    plainly = {"class_balance": "none", "augmentation": [], "callbacks": [], "epochs": 2}
    return {**recipe, **plainly, "classes": TWO}


@pytest.fixture
def plain(recipe: dict[str, Any]) -> dict[str, Any]:
    return {**recipe, "class_balance": "none", "augmentation": [], "callbacks": [], "epochs": 1}


@pytest.fixture
def own_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parent)


@pytest.fixture
def small_backbone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a small network in the place of every backbone."""
    from analysis.models import pretrained, transfer
    from tests.models import small_backbone

    for module in (pretrained, transfer):
        monkeypatch.setattr(module, "build_whole", small_backbone.build)
