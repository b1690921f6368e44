"""Random changes of training pictures: drawn with numpy for a whole epoch, applied by TensorFlow.

A change is an affine map from the place of a pixel in the new picture to a place in the old one, with
bilinear interpolation, as in Keras' ImageDataGenerator. Drawing apart from applying keeps an epoch's changes
a function of (seed, epoch) alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

Step = Mapping[str, Any]
IDENTITY = np.array([1, 0, 0, 0, 1, 0, 0, 0], np.float32)


def draw(
    rng: np.random.Generator, steps: Sequence[Step], pictures: int, size: int
) -> npt.NDArray[np.float32]:
    """Return the maps of every step for every picture.

    Parameters
    ----------
    steps : sequence of mapping
        ``{"kind": "horizontal_flip"}`` or ``{"kind": "shift", "width", "height", "fill"}``.
    pictures : int
        How many pictures are changed.
    size : int
        Side of a picture in pixels.

    Returns
    -------
    array of shape (pictures, steps, 8)
        ``x_old = a0 x + a1 y + a2``, ``y_old = a3 x + a4 y + a5``; the last two are 0.
    """
    maps = np.tile(IDENTITY, (pictures, len(steps), 1))
    for i, step in enumerate(steps):
        if step["kind"] == "horizontal_flip":
            flipped = rng.random(pictures) < 0.5
            maps[flipped, i, 0] = -1
            maps[flipped, i, 2] = size - 1
        elif step["kind"] == "shift":
            maps[:, i, 2] = rng.uniform(-step["width"], step["width"], pictures) * size
            maps[:, i, 5] = rng.uniform(-step["height"], step["height"], pictures) * size
        else:
            raise ValueError(f"no augmentation is called {step['kind']!r}")
    return maps


def apply(pictures: tf.Tensor, maps: tf.Tensor, steps: Sequence[Step]) -> tf.Tensor:
    """Return the pictures, float of shape (n, size, size, channels), changed by ``maps`` of `draw`."""
    for i, step in enumerate(steps):
        pictures = tf.raw_ops.ImageProjectiveTransformV3(
            images=pictures,
            transforms=maps[:, i],
            output_shape=tf.shape(pictures)[1:3],
            fill_value=0.0,
            interpolation="BILINEAR",
            fill_mode=step.get("fill", "nearest").upper(),
        )
    return pictures
