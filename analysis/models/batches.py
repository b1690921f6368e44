"""Pictures on their way to a network: which ones, in which order, changed and scaled how.

The pictures stay a memory map of grey levels; only a batch at a time is copied, scaled and repeated to the
channels of the network. Order, oversampling and augmentation of an epoch are drawn from (seed, epoch).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import pandas as pd
import tensorflow as tf

from analysis.errors import DataError
from analysis.models import augmentation

Array = npt.NDArray[Any]
AHEAD = 2


@dataclass(frozen=True)
class Pictures:
    """Grey levels of all pictures, uint8 (n, size, size), and their table in the same order."""

    levels: Array
    table: pd.DataFrame

    @property
    def size(self) -> int:
        """The side of a picture in pixels."""
        return int(self.levels.shape[1])

    def rows(self, *splits: str) -> Array:
        """Return the rows of the pictures of ``splits``."""
        return np.flatnonzero(self.table["split"].isin(splits))

    def classes(self, rows: Array, classes: Sequence[str]) -> Array:
        """Return the place in ``classes`` of the label of each of ``rows``.

        Raises
        ------
        DataError
            A picture's label is no class of the study.
        """
        labels = pd.Index(self.table["label"].iloc[rows])
        places: Array = pd.Index(classes).get_indexer(labels)
        if (places < 0).any():
            strange = labels[places < 0][0]
            raise DataError(
                f"a picture has the label {strange!r}, none of the classes", hint="report data check"
            )
        return places

    def targets(self, rows: Array, classes: Sequence[str]) -> Array:
        """Return the one-hot targets of ``rows``, float32 of shape (rows, classes)."""
        targets: Array = keras.utils.to_categorical(self.classes(rows, classes), len(classes))
        return targets.astype(np.float32)


def read(inputs: Mapping[str, Path]) -> Pictures:
    """Return the pictures of the stages ``records``, ``images`` and ``split``.

    Raises
    ------
    DataError
        The three do not tell of the same pictures.
    """
    records = _table(inputs["records"] / "records.csv")
    split = _table(inputs["split"] / "split.csv")
    levels = np.load(inputs["images"] / "images.npy", mmap_mode="r")
    if len(levels) != len(records) or list(records["image_id"]) != list(split["image_id"]):
        raise DataError(
            f"{len(records)} records, {len(levels)} pictures and {len(split)} rows of the split differ",
            hint="report build",
        )
    return Pictures(levels, records.assign(split=split["split"], fold=split["fold"]))


def _table(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False)


@dataclass(frozen=True)
class Scaling:
    """A grey level becomes ``scale * level + offset``, the same in each of ``channels``."""

    scale: float
    offset: float
    channels: int

    def __call__(self, levels: tf.Tensor) -> tf.Tensor:
        """Return what the network sees of levels of shape (n, size, size, 1)."""
        return tf.repeat(levels * self.scale + self.offset, self.channels, axis=-1)


@dataclass(frozen=True)
class Plan:
    """How the training pictures are drawn."""

    seed: int
    epochs: int
    batch_size: int
    class_balance: str
    augmentation: Sequence[augmentation.Step]

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
    rows = pictures.rows("train")
    labels = pictures.classes(rows, classes)
    targets = pictures.targets(rows, classes)
    steps = plan.steps_per_epoch(labels)

    def generate() -> Iterator[tuple[Array, Array, Array]]:
        for epoch in range(first_epoch, plan.epochs):
            rng = np.random.default_rng((plan.seed, epoch))
            drawn = order(rng, labels, plan.class_balance)
            maps = augmentation.draw(rng, plan.augmentation, len(drawn), pictures.size)
            for start in range(0, steps * plan.batch_size, plan.batch_size):
                batch = drawn[start : start + plan.batch_size]
                yield (
                    pictures.levels[rows[batch]],
                    targets[batch],
                    maps[start : start + plan.batch_size],
                )

    def finish(levels: tf.Tensor, target: tf.Tensor, maps: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        levels = tf.cast(levels, tf.float32)[..., None]
        return scaling(augmentation.apply(levels, maps, plan.augmentation)), target

    maps = tf.TensorSpec((None, len(plan.augmentation), 8), tf.float32)
    spec = (*_spec(pictures, classes), maps)
    return _dataset(generate, spec, finish, count=steps * (plan.epochs - first_epoch))


def plain(
    pictures: Pictures, rows: Array, classes: Sequence[str], scaling: Scaling, batch_size: int
) -> tf.data.Dataset:
    """Return the batches of ``rows`` in their order, never changed: pictures, one-hot targets."""
    targets = pictures.targets(rows, classes)

    def generate() -> Iterator[tuple[Array, Array]]:
        for start in range(0, len(rows), batch_size):
            batch = slice(start, start + batch_size)
            yield pictures.levels[rows[batch]], targets[batch]

    def finish(levels: tf.Tensor, target: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return scaling(tf.cast(levels, tf.float32)[..., None]), target

    count = -(-len(rows) // batch_size)
    return _dataset(generate, _spec(pictures, classes), finish, count=count)


def _spec(pictures: Pictures, classes: Sequence[str]) -> tuple[tf.TensorSpec, tf.TensorSpec]:
    return (
        tf.TensorSpec((None, pictures.size, pictures.size), tf.uint8),
        tf.TensorSpec((None, len(classes)), tf.float32),
    )


def _dataset(
    generate: Callable[[], Iterator[Any]],
    spec: tuple[tf.TensorSpec, ...],
    finish: Callable[..., Any],
    *,
    count: int,
) -> tf.data.Dataset:
    dataset = tf.data.Dataset.from_generator(generate, output_signature=spec)
    # One thread prepares batches ahead of the network, which is by far the slower of the two.
    dataset = dataset.map(finish).prefetch(AHEAD).apply(tf.data.experimental.assert_cardinality(count))
    options = tf.data.Options()
    # Autotuning stalls now and then for seconds when an iterator is deleted.
    options.autotune.enabled = False
    options.deterministic = True
    return dataset.with_options(options)
