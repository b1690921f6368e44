"""Whether two X-rays are one exposure: registered by an affine map, then correlated in their fine detail.

All chest X-rays look alike in their coarse levels, and two exposures of one patient more so. Ribs, vessels and marks
lie otherwise in each, so what is compared is a band of fine detail, each place divided by its own contrast: a bright
mark counts no more than the lung beside it.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 128  # pixels of a thumbnail
QUICK_SIDE, MARGIN = 64, 6  # how far the first look moves one image over the other
FINE, COARSE, NEIGHBOURHOOD = (
    1.0,
    3.0,
    8.0,
)  # pixels: standard deviations of the band and of its local contrast
FAINT = 2.0  # grey levels: a contrast below it is noise
PLAUSIBLE = 0.78  # correlation at the first look; copies cut, turned and compressed at once have .87 and more
STEPS, SMOOTHING = 40, 5  # of the registration, whose result no longer changes then
LEAST_OVERLAP = 0.5  # of the area
EVERYWHERE = np.full((SIDE, SIDE), 255, dtype=np.uint8)
EDGE = 9  # pixels beside the border of the overlap, into which the filters reach

Thumbnail = NDArray[np.uint8]
Box = tuple[int, int, int, int]


class Shift(NamedTuple):
    """How well one image lies on another when it is moved by ``x`` and ``y`` pixels of the first look."""

    correlation: float
    x: int
    y: int


def thumbnail(pixels: NDArray[np.uint8]) -> Thumbnail:
    """Return grey levels (height, width) as (SIDE, SIDE), whatever the ratio of the sides."""
    return np.asarray(cv2.resize(pixels, (SIDE, SIDE), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def similarity(part_of: Thumbnail, other: Thumbnail, box: Box) -> float:
    """Return how far two X-rays agree in their detail, -1 to 1; 0 where it is plain that they do not.

    Parameters
    ----------
    part_of, other : uint8, shape (SIDE, SIDE)
        Thumbnails of the two images.
    box : tuple of int
        Top, left, bottom and right of that part of the first which is about the second.

    References
    ----------
    Evangelidis and Psarakis (2008), Parametric image alignment using enhanced correlation coefficient maximization,
    doi:10.1109/TPAMI.2008.113.
    """
    shift = _first_look(part_of, other, box)
    if shift.correlation < PLAUSIBLE:
        return 0.0
    found = _register(part_of, other, _start(box, shift))
    return 0.0 if found is None else _agreement(part_of, other, found)


def _first_look(part_of: Thumbnail, other: Thumbnail, box: Box) -> Shift:
    top, left, bottom, right = box
    part = _detail(_resized(part_of[top:bottom, left:right]))
    whole = _detail(_resized(other))
    inner = part[MARGIN:-MARGIN, MARGIN:-MARGIN]
    correlations = cv2.matchTemplate(whole, inner, cv2.TM_CCOEFF_NORMED)
    _, highest, _, (x, y) = cv2.minMaxLoc(correlations)
    return Shift(float(highest), x - MARGIN, y - MARGIN)


def _resized(pixels: Thumbnail) -> Thumbnail:
    small = cv2.resize(pixels, (QUICK_SIDE, QUICK_SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.uint8)


def _start(box: Box, shift: Shift) -> NDArray[np.float32]:
    """Return the map from pixels of the second thumbnail to those of the first, as far as the first look tells it."""
    top, left, bottom, right = box
    step = SIDE / QUICK_SIDE
    across, down = (right - left) / SIDE, (bottom - top) / SIDE
    return np.array(
        [
            [across, 0, left - across * step * shift.x + (across - 1) / 2],
            [0, down, top - down * step * shift.y + (down - 1) / 2],
        ],
        dtype=np.float32,
    )


def _register(part_of: Thumbnail, other: Thumbnail, start: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """Return the affine map that lays the first on the second best; None where there is none."""
    until = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, STEPS, 1e-4)
    try:
        _, found = cv2.findTransformECC(
            other, part_of, start, cv2.MOTION_AFFINE, until, EVERYWHERE, SMOOTHING
        )
    except cv2.error:  # how OpenCV says that two images have nothing in common
        return None
    return np.asarray(found, dtype=np.float32)


def _agreement(part_of: Thumbnail, other: Thumbnail, found: NDArray[np.float32]) -> float:
    size = (SIDE, SIDE)
    moved = cv2.warpAffine(part_of, found, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    covered = cv2.warpAffine(
        np.ones(size, np.uint8), found, size, flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    )
    inside = cv2.erode(
        covered, np.ones((EDGE, EDGE), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0
    )
    if inside.mean() < LEAST_OVERLAP:
        return 0.0
    a, b = (_detail(image)[inside > 0] for image in (np.asarray(moved, np.uint8), other))
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / norm if norm else 0.0


def _detail(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the band of fine detail, each place divided by the contrast around it."""
    levels = image.astype(np.float32)
    band = cv2.GaussianBlur(levels, (0, 0), FINE) - cv2.GaussianBlur(levels, (0, 0), COARSE)
    contrast = np.sqrt(cv2.GaussianBlur(band * band, (0, 0), NEIGHBOURHOOD)) + FAINT
    return np.asarray(band / contrast, dtype=np.float32)
