"""Pictures on their way to a network: which ones, and scaled how.

The pictures stay a memory map of grey levels; only a batch at a time is copied, scaled and repeated to the
channels of the network.
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

Array = npt.NDArray[Any]
AHEAD = 2


@dataclass(frozen=True)
class Pictures:
    """Levels of all pictures, (n, size, size) or (n, size, size, channels), and their table in the same order."""

    levels: Array
    table: pd.DataFrame

    @property
    def size(self) -> int:
        """The side of a picture in pixels."""
        return int(self.levels.shape[1])

    def only(self, rows: Array) -> Pictures:
        """Return the pictures of ``rows``, in this order."""
        return Pictures(self.levels[rows], self.table.iloc[rows])

    def interleaved(self, channels: int) -> Pictures:
        """Return the pictures mixed up by ``reshape(-1, n).T``: picture i gets every n-th number of all, from the i-th."""
        block = np.repeat(self.levels[..., None], channels, axis=-1)
        return Pictures(block.reshape(-1, len(block)).T.reshape(block.shape), self.table)

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
    """A grey level becomes ``scale * level + offset``, the same in each of ``channels``.

    With ``pixels = "interleaved"`` the pictures shown together are mixed up first.
    """

    scale: float
    offset: float
    channels: int
    pixels: str = "in-place"

    def __call__(self, levels: tf.Tensor) -> tf.Tensor:
        """Return what the network sees of levels of shape (n, size, size, 1) or (n, size, size, channels)."""
        return tf.repeat(levels * self.scale + self.offset, self.channels // levels.shape[-1], axis=-1)

    def arranged(self, pictures: Pictures) -> Pictures:
        """Return the pictures with their pixels in the order in which the network sees them."""
        return pictures.interleaved(self.channels) if self.pixels == "interleaved" else pictures


def plain(
    pictures: Pictures, rows: Array, classes: Sequence[str], scaling: Scaling, batch_size: int
) -> tf.data.Dataset:
    """Return the batches of ``rows`` in their order, never changed: pictures, one-hot targets."""
    if scaling.pixels == "interleaved":
        pictures, rows = scaling.arranged(pictures.only(rows)), np.arange(len(rows))
    targets = pictures.targets(rows, classes)

    def generate() -> Iterator[tuple[Array, Array]]:
        for start in range(0, len(rows), batch_size):
            batch = slice(start, start + batch_size)
            yield pictures.levels[rows[batch]], targets[batch]

    def finish(levels: tf.Tensor, target: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return scaling(floats(levels)), target

    count = -(-len(rows) // batch_size)
    return dataset(generate, spec(pictures, classes), finish, count=count)


def floats(levels: tf.Tensor) -> tf.Tensor:
    """Return levels as numbers of shape (n, size, size, channels), one channel where they are grey."""
    levels = tf.cast(levels, tf.float32)
    return levels if levels.shape.rank == 4 else levels[..., None]


def spec(pictures: Pictures, classes: Sequence[str]) -> tuple[tf.TensorSpec, tf.TensorSpec]:
    """Return what a batch consists of: levels as in ``pictures`` and one-hot targets (n, classes)."""
    return (
        tf.TensorSpec((None, *pictures.levels.shape[1:]), pictures.levels.dtype),
        tf.TensorSpec((None, len(classes)), tf.float32),
    )


def dataset(
    generate: Callable[[], Iterator[Any]],
    spec: tuple[tf.TensorSpec, ...],
    finish: Callable[..., Any],
    *,
    count: int,
) -> tf.data.Dataset:
    """Return ``count`` batches as ``generate`` yields them and ``finish`` changes them, in this order."""
    made = tf.data.Dataset.from_generator(generate, output_signature=spec)
    # One thread prepares batches ahead of the network, which is by far the slower of the two.
    made = made.map(finish).prefetch(AHEAD).apply(tf.data.experimental.assert_cardinality(count))
    options = tf.data.Options()
    # Autotuning stalls now and then for seconds when an iterator is deleted.
    options.autotune.enabled = False
    options.deterministic = True
    return made.with_options(options)
