"""A trained network asked about single images."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from analysis.datasets.images.decode import read_image
from analysis.errors import ImageError, WeightsError
from analysis.models import model_file, output_head, runtime
from analysis.models.batches import Scaling
from analysis.models.images import Array
from analysis.preparation import square
from analysis.progress import Progress


def classify(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    classes: Sequence[str],
    images: Sequence[str],
) -> None:
    """Write ``probabilities.json``, for each image the probability of each class, and ``images.npy``, what the network saw.

    Of an image that cannot be read ``problem`` says why; ``images.npy`` has the others, uint8 of shape (n, size, size).

    Parameters
    ----------
    inputs : mapping of str to Path
        ``model`` (the ``.keras`` file), ``input`` (its ``input.json``) and ``image_0``, ``image_1``, ...
    classes : sequence of str
        In the order of the network's outputs.
    images : sequence of str
        What the images are called, in the order of the inputs.

    Raises
    ------
    WeightsError
        The network is not loaded, see `analysis.models.model_file.load`, or not one that its ``input.json`` tells of.
    """
    runtime.start(seed=0)
    seen = json.loads(inputs["input"].read_text(encoding="utf-8"))
    model = model_file.load(inputs["model"], scratch)
    head = output_head.find_head(model, len(classes))
    if model.input_shape[1:] != (seen["size"], seen["size"], seen["channels"]):
        raise WeightsError("the network takes other images than its input.json says", hint=model_file.HINT)
    scaling = Scaling(seen["scale"], seen["offset"], seen["channels"])
    rows: list[dict[str, Any]] = []
    shown: list[Array] = []
    for i, name in enumerate(images):
        try:
            levels = _square(inputs[f"image_{i}"], seen)
        except ImageError as error:
            rows.append({"image": name, "problem": error.message})
        else:
            seen_by_network = scaling(levels[None, :, :, None].astype(np.float32))
            (y_score,) = output_head.predict(model, head, seen_by_network, seen["averaged_over"])
            probabilities = {c: float(str(p)) for c, p in zip(classes, y_score, strict=True)}
            rows.append({"image": name, "probabilities": probabilities})
            shown.append(levels)
        progress(i + 1, len(images), "images")
    text = json.dumps(rows, indent=1, ensure_ascii=False, allow_nan=False)
    (out / "probabilities.json").write_text(text + "\n", encoding="utf-8")
    size = int(seen["size"])
    np.save(out / "images.npy", np.stack(shown) if shown else np.empty((0, size, size), np.uint8))


def _square(path: Path, seen: Mapping[str, Any]) -> Array:
    """Return the image as the network saw those it was trained on: grey levels, (size, size)."""
    size, fit, resample = int(seen["size"]), str(seen["fit"]), str(seen["resample"])
    return square(read_image(path), size, fit, resample, seen.get("depth", 0))
