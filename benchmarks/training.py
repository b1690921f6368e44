"""The assignment's baseline trained for a few epochs: our stage in both precisions, and ``model.fit`` on numpy arrays."""

from __future__ import annotations

import shutil
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from analysis.models import assignment
from analysis.models.precision import to_bfloat16
from analysis.models.training import train
from benchmarks import harness

SIZE, IMAGES, VALIDATION, EPOCHS, BATCH = 156, 320, 64, 2, 32
CLASSES = ("bacterial", "covid_19", "healthy", "viral")
SETTINGS: dict[str, Any] = {
    "classes": CLASSES,
    "seed": 42,
    "fit": "squash",
    "resample": "area",
    "input": {"scale": 1 / 255, "offset": 0.0, "pixels": "in-place"},
    "class_balance": "none",
    "class_weights": "none",
    "augmentation": [],
    "augmented": "each-epoch",
    "label_smoothing": 0.0,
    "optimizer": "adam",
    "learning_rate": 0.001,
    "weight_decay": 0.0,
    "schedule": None,
    "epochs": EPOCHS,
    "batch_size": BATCH,
    "callbacks": [],
    "averaged_over": [],
}


def write_inputs(folder: Path) -> dict[str, Path]:
    """Write made-up images, in which a class is brighter in its own quarter, as the stages before a training do."""
    rng = np.random.default_rng(0)
    labels = np.arange(IMAGES + VALIDATION) % len(CLASSES)
    levels = rng.integers(0, 200, (len(labels), SIZE, SIZE), dtype=np.uint8)
    half = SIZE // 2
    for image, label in zip(levels, labels, strict=True):
        image[label // 2 * half :, label % 2 * half :][:half, :half] += 50
    np.save(folder / "images.npy", levels)
    names = [f"{i}.png" for i in range(len(labels))]
    pd.DataFrame({"image_id": names, "label": np.take(CLASSES, labels)}).to_csv(
        folder / "records.csv", index=False
    )
    split = np.where(np.arange(len(labels)) < IMAGES, "train", "val")
    pd.DataFrame({"image_id": names, "split": split, "fold": 0}).to_csv(folder / "split.csv", index=False)
    return dict.fromkeys(("records", "images", "split"), folder)


def ours(inputs: dict[str, Path], architecture: str, folder: Path) -> Any:
    """Return the losses of the stage's training, which checkpoints every epoch and saves the network."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "scratch").mkdir(parents=True)
    (folder / "architecture.json").write_text(architecture)
    given = {**inputs, "architecture": folder}
    train(given, folder, scratch=folder / "scratch", progress=lambda *_, **__: None, **SETTINGS)
    return pd.read_csv(folder / "history.csv")["loss"].to_numpy()


def notebook(levels: Any, labels: Any) -> Any:
    """Return the losses of a training as a notebook does it."""
    x = np.repeat(levels[..., None], 3, axis=-1) / np.float32(255)
    y = keras.utils.to_categorical(labels)
    model = assignment.baseline(size=SIZE, channels=3, classes=len(CLASSES))
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"], jit_compile=False)
    history = model.fit(
        x[:IMAGES],
        y[:IMAGES],
        validation_data=(x[IMAGES:], y[IMAGES:]),
        epochs=EPOCHS,
        batch_size=BATCH,
        verbose=0,
    )
    return np.array(history.history["loss"])


def require_learning(mine: Any, other: Any) -> None:
    """Both ran all epochs and ended below chance, in an order of images of their own."""
    for losses in (mine, other):
        assert len(losses) == EPOCHS and losses[-1] < np.log(len(CLASSES)), losses


def main() -> None:
    """Time all three in turn."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        inputs = write_inputs(folder)
        levels, labels = np.load(folder / "images.npy"), np.arange(IMAGES + VALIDATION) % len(CLASSES)
        network = assignment.baseline(size=SIZE, channels=3, classes=len(CLASSES))
        float32 = network.to_json()
        to_bfloat16(network)
        bfloat16 = network.to_json()
        times = harness.time_in_turn(
            {
                "ours, float32": partial(ours, inputs, float32, folder / "float32"),
                "ours, bfloat16": partial(ours, inputs, bfloat16, folder / "bfloat16"),
                "model.fit on numpy arrays": partial(notebook, levels, labels),
            },
            require_learning,
        )
    mine, half, theirs = times.values()
    epochs = f"{EPOCHS} epochs of {IMAGES} images, {SIZE} x {SIZE} x 3"
    ratio = theirs.cpu_median / mine.cpu_median
    slowest = max(mine.wall) / mine.wall_median
    harness.keep(
        "training_float32",
        work=f"train the baseline, {epochs}, float32, deterministic",
        goal="at least 0.95 of `model.fit` on numpy arrays; no stall",
        reached=f"{ratio:.2f} of its speed in CPU; the slowest run takes {slowest:.2f} of the median",
        met=ratio >= 0.95,
        timings=times,
        notes=["Ours checkpoints every epoch, and writes the network as a file of fixed bytes."],
    )
    ratio = theirs.cpu_median / half.cpu_median
    harness.keep(
        "training_bfloat16",
        work=f"train the baseline, {epochs}, bfloat16",
        goal="2 times the CPU speed of `model.fit`",
        reached=f"{ratio:.2f} times",
        met=ratio >= 2,
        timings=times,
    )


if __name__ == "__main__":
    main()
