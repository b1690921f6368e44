"""The ``lungs`` stage of the audit: how well the classes are told apart without the lungs, and by the lungs alone.

Only with masks of nearly all images: where one class has masks and another has none, the mask itself tells the class.

References
----------
Maguolo and Nanni (2021), A critic evaluation of methods for COVID-19 automatic detection from X-ray images,
doi:10.1016/j.inffus.2021.04.008: networks tell datasets apart with the lungs blanked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analysis.arrays import Mask
from analysis.audit import features, probes
from analysis.audit.features import Features
from analysis.audit.lung_masks import find_masks, square_masks
from analysis.audit.tables import read_table
from analysis.errors import DataError
from analysis.progress import Progress, silent
from analysis.vocabulary.audit import BLANKED, LUNGS_ONLY

DILATED = 0.1
"""Of the sides of the rectangle around the lungs, added at each side: an outline that fits tells the lungs' shape."""
Image = NDArray[np.uint8]


def lungs(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    classes: Sequence[str],
    fit: str,
) -> None:
    """Write what the probes `BLANKED` and `LUNGS_ONLY` find, as `probes.probe` writes it.

    Both are thumbnails: of images whose lungs, with a rectangle around them, are black, and of images of which all else is.

    Parameters
    ----------
    inputs : mapping of str to Path
        The stages ``records`` and ``images``, and the data, ``data``.
    classes : sequence of str
        Class ids in the study's order.
    fit : str
        How the images were made square.

    Raises
    ------
    DataError
        A class has masks of less than 95 % of its images; it says which.
    """
    records = read_table(inputs["records"] / "records.csv")
    images = np.load(inputs["images"] / "images.npy", mmap_mode="r")
    masks = find_masks(inputs["data"], list(records["image_id"]))
    known = np.array([image_id in masks for image_id in records["image_id"]])
    check(features.unknown_in_a_class(records["label"], known, "a lung mask is"))
    shown: dict[str, list[Image]] = {BLANKED: [], LUNGS_ONLY: []}
    drawn = square_masks(masks, records["image_id"], images.shape[1], fit)
    for i, (image, mask) in enumerate(zip(images, drawn, strict=True)):
        known[i] = mask is not None
        for name, hide in HIDDEN.items():
            hidden = hide(image, mask) if mask is not None else np.zeros_like(image)
            shown[name].append(features.thumbnail(hidden[None], silent).values[0])
        progress(i + 1, len(images), "images")
    check(features.unknown_in_a_class(records["label"], known, "a lung mask is"))
    labelled = probes.label(records, classes)
    probes.write(
        out,
        [probes.try_probe(name, Features(np.array(shown[name]), (), known), labelled) for name in HIDDEN],
    )


def check(unknown: str) -> None:
    """Refuse masks that are missing for more of one class than chance would leave out.

    Raises
    ------
    DataError
        ``unknown`` says of which class too few are known.
    """
    if unknown:
        raise DataError(
            f"{unknown}, and every class needs {features.FEWEST_KNOWN:.0%}: which image has a mask would tell the class",
            hint="leave the lungs out of the audit, or add masks of the other images",
        )


def blank_lungs(image: Image, mask: Mask) -> Image:
    """Return an image (size, size) with a black rectangle over the lungs, which are where ``mask`` is true."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    blanked = image.copy()
    blanked[_widened(rows, image.shape[0]), _widened(columns, image.shape[1])] = 0
    return blanked


def keep_lungs(image: Image, mask: Mask) -> Image:
    """Return an image (size, size) that is black wherever ``mask`` is not true."""
    kept: Image = np.where(mask, image, 0).astype(np.uint8)
    return kept


HIDDEN: dict[str, Callable[[Image, Mask], Image]] = {BLANKED: blank_lungs, LUNGS_ONLY: keep_lungs}


def _widened(places: NDArray[np.intp], size: int) -> slice:
    """Return from where to where a rectangle around ``places`` reaches when it is dilated, inside an image of ``size``."""
    more = round(DILATED * (places[-1] - places[0] + 1))
    return slice(max(0, int(places[0]) - more), min(size, int(places[-1]) + 1 + more))
