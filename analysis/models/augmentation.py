"""Random changes of training images: drawn with numpy for a whole epoch, applied by TensorFlow.

Most are affine maps from the place of a pixel in the new image to a place in the old one, with bilinear
interpolation, as in Keras' ImageDataGenerator; neighbouring ones become one map, so that an image is interpolated
once. Drawing apart from applying keeps an epoch's changes a function of (seed, epoch) alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

Step = Mapping[str, Any]
Floats = npt.NDArray[np.float64]
WARPS = ("shift", "rotation", "shear", "zoom")
NUMBERS = 8
CHUNK = 256


def draw(rng: np.random.Generator, steps: Sequence[Step], count: int, size: int) -> npt.NDArray[np.float32]:
    """Return what happens to every image.

    Parameters
    ----------
    steps : sequence of mapping
        ``{"kind": "horizontal_flip"}``, ``{"kind": "shift", "width", "height", "fill"}``, and "rotation" and "shear" with
        ``degrees``, "zoom" with ``range``, "brightness" with ``levels``, "contrast" with ``low`` and ``high``.
    count : int
        How many images are changed.
    size : int
        Side of an image in pixels.

    Returns
    -------
    array of shape (count, changes, 8)
        Of a map, ``x_old = a0 x + a1 y + a2``, ``y_old = a3 x + a4 y + a5`` and two zeros; of brightness what is added
        and of contrast the factor, and zeros.
    """
    drawn = [_draw_change(rng, group, count, size) for group in merge_warps(steps)]
    return np.stack(drawn, axis=1).astype(np.float32) if drawn else np.empty((count, 0, NUMBERS), np.float32)


def merge_warps(steps: Sequence[Step]) -> list[tuple[Step, ...]]:
    """Return the changes that are applied one after the other: neighbouring warps with the same fill are one."""

    def alike(numbered: tuple[int, Step]) -> tuple[Any, ...]:
        place, step = numbered
        return (step.get("fill", "nearest"),) if step["kind"] in WARPS else (place,)

    return [tuple(step for _, step in group) for _, group in itertools.groupby(enumerate(steps), alike)]


def apply(images: tf.Tensor, changes: tf.Tensor, steps: Sequence[Step]) -> tf.Tensor:
    """Return the images, float of shape (n, size, size, channels), changed by ``changes`` of `draw`."""
    for i, (step, *_) in enumerate(merge_warps(steps)):
        if step["kind"] in ("brightness", "contrast"):
            number = changes[:, i, 0, None, None, None]
            mean = tf.reduce_mean(images, axis=(1, 2), keepdims=True)
            images = images + number if step["kind"] == "brightness" else (images - mean) * number + mean
            continue
        images = tf.raw_ops.ImageProjectiveTransformV3(
            images=images,
            transforms=changes[:, i],
            output_shape=tf.shape(images)[1:3],
            fill_value=0.0,
            interpolation="BILINEAR",
            fill_mode=step.get("fill", "nearest").upper(),
        )
    return images


def apply_to_all(
    levels: npt.NDArray[Any], changes: npt.NDArray[np.float32], steps: Sequence[Step]
) -> npt.NDArray[np.float32]:
    """Return all images, grey levels of shape (n, size, size), changed for good."""

    def changed() -> Iterator[npt.NDArray[np.float32]]:
        for start in range(0, len(levels), CHUNK):
            few = slice(start, start + CHUNK)
            images = tf.constant(levels[few, ..., None], tf.float32)
            yield apply(images, tf.constant(changes[few]), steps).numpy()[..., 0]

    return np.concatenate(list(changed()))


def _draw_change(rng: np.random.Generator, group: Sequence[Step], count: int, size: int) -> Floats:
    """Return the eight numbers of one change for every image."""
    step = group[0]
    numbers = np.zeros((count, NUMBERS))
    if step["kind"] == "brightness":
        numbers[:, 0] = rng.uniform(-step["levels"], step["levels"], count)
    elif step["kind"] == "contrast":
        numbers[:, 0] = rng.uniform(step["low"], step["high"], count)
    else:
        maps = [_draw_maps(rng, step, count, size) for step in group]
        joint = maps[0]
        for following in maps[1:]:
            joint = joint @ following
        numbers[:, :6] = joint[:, :2].reshape(count, 6)
    return numbers


def _draw_maps(rng: np.random.Generator, step: Step, count: int, size: int) -> Floats:
    """Return one map for every image, shape (count, 3, 3), of columns (x, y, 1)."""
    maps = np.tile(np.eye(3), (count, 1, 1))
    match step["kind"]:
        case "horizontal_flip":
            flipped = rng.random(count) < 0.5
            maps[flipped, 0, 0] = -1
            maps[flipped, 0, 2] = size - 1
            return maps
        case "shift":
            maps[:, 0, 2] = rng.uniform(-step["width"], step["width"], count) * size
            maps[:, 1, 2] = rng.uniform(-step["height"], step["height"], count) * size
            return maps
        case "rotation":
            angle = np.deg2rad(rng.uniform(-step["degrees"], step["degrees"], count))
            maps[:, 0, 0] = maps[:, 1, 1] = np.cos(angle)
            maps[:, 0, 1], maps[:, 1, 0] = -np.sin(angle), np.sin(angle)
        case "shear":
            angle = np.deg2rad(rng.uniform(-step["degrees"], step["degrees"], count))
            maps[:, 0, 1], maps[:, 1, 1] = -np.sin(angle), np.cos(angle)
        case "zoom":
            maps[:, [0, 1], [0, 1]] = rng.uniform(1 - step["range"], 1 + step["range"], (count, 2))
        case kind:
            raise ValueError(f"no augmentation is called {kind!r}")
    middle = (size - 1) / 2
    maps[:, :2, 2] = middle - maps[:, :2, :2].sum(axis=2) * middle
    return maps
