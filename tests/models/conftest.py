"""A small prepared study: pictures of three kinds, 32 px, that a network can learn to tell apart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

CLASSES = ["round", "striped", "plain"]
SIZE = 32


def write_pictures(folder: Path, counts: tuple[int, ...] = (40, 24, 16)) -> dict[str, Path]:
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


@pytest.fixture
def recipe() -> dict[str, Any]:
    return {
        "classes": CLASSES,
        "seed": 42,
        "fit": "squash",
        "input": {"scale": 1 / 255, "offset": 0.0},
        "class_balance": "oversample",
        "augmentation": [
            {"kind": "horizontal_flip"},
            {"kind": "shift", "width": 0.12, "height": 0.12, "fill": "nearest"},
        ],
        "optimizer": "adam",
        "learning_rate": 0.01,
        "epochs": 4,
        "batch_size": 8,
        "callbacks": [{"kind": "early_stopping", "monitor": "val_loss", "patience": 3, "restore_best": True}],
    }


def job(folder: Path, inputs: dict[str, Path], recipe: dict[str, Any]) -> Path:
    """Write what the script ``train_and_predict.py`` reads."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "job.json"
    path.write_text(json.dumps({"inputs": {k: str(v) for k, v in inputs.items()}, "recipe": recipe}))
    return path
