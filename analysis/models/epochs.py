"""The epochs of a training: order, balance of the classes and augmentation of each, drawn from (seed, epoch)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from analysis.models import augmentation
from analysis.models.batches import Scaling, as_floats, dataset, one_hot, signature
from analysis.models.images import Array, Images


@dataclass(frozen=True)
class Plan:
    """How the training images of each epoch are drawn.

    Parameters
    ----------
    seed : int
        Of all random draws, with the number of the epoch.
    epochs : int
        The most that are shown.
    batch_size : int
        Images of a batch.
    class_balance : {"none", "oversample", "square-root"}
        See `draw_order`.
    augmentation : sequence of mapping
        The random changes of each image, as `analysis.models.augmentation.draw` takes them.
    """

    seed: int
    epochs: int
    batch_size: int
    class_balance: str
    augmentation: Sequence[augmentation.Step]

    def steps_per_epoch(self, class_indices: Array) -> int:
        """Return the batches of an epoch; oversampled, the last partial one is dropped, as published."""
        counts = np.bincount(class_indices)
        if self.class_balance == "oversample":
            return max(1, int(counts.max() * len(counts)) // self.batch_size)
        shown = square_root_counts(counts).sum() if self.class_balance == "square-root" else counts.sum()
        return -(-int(shown) // self.batch_size)


def draw_order(rng: np.random.Generator, class_indices: Array, class_balance: str) -> Array:
    """Return the positions of the training images in the order of one epoch.

    With ``oversample`` every image stays and each class is filled up to the largest by drawing from it at random with
    replacement. With ``square-root`` an epoch has as many images as there are, of each class in proportion to the square
    root of its number: of a large class a part, drawn anew for each epoch, and of a small one some twice.
    """
    chosen = np.arange(len(class_indices))
    counts = np.bincount(class_indices)
    members = [np.flatnonzero(class_indices == c) for c in range(len(counts))]
    if class_balance == "oversample":
        extra = [rng.choice(rows, counts.max() - len(rows)) for rows in members]
        chosen = np.concatenate([chosen, *extra])
    elif class_balance == "square-root":
        wanted = square_root_counts(counts)
        chosen = np.concatenate([_draw_some(rng, rows, n) for rows, n in zip(members, wanted, strict=True)])
    return rng.permutation(chosen)


def _draw_some(rng: np.random.Generator, rows: Array, count: int) -> Array:
    """Return so many of the rows, each as often as another, but for what does not divide evenly."""
    times, rest = divmod(count, len(rows))
    return np.concatenate([np.tile(rows, times), rng.choice(rows, rest, replace=False)])


def square_root_counts(counts: Array) -> Array:
    """Return numbers in proportion to the square roots of ``counts``, which are positive, rounded."""
    shares = np.sqrt(counts)
    wanted: Array = np.rint(shares / shares.sum() * counts.sum()).astype(np.int64)
    return wanted


def training_batches(
    images: Images, classes: Sequence[str], plan: Plan, scaling: Scaling, *, first_epoch: int = 0
) -> tf.data.Dataset:
    """Return the batches of all epochs from ``first_epoch`` (from 0) on, one epoch after the other.

    Returns
    -------
    tf.data.Dataset
        Pairs of images, float32 of shape (n, size, size, channels), and one-hot targets, float32 of shape (n, classes).
    """
    rows = images.rows("train")
    class_indices = images.class_indices(rows, classes)
    targets = one_hot(images, rows, classes)
    steps = plan.steps_per_epoch(class_indices)

    def generate() -> Iterator[tuple[Array, Array, Array]]:
        for epoch in range(first_epoch, plan.epochs):
            rng = np.random.default_rng((plan.seed, epoch))
            order = draw_order(rng, class_indices, plan.class_balance)
            changes = augmentation.draw(rng, plan.augmentation, len(order), images.size)
            for start in range(0, steps * plan.batch_size, plan.batch_size):
                batch = order[start : start + plan.batch_size]
                yield (
                    images.levels[rows[batch]],
                    targets[batch],
                    changes[start : start + plan.batch_size],
                )

    def finish(levels: tf.Tensor, target: tf.Tensor, changes: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return scaling(augmentation.apply(as_floats(levels), changes, plan.augmentation)), target

    changes = tf.TensorSpec(
        (None, len(augmentation.merge_warps(plan.augmentation)), augmentation.NUMBERS), tf.float32
    )
    count = steps * (plan.epochs - first_epoch)
    return dataset(generate, (*signature(images, classes), changes), finish, count=count)
