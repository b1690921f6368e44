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
from benchmarks.training import CLASSES, IMAGES, SETTINGS, SIZE, write_inputs

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


def require_same(mine: Any, other: Any) -> None:
    """Both have run every epoch, with the same losses."""
    assert len(mine) == len(other) == EPOCHS, (mine, other)
    assert np.allclose(mine, other, rtol=1e-3), (mine, other)


def main() -> None:
    """Time both in turn, once: a round takes minutes."""
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
                "a pass in every epoch": partial(each_epoch, inputs, folder / "each"),
            },
            require_same,
            runs=1,
        )
    once, each = (timing.cpu_median for timing in times.values())
    harness.keep(
        "frozen_backbone",
        work=f"a head on a frozen EfficientNetB0, {EPOCHS} epochs of {IMAGES} images, {SIZE} x {SIZE} x 3",
        goal="8 times a forward pass in each epoch",
        reached=f"{each / once:.1f} times in CPU",
        met=each / once >= 8,
        timings=times,
        notes=[
            "The pass over the images, the checkpoint of each epoch and the whole network's file are in ours."
        ],
    )


if __name__ == "__main__":
    main()
