"""Probabilities that a trained network gives the images of a split."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from analysis.errors import DataError
from analysis.models import batches, output_head, runtime
from analysis.models.images import Array, Images, read
from analysis.models.predictions_file import write_predictions
from analysis.models.published_mistakes import Mistakes
from analysis.progress import Progress

# Fixed, so that the last bits of a probability do not depend on the study.
BATCH_SIZE = 32


@dataclass(frozen=True)
class PredictionSettings:
    """What is predicted.

    Parameters
    ----------
    classes : sequence of str
        In the order of the network's outputs; each names a column of probabilities.
    seed : int
        Of the training, for the column of this name.
    splits : sequence of str
        Among train, val and test.
    test_input : mapping, optional
        Another ``scale`` and ``offset`` for the test images than in training.
    averaged_over : sequence of {"horizontal_flip"}, optional
        Other changes of an image to average over than the training names.
    """

    classes: Sequence[str]
    seed: int
    splits: Sequence[str]
    test_input: Mapping[str, Any] | None = None
    averaged_over: Sequence[str] | None = None


def predict(
    inputs: dict[str, Path], out: Path, *, scratch: Path, progress: Progress, **settings: Any
) -> None:
    """Write ``predictions.csv``: a row for each image of ``splits``, in the order of the records.

    Parameters
    ----------
    inputs : dict of str to Path
        The stages ``model``, ``records``, ``images`` and ``split``.
    settings
        The fields of `PredictionSettings`.

    Raises
    ------
    DataError
        The network was trained on images of another size.
    """
    given = PredictionSettings(**settings)
    runtime.start(given.seed)
    images = read(inputs)
    seen = json.loads((inputs["model"] / "input.json").read_text(encoding="utf-8"))
    if seen["size"] != images.size:
        raise DataError(f"the network saw {seen['size']} px images, these have {images.size} px")
    model = keras.models.load_model(inputs["model"] / "model.keras")
    model.jit_compile = False
    y_score = _score(model, images, given, seen, progress)
    rows = images.rows(*given.splits)
    path = out / "predictions.csv"
    write_predictions(images, rows, y_score[rows], path, classes=given.classes, seed=given.seed)


def _score(
    model: keras.Model,
    images: Images,
    settings: PredictionSettings,
    seen: Mapping[str, Any],
    progress: Progress,
) -> Array:
    """Return the probabilities, float32 of shape (images, classes); rows outside the splits are not set."""
    classes, channels = settings.classes, seen["channels"]
    scaling, mistakes = batches.Scaling(seen["scale"], seen["offset"], channels), Mistakes(seen["pixels"])
    head = output_head.find_head(model, len(classes))
    averaged_over = seen["averaged_over"] if settings.averaged_over is None else settings.averaged_over
    y_score = np.empty((len(images.table), len(classes)), np.float32)
    done, total = 0, len(images.rows(*settings.splits))
    for split in settings.splits:
        rows = images.rows(split)
        here = replace(scaling, **settings.test_input) if split == "test" and settings.test_input else scaling
        shown, shown_rows = mistakes.other_set(images, rows, channels)
        for i, (batch, _) in enumerate(batches.in_order(shown, shown_rows, classes, here, BATCH_SIZE)):
            batch_rows = rows[i * BATCH_SIZE : (i + 1) * BATCH_SIZE]
            y_score[batch_rows] = output_head.predict(model, head, batch, averaged_over)
            done += len(batch_rows)
            progress(done, total, "images")
    return y_score
