"""Probabilities that a trained network gives images from elsewhere, whose labels need not be classes of the study."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from analysis.errors import DataError
from analysis.models import batches, output_head, runtime
from analysis.models.images import Array, Images
from analysis.models.prediction import BATCH_SIZE
from analysis.models.predictions_file import write_predictions
from analysis.models.published_mistakes import Mistakes
from analysis.progress import Progress
from analysis.stage_files import find_file

PART = "external"
"""What stands in the column ``split`` of the predictions."""


def predict(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    classes: Sequence[str],
    seed: int,
    test_input: Mapping[str, Any] | None = None,
) -> None:
    """Write ``predictions.csv``: a row for each external image, ``y_true`` being its label there.

    Images are shown as the study shows those of its test set.

    Parameters
    ----------
    inputs : mapping of str to Path
        ``records`` and ``images`` of the external set, ``model`` and ``input`` of the training.
    classes : sequence of str
        Of the study, in the order of the network's outputs.
    seed : int
        Of the training.
    test_input : mapping, optional
        Another ``scale`` and ``offset`` for the test images than in training.

    Raises
    ------
    DataError
        The network was trained on images of another size, or records and images are not about the same.
    """
    runtime.start(seed)
    images = _read(inputs)
    seen = json.loads(find_file(inputs["input"], "input.json").read_text(encoding="utf-8"))
    if seen["size"] != images.size:
        raise DataError(f"the network saw {seen['size']} px images, these have {images.size} px")
    model = _load(find_file(inputs["model"], "model.keras"), scratch)
    scaling = batches.Scaling(seen["scale"], seen["offset"], seen["channels"])
    scaling = replace(scaling, **test_input) if test_input else scaling
    rows = np.arange(len(images.table))
    shown, shown_rows = Mistakes(seen["pixels"]).other_set(images, rows, seen["channels"])
    head = output_head.find_head(model, len(classes))
    y_score = np.empty((len(rows), len(classes)), np.float32)
    for start in range(0, len(rows), BATCH_SIZE):
        batch = slice(start, start + BATCH_SIZE)
        levels: Array = shown.levels[shown_rows[batch]]
        y_score[batch] = output_head.predict(
            model, head, scaling(batches.as_floats(levels)), seen["averaged_over"]
        )
        progress(min(start + BATCH_SIZE, len(rows)), len(rows), "images")
    write_predictions(images, rows, y_score, out / "predictions.csv", classes=classes, seed=seed)


def _read(inputs: Mapping[str, Path]) -> Images:
    records = pd.read_csv(inputs["records"] / "records.csv", dtype=str, keep_default_na=False)
    levels = np.load(inputs["images"] / "images.npy", mmap_mode="r")
    if len(levels) != len(records):
        raise DataError(
            f"{len(records)} external records and {len(levels)} images differ", hint="report build"
        )
    return Images(levels, records.assign(split=PART, fold=""))


def _load(path: Path, scratch: Path) -> keras.Model:
    """Return a network from its file, which the cache may call by its digest: Keras goes by the file's name."""
    named = scratch / "model.keras"
    shutil.copyfile(path, named)
    model = keras.models.load_model(named)
    model.jit_compile = False
    return model
