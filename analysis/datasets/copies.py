"""Images that are left out because of another in the same folder: copies of it, and masks that lie beside it."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath

import numpy as np

from analysis.datasets import reasons
from analysis.datasets.folders import layout
from analysis.datasets.images.decode import decode, read_image
from analysis.datasets.reasons import Exclusion
from analysis.datasets.records import Candidate
from analysis.errors import ImageError
from analysis.image_files import digest

NEAR = 16  # grey levels that a JPEG may blur a mask by
AT_AN_END = 0.97  # of the pixels of a mask
MASK_LEVELS = 8


def drop_copies(root: Path, candidates: Sequence[Candidate]) -> tuple[list[Candidate], list[Exclusion]]:
    """Return the candidates without those that lie elsewhere too: as the same file of the same name, class and split.

    Archives have a dataset within itself (``chest_xray/chest_xray`` of Kaggle), or parts that share images
    (COVID-QU-Ex). The one that is kept lies nearest to the top. Equal files of other names are duplicates in the dataset.
    """
    copies: dict[str, str] = {}
    for same in _grouped(candidates, lambda c: PurePosixPath(c.image_id).name):
        for equal in _equal_files(root, same):
            first, *others = sorted(equal, key=lambda name: (name.count("/"), os.fsencode(name)))
            copies |= dict.fromkeys(others, first)
    kept = [c for c in candidates if c.image_id not in copies]
    return kept, [Exclusion(name, reasons.COPY, first) for name, first in copies.items()]


def _grouped(candidates: Iterable[Candidate], name: Callable[[Candidate], str]) -> Iterable[list[Candidate]]:
    """Return those groups of two and more candidates that are of one class and split, and of one ``name``."""
    groups: dict[tuple[object, ...], list[Candidate]] = defaultdict(list)
    for c in candidates:
        groups[c.labels, c.official, name(c)].append(c)
    return [group for group in groups.values() if len(group) > 1]


def _equal_files(root: Path, same: Iterable[Candidate]) -> Iterable[list[str]]:
    """Return the groups of names of equal files; only files of one size are read."""
    sizes: dict[int, list[str]] = defaultdict(list)
    for c in same:
        with suppress(OSError):  # the decoder says what is wrong with it
            sizes[(root / c.image_id).stat().st_size].append(c.image_id)
    digests: dict[str, list[str]] = defaultdict(list)
    for names in sizes.values():
        for name in names if len(names) > 1 else ():
            with suppress(OSError):
                digests[digest((root / name).read_bytes())].append(name)
    return [names for names in digests.values() if len(names) > 1]


def drop_masks(root: Path, candidates: Sequence[Candidate]) -> tuple[list[Candidate], list[Exclusion]]:
    """Return the candidates without masks, and these: known by an image of the same name, class and split beside them.

    Such an image is a mask if its name says so (``x_mask.png``) and that of the other does not, or if it has a few grey
    levels only and the other has more.
    """
    masks: dict[str, str] = {}
    for same in _grouped(candidates, lambda c: layout.unmasked(PurePosixPath(c.image_id).stem)):
        ids = [c.image_id for c in same]
        others = [name for name in ids if not _named_as_mask(name)] or ids
        flat = {name for name in others if len(others) > 1 and has_few_levels(root / name)}
        if first := next((name for name in others if name not in flat), ""):
            beside = set(others)  # a hundred thousand images may all be called frontal.png
            masks |= {name: f"few grey levels, beside {first}" for name in ids if name in flat}
            masks |= {name: f"named as that of {first}" for name in ids if name not in beside}
    kept = [c for c in candidates if c.image_id not in masks]
    return kept, [Exclusion(name, reasons.MASK, detail) for name, detail in masks.items()]


def drop_masks_beside(root: Path, images: Iterable[str]) -> tuple[list[str], list[Exclusion]]:
    """Return the images without masks that lie in the same folder as the image of their name, and these."""
    each = [Candidate(name, (str(PurePosixPath(name).parent),)) for name in images]
    kept, masks = drop_masks(root, each)
    return [c.image_id for c in kept], masks


def _named_as_mask(name: str) -> bool:
    stem = PurePosixPath(name).stem
    return layout.unmasked(stem) != layout.plain(stem)


def has_few_levels(path: Path) -> bool:
    """Tell whether an image has as many levels as a mask has organs, or is one of black and white that JPEG has blurred."""
    try:
        pixels = decode(read_image(path)).pixels.astype(np.int16)  # uint8 would run over
    except (ImageError, OSError):
        return False
    low, high = pixels.min(), pixels.max()
    at_an_end = (pixels <= low + NEAR) | (pixels >= high - NEAR)
    wide = high - low > 4 * NEAR  # in a narrow range most levels are near an end
    return len(np.unique(pixels)) <= MASK_LEVELS or bool(wide and np.mean(at_an_end) >= AT_AN_END)
