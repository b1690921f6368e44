"""Prepared images with their labels and splits, as the models read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.errors import DataError

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Images:
    """Grey levels of all images, and their table in the same order.

    Parameters
    ----------
    levels : array of shape (n, size, size) or (n, size, size, channels)
        Grey levels from 0 to 255; a memory map, of which only a batch at a time is copied.
    table : pandas.DataFrame
        The columns of ``records.csv``, and ``split`` and ``fold``.
    """

    levels: Array
    table: pd.DataFrame

    @property
    def size(self) -> int:
        """The side of an image in pixels."""
        return int(self.levels.shape[1])

    def only(self, rows: Array) -> Images:
        """Return the images of ``rows``, in this order."""
        return Images(self.levels[rows], self.table.iloc[rows])

    def rows(self, *splits: str) -> Array:
        """Return the rows of the images of ``splits``."""
        return np.flatnonzero(self.table["split"].isin(splits))

    def class_indices(self, rows: Array, classes: Sequence[str]) -> Array:
        """Return the index in ``classes`` of the label of each of ``rows``.

        Raises
        ------
        DataError
            An image's label is no class of the study.
        """
        labels = pd.Index(self.table["label"].iloc[rows])
        indices: Array = pd.Index(classes).get_indexer(labels)
        if (indices < 0).any():
            strange = labels[indices < 0][0]
            raise DataError(
                f'an image has the label "{strange}", none of the classes', hint="report data check"
            )
        return indices


def read(inputs: Mapping[str, Path]) -> Images:
    """Return the images of the stages ``records``, ``images`` and ``split``.

    Raises
    ------
    DataError
        The three are not about the same images.
    """
    records = _read_table(inputs["records"] / "records.csv")
    split = _read_table(inputs["split"] / "split.csv")
    levels = np.load(inputs["images"] / "images.npy", mmap_mode="r")
    if len(levels) != len(records) or list(records["image_id"]) != list(split["image_id"]):
        raise DataError(
            f"{len(records)} records, {len(levels)} images and {len(split)} rows of the split differ",
            hint="report build",
        )
    return Images(levels, records.assign(split=split["split"], fold=split["fold"]))


def _read_table(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False)
