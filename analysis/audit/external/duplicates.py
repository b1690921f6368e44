"""The ``external.duplicates`` stage: external images that the study has too, so that they are no test of anything."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.errors import DataError
from analysis.progress import Progress
from analysis.stage_files import find_file

EQUAL = "equal pixels"
COLUMNS = ("image_id", "study_image_id", "split", "how")


def find(inputs: Mapping[str, Path], out: Path, *, scratch: Path, progress: Progress) -> None:
    """Write ``duplicates.csv``: a row for each external image that is one of the study's, and the first that it equals.

    Two images are the same where the networks see the same: the sha256 of their decoded pixels, brought to the study's
    size, is equal. That finds a file under another name or in another lossless format.

    Parameters
    ----------
    inputs : mapping of str to Path
        ``records`` and ``images`` of the external set; ``study_records``, ``study_images`` and ``study_split`` of the study.

    Raises
    ------
    DataError
        The images are not those of the records, or were prepared in another size.
    """
    own = _digest(inputs["records"], inputs["images"], progress)
    known = _digest(inputs["study_records"], inputs["study_images"], progress)
    split = _read_table(find_file(inputs["study_split"], "split.csv"))
    if own.attrs["size"] != known.attrs["size"]:
        raise DataError(
            f"external images have {own.attrs['size']} px, those of the study {known.attrs['size']} px"
        )
    parts = dict(zip(split["image_id"], split["split"], strict=True))
    first = dict(zip(known["digest"][::-1], known["image_id"][::-1], strict=True))
    rows = [
        (image, first[digest], parts[first[digest]], EQUAL)
        for image, digest in zip(own["image_id"], own["digest"], strict=True)
        if digest in first
    ]
    pd.DataFrame(rows, columns=list(COLUMNS)).to_csv(out / "duplicates.csv", index=False, lineterminator="\n")


def read_duplicates(folder: Path) -> pd.DataFrame:
    """Return what `find` wrote, all as text."""
    return _read_table(folder / "duplicates.csv")


def _digest(records: Path, images: Path, progress: Progress) -> pd.DataFrame:
    """Return ``image_id`` and ``digest`` of each image; the attribute ``size`` is its side in pixels."""
    names = _read_table(find_file(records, "records.csv"))["image_id"]
    levels = np.load(find_file(images, "images.npy"), mmap_mode="r")
    if len(names) != len(levels):
        raise DataError(f"{len(names)} records and {len(levels)} images differ", hint="report build")
    digests = []
    for done, image in enumerate(levels, start=1):
        digests.append(hashlib.sha256(np.ascontiguousarray(image).tobytes()).hexdigest())
        progress(done, len(levels), "images")
    table = pd.DataFrame({"image_id": names, "digest": digests})
    table.attrs["size"] = levels.shape[1]
    return table


def _read_table(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False)
