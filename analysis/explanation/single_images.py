"""From where in single images a trained network's answer comes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from analysis.explanation import grad_cam
from analysis.explanation.layers import find_last_map
from analysis.figures.attention_maps import overlay
from analysis.models import batches, model_file, output_head, runtime
from analysis.progress import Progress


def explain(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    classes: Sequence[str],
) -> None:
    """Write ``maps.npy``: the images that could be read, each with the Grad-CAM of the class that the network calls over it.

    They are uint8 of shape (n, size, size, 3); none of a network without a convolution.

    Parameters
    ----------
    inputs : mapping of str to Path
        ``model`` (the ``.keras`` file), ``input`` (its ``input.json``), and ``classified``, a folder of the stage
        `analysis.models.single_images.classify`.
    classes : sequence of str
        In the order of the network's outputs.

    Raises
    ------
    WeightsError
        The network is not loaded, see `analysis.models.model_file.load`.
    """
    runtime.start(seed=0)
    seen = json.loads(inputs["input"].read_text(encoding="utf-8"))
    rows = json.loads((inputs["classified"] / "probabilities.json").read_text(encoding="utf-8"))
    images = np.load(inputs["classified"] / "images.npy")
    said = [[row["probabilities"][c] for c in classes] for row in rows if "problem" not in row]
    model = model_file.load(inputs["model"], scratch)
    drawn = np.empty((0, *images.shape[1:], 3), np.uint8)
    if said and find_last_map(model):
        head = output_head.find_head(model, len(classes))
        shown = batches.Scaling(seen["scale"], seen["offset"], seen["channels"])(batches.as_floats(images))
        maps = grad_cam.explain(model, head, shown, np.argmax(said, axis=1), seen["averaged_over"])
        levels = np.rint(255 * maps).astype(np.uint8)
        drawn = overlay(np.repeat(images[..., None], 3, axis=-1), levels)
    np.save(out / "maps.npy", drawn)
    progress(len(images), len(images), "images")
