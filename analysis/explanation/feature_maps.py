"""The ``activations`` stage: the feature maps of the first convolutions of a trained network for one test image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.evaluation.predictions import read_predictions
from analysis.explanation.activations import find_activations
from analysis.explanation.attention import choose_images, open_network, require_same
from analysis.models import runtime
from analysis.progress import Progress
from analysis.vocabulary.attention import LAYERS_TABLE


def show(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    classes: Sequence[str],
    model: str,
    test_input: Mapping[str, Any] | None,
    seed: int,
) -> None:
    """Write ``layers.csv``, a row for each layer shown, and of each its feature maps and before them ``image.npy``.

    The image is, of the last class with any, the test image called right with the highest probability. The feature maps
    are ``layer_0.npy`` and so on, (channels, height, width) of uint8; without a convolution there are none.

    Parameters
    ----------
    inputs : mapping of str to Path
        ``model_<model>``, ``predictions_<model>``, and the stages ``records``, ``images`` and ``split``.
    classes : sequence of str
        Class ids in the study's order.
    model : str
        The model's id.
    test_input : mapping or None
        Another ``scale`` and ``offset`` for test images than in training.
    seed : int
        Of the training.

    Raises
    ------
    DataError
        Predictions and images are not of the same images.
    """
    runtime.start(seed)
    said = read_predictions(inputs[f"predictions_{model}"] / "predictions.csv", classes, ["test"])["test"]
    network = open_network(inputs, model, test_input, len(classes))
    require_same(network, said)
    chosen = choose_images(said)
    right = chosen[said.y_true[chosen] == said.y_pred[chosen]]
    row = (right if len(right) else chosen)[-1:]
    found = find_activations(network.model, network.show(row)[0])
    levels = network.images.levels[row[0]]
    np.save(out / "image.npy", levels if levels.ndim == 2 else np.rint(levels.mean(axis=-1)).astype(np.uint8))
    rows = []
    for k, (layer, maps) in enumerate(found.items()):
        np.save(out / f"layer_{k}.npy", maps)
        rows.append((layer, *maps.shape, said.image_id[row[0]], classes[said.y_true[row[0]]]))
        progress(k + 1, len(found), "layers")
    columns = ["layer", "channels", "height", "width", "image_id", "y_true"]
    pd.DataFrame(rows, columns=columns).to_csv(out / LAYERS_TABLE, index=False, lineterminator="\n")
