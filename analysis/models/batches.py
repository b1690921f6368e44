"""Batches of images for a network: scaled, with one-hot targets, in the order of their rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from analysis.models.images import Array, Images

PREFETCHED_BATCHES = 2


@dataclass(frozen=True)
class Scaling:
    """A grey level becomes ``scale * level + offset``, the same in each of ``channels``."""

    scale: float
    offset: float
    channels: int

    def __call__(self, levels: tf.Tensor) -> tf.Tensor:
        """Return what the network sees, shape (n, size, size, channels), of levels with one channel or all of them."""
        return tf.repeat(levels * self.scale + self.offset, self.channels // levels.shape[-1], axis=-1)


def in_order(
    images: Images, rows: Array, classes: Sequence[str], scaling: Scaling, batch_size: int
) -> tf.data.Dataset:
    """Return the batches of ``rows`` in their order.

    Returns
    -------
    tf.data.Dataset
        Pairs of images, float32 of shape (n, size, size, channels), and one-hot targets, float32 of shape (n, classes).
    """
    targets = one_hot(images, rows, classes)

    def generate() -> Iterator[tuple[Array, Array]]:
        for start in range(0, len(rows), batch_size):
            batch = slice(start, start + batch_size)
            yield images.levels[rows[batch]], targets[batch]

    def finish(levels: tf.Tensor, target: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return scaling(as_floats(levels)), target

    count = -(-len(rows) // batch_size)
    return dataset(generate, signature(images, classes), finish, count=count)


def one_hot(images: Images, rows: Array, classes: Sequence[str]) -> Array:
    """Return the targets of ``rows``, float32 of shape (rows, classes)."""
    targets: Array = keras.utils.to_categorical(images.class_indices(rows, classes), len(classes))
    return targets.astype(np.float32)


def as_floats(levels: tf.Tensor) -> tf.Tensor:
    """Return levels as float32 of shape (n, size, size, channels), one channel where they are grey."""
    levels = tf.cast(levels, tf.float32)
    return levels if levels.shape.rank == 4 else levels[..., None]


def signature(images: Images, classes: Sequence[str]) -> tuple[tf.TensorSpec, tf.TensorSpec]:
    """Return what a batch consists of: levels as in ``images`` and one-hot targets (n, classes)."""
    return (
        tf.TensorSpec((None, *images.levels.shape[1:]), images.levels.dtype),
        tf.TensorSpec((None, len(classes)), tf.float32),
    )


def dataset(
    generate: Callable[[], Iterator[Any]],
    signature: tuple[tf.TensorSpec, ...],
    finish: Callable[..., Any],
    *,
    count: int,
) -> tf.data.Dataset:
    """Return ``count`` batches as ``generate`` yields them and ``finish`` changes them, in this order."""
    batches = tf.data.Dataset.from_generator(generate, output_signature=signature)
    # One thread prepares batches ahead of the network, which is by far the slower of the two.
    batches = batches.map(finish).prefetch(PREFETCHED_BATCHES)
    batches = batches.apply(tf.data.experimental.assert_cardinality(count))
    options = tf.data.Options()
    # Autotuning stalls now and then for seconds when an iterator is deleted.
    options.autotune.enabled = False
    options.deterministic = True
    return batches.with_options(options)
