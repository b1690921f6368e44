"""A trained network asked about single images."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from analysis.errors import DataError, ImageError
from analysis.models import output_head, runtime
from analysis.models.batches import Scaling
from analysis.models.images import Array
from analysis.preparation import square
from analysis.progress import Progress

KINDS = "name a JPEG, PNG, WebP, BMP, TIFF or DICOM image, of 8 bits if it is not as those that the model was trained on"


def classify(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    classes: Sequence[str],
    pictures: Sequence[str],
) -> None:
    """Write ``probabilities.json``: for each image the probability of each class.

    Parameters
    ----------
    inputs : mapping of str to Path
        ``model`` (the ``model.keras`` file), ``input`` (its ``input.json``) and ``picture_0``, ``picture_1``, ...
    classes : sequence of str
        In the order of the network's outputs.
    pictures : sequence of str
        What the images are called, in the order of the inputs.

    Raises
    ------
    DataError
        A file is no image that can be read.
    """
    runtime.start(seed=0)
    seen = json.loads(inputs["input"].read_text(encoding="utf-8"))
    levels = np.stack([_square(inputs[f"picture_{i}"], name, seen) for i, name in enumerate(pictures)])
    copy = scratch / "model.keras"  # Keras goes by the file's name
    shutil.copyfile(inputs["model"], copy)
    model = keras.models.load_model(copy)
    model.jit_compile = False
    scaling = Scaling(seen["scale"], seen["offset"], seen["channels"])
    head = output_head.find_head(model, len(classes))
    rows = []
    for i, name in enumerate(pictures):
        seen_by_network = scaling(levels[i : i + 1, :, :, None].astype(np.float32))
        (y_score,) = output_head.predict(model, head, seen_by_network, seen["averaged_over"])
        probabilities = {c: float(str(p)) for c, p in zip(classes, y_score, strict=True)}
        rows.append(
            {"picture": name, "predicted": classes[int(y_score.argmax())], "probabilities": probabilities}
        )
        progress(i + 1, len(pictures), "images")
    text = json.dumps(rows, indent=1, ensure_ascii=False, allow_nan=False)
    (out / "probabilities.json").write_text(text + "\n", encoding="utf-8")


def _square(path: Path, name: str, seen: Mapping[str, Any]) -> Array:
    """Return the image as the network saw those it was trained on: grey levels, (size, size)."""
    size, fit, resample = int(seen["size"]), str(seen["fit"]), str(seen["resample"])
    try:
        return square(path.read_bytes(), size, fit, resample, seen.get("depth", 0))
    except ImageError as error:
        raise DataError(f"{name}: {error.message}", hint=error.hint or KINDS) from error
