"""Pairs of images that are one X-ray: found by a short descriptor, then confirmed by registration.

The descriptor is what perceptual hashes are made of, the low frequencies of the cosine transform, kept as numbers and
not as bits: of images whose coarse levels are all alike the 64 bits of ``imagehash.phash`` tell too little. Each image
is also described as if a twentieth had been cut from it, so that a crop of one lies beside the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from analysis.audit.registration import SIDE, Box, Thumbnail, similarity
from analysis.progress import Progress

THRESHOLD = 0.9  # of `similarity`: changed copies have .95 and more, other exposures of a patient up to .87
NEIGHBOURS = 2  # of each view of each image that are looked at
LOW, DCT_SIDE = 9, 32  # frequencies below LOW half-waves a side
TREES, CHECKS, SEED = 8, 64, 20  # of the forest that finds neighbours
MOST_CONFIRMED = 20  # images of a group of which every pair is looked at
THREADS = 2
CUT, HALF_CUT = round(SIDE * 0.05), round(SIDE * 0.025)
VIEWS: tuple[Box, ...] = (
    (0, 0, SIDE, SIDE),
    (HALF_CUT, HALF_CUT, SIDE - HALF_CUT, SIDE - HALF_CUT),
    (CUT, CUT, SIDE - CUT, SIDE - CUT),
    (0, 0, SIDE - CUT, SIDE - CUT),
    (0, CUT, SIDE - CUT, SIDE),
    (CUT, 0, SIDE, SIDE - CUT),
    (CUT, CUT, SIDE, SIDE),
)
"""The parts of an image that a copy may be of: all, the middle, and without two sides."""
ACROSS, DOWN = np.meshgrid(np.arange(DCT_SIDE), np.arange(DCT_SIDE))
RADIUS = np.hypot(ACROSS, DOWN).astype(np.float32)
KEPT = (RADIUS > 0) & (RADIUS < LOW)


class Pair(NamedTuple):
    """Two images by their place, the first of them the lower one, and how far they agree, up to 1."""

    first: int
    second: int
    score: float


class _Candidate(NamedTuple):
    """That a view of one image lies near another in the space of descriptors."""

    image: int
    other: int
    view: int


def find_near_pairs(thumbnails: NDArray[np.uint8], progress: Progress) -> list[Pair]:
    """Return the pairs of images that are one X-ray, sorted, of which none is exactly another.

    It takes the time of `CHECKS` comparisons for each view of each image, so that grows with n log n. Copies that are
    mirrored, inverted, or have less than nine tenths of each side are not found.

    Parameters
    ----------
    thumbnails : uint8, shape (n, SIDE, SIDE)
        Of `analysis.audit.registration.thumbnail`; one of each image, exact copies left out, as they would fill the places of neighbours.
    """
    tried = _confirm(thumbnails, _nearest(thumbnails), progress)
    near = [pair for pair in tried if pair.score >= THRESHOLD]
    seen = {(pair.first, pair.second) for pair in near}
    rest = [pair for pair in _pairs_within(join(seen)) if pair not in seen]
    more = _confirm(thumbnails, _best_views(thumbnails, rest), progress)
    return sorted(near + [pair for pair in more if pair.score >= THRESHOLD])


def find_near_pairs_between(
    thumbnails: NDArray[np.uint8], others: NDArray[np.uint8], progress: Progress
) -> list[Pair]:
    """Return the pairs of an image of ``thumbnails`` and one of ``others`` that are one X-ray, by their places in each.

    As `find_near_pairs`, but exact copies are found too, with a score of 1 or little less.
    """
    n = len(thumbnails)
    candidates = [
        one for one in _nearest(np.concatenate([thumbnails, others])) if (one.image < n) != (one.other < n)
    ]
    tried = _confirm(np.concatenate([thumbnails, others]), candidates, progress)
    return sorted(Pair(pair.first, pair.second - n, pair.score) for pair in tried if pair.score >= THRESHOLD)


def join(pairs: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Return the groups of what is joined by pairs, each sorted, sorted by their first."""
    group_of: dict[int, list[int]] = {}
    for first, second in pairs:
        a, b = group_of.setdefault(first, [first]), group_of.setdefault(second, [second])
        if a is not b:
            small, large = sorted((a, b), key=len)
            large.extend(small)
            group_of |= dict.fromkeys(small, large)
    distinct = {id(group): group for group in group_of.values()}
    return sorted(sorted(group) for group in distinct.values())


def describe(image: Thumbnail, box: Box) -> NDArray[np.float32]:
    """Return the descriptor of a part of a thumbnail: shape (69,), of length 1.

    Frequencies are multiplied by their height, so that each band has about the same weight in it.
    """
    top, left, bottom, right = box
    size = (DCT_SIDE, DCT_SIDE)
    small = cv2.resize(image[top:bottom, left:right], size, interpolation=cv2.INTER_AREA)
    weighted = cv2.dct(small.astype(np.float32))[KEPT] * RADIUS[KEPT]
    return np.asarray(weighted / max(float(np.linalg.norm(weighted)), 1e-6), dtype=np.float32)


def _nearest(thumbnails: NDArray[np.uint8]) -> list[_Candidate]:
    """Return the neighbours of every view of every image, a pair once, by the view in which it is nearest."""
    if len(thumbnails) < 2:
        return []
    whole = np.stack([describe(image, VIEWS[0]) for image in thumbnails])
    # OpenCV draws the axes of the trees from its own generator: the same seed gives the same pairs.
    cv2.setRNGSeed(SEED)
    forest = cv2.flann.Index(whole, {"algorithm": 1, "trees": TREES})
    wanted = min(NEIGHBOURS + 1, len(whole))
    found: dict[tuple[int, int], tuple[float, _Candidate]] = {}
    for number, box in enumerate(VIEWS):
        views = whole if number == 0 else np.stack([describe(image, box) for image in thumbnails])
        places, distances = forest.knnSearch(views, wanted, params={"checks": CHECKS})
        for image, (others, apart) in enumerate(zip(places.tolist(), distances.tolist(), strict=True)):
            for other, distance in zip(others, apart, strict=True):
                pair = (min(image, other), max(image, other))
                if 0 <= other != image and (pair not in found or distance < found[pair][0]):
                    found[pair] = (distance, _Candidate(image, other, number))
    return [candidate for _, (_, candidate) in sorted(found.items())]


def _best_views(thumbnails: NDArray[np.uint8], pairs: Iterable[tuple[int, int]]) -> Iterator[_Candidate]:
    """Return pairs with the view of either image that is nearest to the other."""
    for first, second in pairs:
        both = [(first, second), (second, first)]
        distances = {
            _Candidate(a, b, number): float(
                np.linalg.norm(describe(thumbnails[a], box) - describe(thumbnails[b], VIEWS[0]))
            )
            for a, b in both
            for number, box in enumerate(VIEWS)
        }
        yield min(distances, key=lambda candidate: distances[candidate])


def _pairs_within(groups: Iterable[list[int]]) -> Iterator[tuple[int, int]]:
    """Return every pair of each group; of one that is very large none, as they are linked already."""
    for group in groups:
        if len(group) <= MOST_CONFIRMED:
            yield from ((a, b) for place, a in enumerate(group) for b in group[place + 1 :])


def _confirm(
    thumbnails: NDArray[np.uint8], candidates: Iterable[_Candidate], progress: Progress
) -> list[Pair]:
    listed = list(candidates)

    def score(one: _Candidate) -> Pair:
        agreement = similarity(thumbnails[one.image], thumbnails[one.other], VIEWS[one.view])
        return Pair(min(one.image, one.other), max(one.image, one.other), agreement)

    scored = []
    with ThreadPoolExecutor(THREADS) as pool:
        for done, pair in enumerate(pool.map(score, listed), start=1):
            scored.append(pair)
            progress(done, len(listed), "pairs")
    return scored
