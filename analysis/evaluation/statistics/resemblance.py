"""Whether an image looks like those that a network was trained on: how it correlates with the most alike of them.

Thumbnails of 16 x 16 pixels are compared, each without its brightness and contrast. It costs no look through the network,
so it says the same of any network trained on the same images, and nothing of what the network makes of an image: that one
is alike is no reason to believe the answer, that it is not is one to doubt it. How unlike is too much is told by images that
the network was not trained on and that are from where those are: the test set.

References
----------
Bates, Candès, Lei, Romano, Sesia (2023), Testing for outliers with conformal p-values, doi:10.1214/22-AOS2244.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from analysis.arrays import Floats

SIDE = 16
UNLIKE = 0.01
"""An image is unlike the training images if not more than this share of the test images is as unlike."""
BLOCK = 512
"""Images compared at once."""


def thumbnails(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return images (n, height, width) as vectors of mean 0 and length 1, shape (n, 256); of one level alone, as zeros."""
    small = [cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA).ravel() for image in images]
    levels = np.array(small, np.float32).reshape(len(small), SIDE**2)
    levels -= levels.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(levels, axis=1, keepdims=True)
    return np.asarray(np.divide(levels, lengths, out=np.zeros_like(levels), where=lengths > 0))


def resemblance(of: NDArray[np.float32], training: NDArray[np.float32]) -> Floats:
    """Return the correlation of each of the thumbnails ``of`` with the most alike of ``training``, shape (n,), up to 1."""
    blocks = [
        (of[start : start + BLOCK] @ training.T).max(axis=1, initial=-1) for start in range(0, len(of), BLOCK)
    ]
    return np.concatenate(blocks).astype(np.float64) if blocks else np.empty(0)


def count_as_unlike(found: float, tested: Floats) -> int:
    """Return how many of the test images, by their resemblance (n,), are as unlike as one of resemblance ``found``."""
    return int((tested <= found).sum())


def is_unlike(as_unlike: int, tested: int) -> bool:
    """Tell whether an image is unlike the training images by how many of ``tested`` images are as unlike."""
    return as_unlike <= UNLIKE * tested
