"""The batches of a training: order, oversampling and augmentation of an epoch, drawn from (seed, epoch)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import tensorflow as tf

from analysis.models import augmentation
from analysis.models.pictures import Array, Pictures, Scaling, dataset, floats, spec

BEFORE_ALL_EPOCHS = 2**32 - 1


@dataclass(frozen=True)
class Plan:
    """How the training pictures are drawn."""

    seed: int
    epochs: int
    batch_size: int
    class_balance: str
    augmentation: Sequence[augmentation.Step]
    augmented: str = "each-epoch"

    def steps_per_epoch(self, classes: Array) -> int:
        """Return the batches of an epoch; oversampled, the last partial one is dropped, as published."""
        if self.class_balance == "oversample":
            counts = np.bincount(classes)
            return max(1, int(counts.max() * len(counts)) // self.batch_size)
        return -(-len(classes) // self.batch_size)


def order(rng: np.random.Generator, classes: Array, class_balance: str) -> Array:
    """Return the places of the training pictures in the order of one epoch.

    With ``oversample`` every picture is kept and each class is filled up to the largest by drawing from it at
    random with replacement.
    """
    chosen = np.arange(len(classes))
    if class_balance == "oversample":
        counts = np.bincount(classes)
        extra = [rng.choice(np.flatnonzero(classes == c), counts.max() - n) for c, n in enumerate(counts)]
        chosen = np.concatenate([chosen, *extra])
    return rng.permutation(chosen)


def training(
    pictures: Pictures, classes: Sequence[str], plan: Plan, scaling: Scaling, *, first_epoch: int = 0
) -> tf.data.Dataset:
    """Return the batches (pictures, one-hot targets) of all epochs from ``first_epoch`` on, in a row."""
    if plan.augmented == "once" or scaling.pixels == "interleaved":
        pictures, plan = frozen(pictures, plan, scaling)
    rows = pictures.rows("train")
    labels = pictures.classes(rows, classes)
    targets = pictures.targets(rows, classes)
    steps = plan.steps_per_epoch(labels)

    def generate() -> Iterator[tuple[Array, Array, Array]]:
        for epoch in range(first_epoch, plan.epochs):
            rng = np.random.default_rng((plan.seed, epoch))
            drawn = order(rng, labels, plan.class_balance)
            changes = augmentation.draw(rng, plan.augmentation, len(drawn), pictures.size)
            for start in range(0, steps * plan.batch_size, plan.batch_size):
                batch = drawn[start : start + plan.batch_size]
                yield (
                    pictures.levels[rows[batch]],
                    targets[batch],
                    changes[start : start + plan.batch_size],
                )

    def finish(levels: tf.Tensor, target: tf.Tensor, changes: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return scaling(augmentation.apply(floats(levels), changes, plan.augmentation)), target

    changes = tf.TensorSpec(
        (None, len(augmentation.grouped(plan.augmentation)), augmentation.NUMBERS), tf.float32
    )
    return dataset(
        generate, (*spec(pictures, classes), changes), finish, count=steps * (plan.epochs - first_epoch)
    )


def frozen(pictures: Pictures, plan: Plan, scaling: Scaling) -> tuple[Pictures, Plan]:
    """Return the training pictures in one order and as every epoch shows them, and a plan that changes none of them."""
    rng = np.random.default_rng((plan.seed, BEFORE_ALL_EPOCHS))
    shown = pictures.only(rng.permutation(pictures.rows("train")))
    if plan.augmentation:
        changes = augmentation.draw(rng, plan.augmentation, len(shown.levels), shown.size)
        shown = replace(shown, levels=augmentation.applied(shown.levels, changes, plan.augmentation))
    return scaling.arranged(shown), replace(plan, augmentation=())
