"""What the first convolutions of a trained network answer with when they see one image."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from analysis.explanation.layers import list_convolutions, outputs_seen

LAYERS = 3
Levels = npt.NDArray[np.uint8]


def find_activations(model: keras.Model, image: Any, layers: int = LAYERS) -> dict[str, Levels]:
    """Return the feature maps of the first convolutions for one image, by the names of the layers.

    Parameters
    ----------
    image : tensor of shape (height, width, channels)
        As the network sees it.
    layers : int
        So many convolutions, or all that there are.

    Returns
    -------
    dict of str to array
        (channels, height, width) of uint8: each channel from its lowest value, 0, to its highest, 255; 0 where all are equal.
    """
    found: dict[str, Levels] = {}

    def keep(outputs: Any, name: str) -> Any:
        found[name] = _to_levels(np.asarray(keras.ops.cast(outputs[0], "float32")))
        return outputs

    with ExitStack() as watched:
        for layer in list_convolutions(model)[:layers]:
            watched.enter_context(outputs_seen(layer, partial(keep, name=layer.name)))
        model(image[None], training=False)
    return found


def _to_levels(maps: npt.NDArray[np.float32]) -> Levels:
    """Return grey levels of (height, width, channels), channels first."""
    lowest, highest = (end(axis=(0, 1)) for end in (maps.min, maps.max))
    scaled = np.divide(maps - lowest, highest - lowest, out=np.zeros_like(maps), where=highest > lowest)
    levels: Levels = np.rint(255 * np.moveaxis(scaled, -1, 0)).astype(np.uint8)
    return levels
