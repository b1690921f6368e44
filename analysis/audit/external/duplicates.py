"""The ``external.duplicates`` stage: external images that the study has too, so that they are no test of anything."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.audit.near_pairs import find_near_pairs_between
from analysis.audit.registration import thumbnail
from analysis.audit.tables import read_table, write_table
from analysis.errors import DataError
from analysis.progress import Progress
from analysis.stage_files import find_file
from analysis.vocabulary.external import EXACT, NEAR
from analysis.vocabulary.splits import SPLITS

COLUMNS = ("image_id", "study_image_id", "split", "how", "score")
KNOWN = ("study", "first")
"""What networks know: the images of the study, and those that one learns from before them."""
ORDER = {split: place for place, split in enumerate(SPLITS)}
"""Of several images of the study that are an external one, the one trained on is named."""


class Match(NamedTuple):
    """That the external image at ``place`` is the study's image at ``other``."""

    place: int
    other: int
    how: str
    score: float


def find(inputs: Mapping[str, Path], out: Path, *, scratch: Path, progress: Progress) -> None:
    """Write ``duplicates.csv``: a row for each external image that is one of the study's.

    ``how`` is ``exact`` where the networks see the same: the levels, brought to the study's size, are equal. That finds a file
    under another name or in another lossless format. It is ``near`` where it is the same X-ray in another resolution, cut or
    compressed otherwise (`analysis.audit.near_pairs`); ``score`` is its similarity, 1 where it is exact. ``split`` is that of
    ``study_image_id``, "" where the study leaves that out of its split.

    Both are judged by the prepared images: of 1,144 full-resolution originals of images in V7 all are found in 156 as in 64
    pixels, and none of 285 images of adults from elsewhere is taken for one of the study's. In 32 pixels changed copies can be
    missed.

    Parameters
    ----------
    inputs : mapping of str to Path
        ``records`` and ``images`` of the external set; ``study_records``, ``study_images`` and ``study_split`` of the study;
        and, where a network learns from others first, ``first_records`` and ``first_images``, which are in no split.

    Raises
    ------
    DataError
        The images are not those of the records, or were prepared in another size.
    """
    own, levels = _read(inputs["records"], inputs["images"])
    sets = [
        _read(inputs[f"{of}_records"], inputs[f"{of}_images"]) for of in KNOWN if f"{of}_records" in inputs
    ]
    for _, others in sets:
        if levels.shape[1:] != others.shape[1:]:
            raise DataError(
                f"external images have {levels.shape[1]} px, those of the study {others.shape[1]} px"
            )
    known = pd.concat([ids for ids, _ in sets], ignore_index=True)
    study_levels = sets[0][1] if len(sets) == 1 else np.concatenate([images for _, images in sets])
    exact = _find_exact(levels, study_levels, progress)
    rest = sorted({*range(len(own))} - {place for place, *_ in exact})
    matches = [*exact, *_find_near(levels, rest, study_levels, progress)]
    table = _choose(matches, own, known, _read_parts(inputs["study_split"]))
    write_table(out / "duplicates.csv", table)


def _read(records: Path, images: Path) -> tuple[pd.Series[str], NDArray[np.uint8]]:
    """Return the id of each image, and the levels of all, shape (n, side, side)."""
    ids = read_table(find_file(records, "records.csv"))["image_id"]
    levels = np.load(find_file(images, "images.npy"), mmap_mode="r")
    if len(ids) != len(levels):
        raise DataError(f"{len(ids)} records and {len(levels)} images differ", hint="report build")
    return ids, levels


def _read_parts(split: Path) -> dict[str, str]:
    """Return the first of the splits that each image of the study is in."""
    table = read_table(find_file(split, "split.csv"))
    order = table["split"].map(ORDER).fillna(len(ORDER))
    first = table.iloc[order.argsort(kind="stable")].drop_duplicates("image_id")
    return dict(zip(first["image_id"], first["split"], strict=True))


def _find_exact(
    levels: NDArray[np.uint8], study_levels: NDArray[np.uint8], progress: Progress
) -> list[Match]:
    places: dict[str, list[int]] = {}
    for place, digest in enumerate(_digest(study_levels, progress)):
        places.setdefault(digest, []).append(place)
    return [
        Match(place, other, EXACT, 1.0)
        for place, digest in enumerate(_digest(levels, progress))
        for other in places.get(digest, ())
    ]


def _find_near(
    levels: NDArray[np.uint8], places: Sequence[int], study_levels: NDArray[np.uint8], progress: Progress
) -> list[Match]:
    """Return what images at some ``places`` nearly are."""
    if not places:
        return []
    known = np.stack([thumbnail(np.asarray(image)) for image in study_levels])
    own = np.stack([thumbnail(np.asarray(levels[place])) for place in places])
    pairs = find_near_pairs_between(known, own, progress)
    return [Match(places[pair.second], pair.first, NEAR, pair.score) for pair in pairs]


def _choose(
    matches: Iterable[Match], own: pd.Series[str], known: pd.Series[str], parts: Mapping[str, str]
) -> pd.DataFrame:
    """Return of each external image the image of the study to name: one trained on if there is one, then the most similar."""
    rows = [
        (own[m.place], known[m.other], parts.get(known[m.other], ""), m.how, round(m.score, 4))
        for m in sorted(matches)
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    order = table["split"].map(ORDER).fillna(len(ORDER))
    ranked = table.assign(order=order, unlike=-table["score"]).sort_values(["order", "unlike"], kind="stable")
    best = ranked.drop_duplicates("image_id")
    return table.loc[best.index.sort_values()]


def _digest(levels: NDArray[np.uint8], progress: Progress) -> Iterator[str]:
    for done, image in enumerate(levels, start=1):
        yield hashlib.sha256(np.ascontiguousarray(image).tobytes()).hexdigest()
        progress(done, len(levels), "images")
