"""What each probe is shown of an image: facts of its file, its border, a thumbnail. None of it shows the lungs' detail."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.arrays import Floats, Mask
from analysis.progress import Progress

BORDER = 12
"""Pixels of the prepared image, from each edge."""
LARGEST_BORDER = 12 / 156
"""Of the side, as of the images of the assignment: on smaller ones 12 pixels would be more than the border."""
THUMBNAIL = 8
"""Pixels of a side, as of the reference classifier."""
FEWEST_KNOWN = 0.95
"""Of the images of every class: where less is known, its being known would tell the class."""
BLOCK = 256
"""Images in memory at once."""
FACTS = ("width", "height", "aspect")
"""``aspect`` is width by height. Bytes and JPEG quality are left out: every copy of a dataset has its own."""


@dataclass(frozen=True)
class Features:
    """What a probe sees of n images, or why it cannot be made.

    Parameters
    ----------
    values : (n, d) array of float
        NaN where something is not known of an image.
    names : tuple of str
        Of the d columns; empty where they are pixels.
    known : (n,) array of bool
        The images that the probe is tried on.
    reason_null : str
        Why there is no probe, such as "known of 0 of 1583 images of healthy"; else "".
    """

    values: Floats
    names: tuple[str, ...]
    known: Mask
    reason_null: str = ""


def original_facts(records: pd.DataFrame) -> Features:
    """Return width, height and aspect of the originals, as annotations tell them.

    The colour mode is that of the file at hand, so it is one of them only where all files have the size of their original.
    """
    size = _sizes(records, "original_width", "original_height")
    known: Mask = np.asarray(np.isfinite(size).all(axis=1))
    if reason := unknown_in_a_class(records["label"], known, "the original's size is"):
        return Features(size, FACTS[:2], known, reason)
    values, names = _with_aspect(size)
    if (size[known] == _sizes(records, "width", "height")[known]).all():
        modes, mode_names = _modes(records)
        return Features(np.hstack([values, modes]), (*names, *mode_names), known)
    return Features(values, names, known)


def file_facts(records: pd.DataFrame) -> Features:
    """Return width, height, aspect and colour mode of the files at hand; whether they are the originals is not asked.

    There is none where all of them have the size of the original that an annotation tells: those are `original_facts`.
    """
    size = _sizes(records, "width", "height")
    values, names = _with_aspect(size)
    modes, mode_names = _modes(records)
    same = (size == _sizes(records, "original_width", "original_height")).all()
    reason = "all files have the size of their original" if same else ""
    return Features(
        np.hstack([values, modes]), (*names, *mode_names), np.ones(len(records), dtype=bool), reason
    )


def border(images: NDArray[np.uint8], progress: Progress) -> Features:
    """Return mean and standard deviation of grey levels in the tiles of the border of ``images`` (n, size, size).

    The tiles are squares of `BORDER` pixels, or somewhat more where the side is no multiple of it: 48 of an image of
    156 pixels.
    """
    size = images.shape[1]
    edges = _edges(size)
    tiles = [
        (slice(top, bottom), slice(left, right))
        for top, bottom in pairwise(edges)
        for left, right in pairwise(edges)
        if 0 in {top, left} or size in {bottom, right}
    ]
    values = np.empty((len(images), 2 * len(tiles)))
    for start in range(0, len(images), BLOCK):
        block = np.asarray(images[start : start + BLOCK])
        rows = slice(start, start + len(block))
        for i, tile in enumerate(tiles):
            levels = block[:, *tile].reshape(len(block), -1)
            values[rows, i] = levels.mean(axis=1)
            values[rows, len(tiles) + i] = levels.std(axis=1)
        progress(rows.stop, len(images), "images")
    return Features(values, (), np.ones(len(images), dtype=bool))


def thumbnail(images: NDArray[np.uint8], progress: Progress, side: int = THUMBNAIL) -> Features:
    """Return ``images`` (n, size, size) averaged over areas to ``side`` x ``side``, row by row."""
    values = np.empty((len(images), side**2))
    for i, image in enumerate(images):
        values[i] = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA).ravel()
        progress(i + 1, len(images), "images")
    return Features(values, (), np.ones(len(images), dtype=bool))


def border_width(size: int) -> int:
    """Return how many pixels from the edge of an image of ``size`` pixels are its border."""
    return max(1, min(BORDER, int(size * LARGEST_BORDER)))


def unknown_in_a_class(labels: pd.Series[str], known: Mask, what: str) -> str:
    """Return in which class too little is known for a probe, as "WHAT known of 3 of 40 images of viral"; "" if in none.

    Parameters
    ----------
    labels : (n,) series of str
    known : (n,) array of bool
    what : str
        What is known, with its verb.
    """
    shares = pd.Series(known, labels.index).groupby(labels).agg(["mean", "sum", "size"])
    few = shares[shares["mean"] < FEWEST_KNOWN]
    if few.empty:
        return ""
    (name, row) = next(few.sort_values("mean", kind="stable").iterrows())
    return f"{what} known of {row['sum']:.0f} of {row['size']:.0f} images of {name}"


def _sizes(records: pd.DataFrame, *columns: str) -> Floats:
    table = records[list(columns)].apply(pd.to_numeric, errors="coerce")
    return np.asarray(table, dtype=np.float64)


def _with_aspect(size: Floats) -> tuple[Floats, tuple[str, ...]]:
    return np.column_stack([size, size[:, 0] / size[:, 1]]), FACTS


def _modes(records: pd.DataFrame) -> tuple[Floats, tuple[str, ...]]:
    """Return a column for each colour mode, 1 for the images that have it."""
    modes = sorted(set(records["mode"]))
    columns = [(records["mode"] == mode).to_numpy(dtype=np.float64) for mode in modes]
    return np.column_stack(columns), tuple(f"mode {mode}" for mode in modes)


def _edges(size: int) -> list[int]:
    """Return where tiles begin and end along a side: the outer ones are as wide as the border, those between as near as can be."""
    width = border_width(size)
    inner = max(1, (size - 2 * width) // width)
    return [0, *np.linspace(width, size - width, inner + 1).round().astype(int).tolist(), size]
