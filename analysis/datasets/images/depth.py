"""How many bits the levels of an image have where its file does not tell: those of the dataset that it is from."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analysis.errors import ImageError

DEPTHS = (8, 10, 12, 14, 16)
DEPTH_FILE = "depth.json"


def fewest_bits(highest: int) -> int:
    """Return the depth of images with no level above ``highest``.

    Detectors give 10 to 14 bits, which are often stored as they are in 16: white is the highest level of the smallest
    of these depths that holds them all.

    Raises
    ------
    ImageError
        No such depth holds them.
    """
    depth = next((bits for bits in DEPTHS if highest < 2**bits), None)
    if depth is None:
        raise ImageError("levels of more than 16 bits, whose range for black and white is not known")
    return depth


def write_depth(folder: Path, depth: int) -> None:
    """Write ``depth.json``: the bits of the dataset's images whose files tell no depth."""
    (folder / DEPTH_FILE).write_text(json.dumps({"depth": depth}) + "\n", encoding="utf-8")


def read_depth(folder: Path) -> int | None:
    """Return what `write_depth` has written; None where it has not, as every file tells its depth."""
    noted = folder / DEPTH_FILE
    return int(json.loads(noted.read_text(encoding="utf-8"))["depth"]) if noted.exists() else None


def eight_bits(levels: NDArray[np.int64], white: int) -> NDArray[np.uint8]:
    """Return levels 0 to ``white`` as 0 to 255 (Pillow's own conversion clips at 255)."""
    return np.asarray((levels * 255 + white // 2) // white, dtype=np.uint8)
