"""Types of arrays that say what is in them, and whole numbers in the place of labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Mask = NDArray[np.bool_]
Counts = NDArray[np.number[Any]]
"""Of images; those of a resample may be weighted."""
Weights = NDArray[np.number[Any]]
"""How often each image counts in each resample, shape (B, n)."""
Labels = NDArray[np.object_]
"""Texts: ids of images, patients or classes."""


def dense(values: ArrayLike) -> Indices:
    """Return each value's place among the sorted different ones, shape (n,): whole numbers from 0 without a gap."""
    return np.unique(values, return_inverse=True)[1]


def class_indices(labels: pd.Series[str], classes: Sequence[str]) -> Indices:
    """Return the place of each label among ``classes``, shape (n,); -1 for one that is none of them."""
    return np.asarray(pd.Index(classes).get_indexer(pd.Index(labels)), dtype=np.intp)
