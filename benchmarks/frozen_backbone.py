"""A head on a frozen backbone: our stage, which runs the backbone over the images once, and a pass in every epoch."""

from __future__ import annotations

import shutil
import tempfile
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import keras
import numpy as np
import pandas as pd

from analysis.models import fine_tuning, transfer
from benchmarks import harness
from benchmarks.training import CLASSES, IMAGES, SETTINGS, SIZE, VALIDATION, write_inputs

EPOCHS, BACKBONE = 20, "efficientnetb0"


def make_network() -> keras.Model:
    """Return the head on the backbone; the weights are random, which takes as long as any."""
    keras.utils.set_random_seed(1)
    return transfer.network(
        size=SIZE, channels=3, classes=len(CLASSES), backbone=BACKBONE, units=[32], dropout=0.3
    )


def ours(inputs: dict[str, Path], folder: Path) -> Any:
    """Return the losses of the stage's training."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "scratch").mkdir(parents=True)
    given = {**inputs, "architecture": inputs["begun"], "initial": inputs["begun"]}
    settings = {**SETTINGS, "epochs": EPOCHS, "input": {"scale": 1.0, "offset": 0.0, "pixels": "in-place"}}
    fine_tuning.train(given, folder, scratch=folder / "scratch", progress=lambda *_, **__: None, **settings)
    return pd.read_csv(folder / "history.csv")["loss"].to_numpy()


def each_epoch(inputs: dict[str, Path], folder: Path) -> Any:
    """Return those of the same training where nothing is taken for frozen."""
    with mock.patch.object(fine_tuning, "count_frozen", lambda _: 0):
        return ours(inputs, folder)


def notebook(inputs: dict[str, Path]) -> Any:
    """Return the losses of a training as a notebook does it."""
    levels, labels = np.load(inputs["images"] / "images.npy"), np.arange(IMAGES + VALIDATION) % len(CLASSES)
    x, y = np.repeat(levels[..., None], 3, axis=-1).astype(np.float32), keras.utils.to_categorical(labels)
    model = make_network()
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"], jit_compile=False)
    history = model.fit(
        x[:IMAGES],
        y[:IMAGES],
        validation_data=(x[IMAGES:], y[IMAGES:]),
        epochs=EPOCHS,
        batch_size=SETTINGS["batch_size"],
        verbose=0,
    )
    return np.array(history.history["loss"])


def require_same(mine: Any, other: Any) -> None:
    """All have run every epoch; those of the stage have the same losses, the notebook draws batches of its own."""
    assert len(mine) == len(other) == EPOCHS, (mine, other)
    assert np.allclose(mine, other, rtol=1e-3) or np.abs(mine - other).max() < 0.2, (mine, other)


def main() -> None:
    """Time all three in turn."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        inputs = {**write_inputs(folder), "begun": folder / "begun"}
        inputs["begun"].mkdir()
        network = make_network()
        (inputs["begun"] / "architecture.json").write_text(network.to_json())
        network.save(inputs["begun"] / "model.keras")
        times = harness.time_in_turn(
            {
                "ours": partial(ours, inputs, folder / "once"),
                "our stage, a pass in every epoch": partial(each_epoch, inputs, folder / "each"),
                "model.fit on numpy arrays": partial(notebook, inputs),
            },
            require_same,
        )
    once, each, theirs = (timing.cpu_median for timing in times.values())
    harness.keep(
        "frozen_backbone",
        work=f"a head on a frozen EfficientNetB0, {EPOCHS} epochs of {IMAGES} images, {SIZE} x {SIZE} x 3",
        goal="8 times a forward pass in each epoch",
        reached=f"{each / once:.1f} times in CPU, {theirs / once:.1f} times `model.fit`",
        met=each / once >= 8,
        timings=times,
        notes=[
            "The pass over the images, the checkpoint of each epoch and the whole network's file are in ours."
        ],
    )


if __name__ == "__main__":
    main()
