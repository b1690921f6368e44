"""What is left out and why: the reasons of every reader, and when too much would be left out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from unicodedata import normalize

from analysis.errors import DataError, ImageError
from analysis.image_files import escape_name

INVALID = "annotation is not valid JSON"
BY_STUDY = "excluded by the study"
MASK = "mask, not an image"
CT = "CT slice"
LATERAL = "lateral view"
NO_IMAGE = "no image for the annotation"
NO_IMAGE_OF_ROW = "no image for the row of the table"
NO_ROW = "no row of the table for the image"
CONTRADICTION = "rows of the table contradict one another"
UNCERTAIN = "uncertain class label"
SECOND_ANNOTATION = "second annotation of the image"
NO_LABEL = "no class label"
SEVERAL_LABELS = "several class labels"
UNDECODABLE = "image does not decode"
BLANK = "image of one grey level"
NO_ANNOTATION = "no annotation for the image"
OTHER_DATASET = "of another dataset in the folder"
SAME_FILE = "same file as an image that is kept"
COPY = "copy of an image elsewhere in the folder"
GIT_LFS_POINTER = "Git LFS pointer, not the image"
NO_DICOM_READER = "DICOM file, and pydicom is not installed"
NOT_IMAGES = (GIT_LFS_POINTER, NO_DICOM_READER)
"""What a file is that often stands in an image's place."""
# The order in which a file is judged, and of the rows of flow.csv: the first reason that fits is the one given.
REASONS = (
    INVALID,
    BY_STUDY,
    MASK,
    SECOND_ANNOTATION,
    CT,
    LATERAL,
    NO_IMAGE,
    NO_IMAGE_OF_ROW,
    CONTRADICTION,
    UNCERTAIN,
    OTHER_DATASET,
    NO_LABEL,
    SEVERAL_LABELS,
    *NOT_IMAGES,
    UNDECODABLE,
    BLANK,
    NO_ANNOTATION,
    NO_ROW,
    SAME_FILE,
    COPY,
)
INSTALL_DICOM = ".venv/bin/python -m pip install 'pydicom>=3' 'python-gdcm>=3.0.24'"
CT_VIEW = re.compile(r"View/(axial|coronal|sagittal)\b.*", re.IGNORECASE)
# Of DICOM's own words LLD and RLD are no lateral views: the patient lies on one side, and is seen from the front.
LATERAL_VIEW = re.compile(r"View/(?!.*decub)([lr]?l|[lr]?lat|(left|right)?[ _-]*lateral)\b.*", re.IGNORECASE)
# What costs no image: it is none, the study says so, or the same is kept.
UNCOUNTED = frozenset((BY_STUDY, MASK, SECOND_ANNOTATION, SAME_FILE, COPY))


class NoImageError(ImageError):
    """The bytes are a file that often stands in an image's place.

    Parameters
    ----------
    reason : str
        What it is, one of ``NOT_IMAGES``: the image is left out for this reason and not as one that does not decode.
    hint : str
        What to try next.
    """

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason, hint)
        self.reason = reason


@dataclass(frozen=True)
class Exclusion:
    """A file that is left out, and why."""

    file: str
    reason: str
    detail: str = ""


def find_unwanted(tag: str) -> str | None:
    """Return for which reason an image with a tag such as ``View/LL`` or ``CT`` is left out; None if it is not."""
    if tag == "CT" or CT_VIEW.fullmatch(tag):
        return CT
    return LATERAL if LATERAL_VIEW.fullmatch(tag) else None


Exclude = Sequence[str] | Mapping[str, Mapping[str, str]]
"""What a study leaves out: glob patterns; or images by path or name, with ``reason`` and ``place``, its line in a list."""


def find_pattern(name: str, exclude: Exclude) -> str | None:
    """Return the first of the glob patterns that fits the path, the file name or its stem; None if none does.

    Of a list it is the path or the file name itself. Names are compared as they stand in the tables, and composed (NFC):
    macOS writes letters and accents apart.
    """
    path = PurePosixPath(normalize("NFC", escape_name(name)))
    names = (str(path), path.name, path.stem)
    if isinstance(exclude, Mapping):
        return next((n for n in names[:2] if n in exclude), None)
    return next((p for p in exclude if any(fnmatchcase(n, normalize("NFC", p)) for n in names)), None)


def find_exclusion(name: str, exclude: Exclude) -> tuple[str, str] | None:
    """Return the reason for which the study leaves an image out, and a detail; None if it does not."""
    found = find_pattern(name, exclude)
    if found is None or not isinstance(exclude, Mapping):
        return (BY_STUDY, found) if found else None
    return f"{BY_STUDY}: {exclude[found]['reason']}", exclude[found]["place"]


def kind_of(reason: str) -> str:
    """Return one of `REASONS`: ``excluded by the study``, whatever a study says why."""
    return BY_STUDY if reason.startswith(f"{BY_STUDY}: ") else reason


def require_listed(images: Iterable[str], exclude: Exclude) -> None:
    """Raise if a list of images to leave out names one that is not there.

    Raises
    ------
    DataError
        With the line of the list.
    """
    if not isinstance(exclude, Mapping):
        return
    found = {name for image in images if (name := find_pattern(image, exclude))}
    if lost := [name for name in exclude if name not in found]:
        more = f" (and {len(lost) - 1} more)" if len(lost) > 1 else ""
        raise DataError(
            f"{exclude[lost[0]]['place']}: the data have no image called {lost[0]}{more}",
            hint="name an image by its path below the data folder, as tables/excluded.csv does, or by its file name",
        )


def refuse_too_many(exclusions: Iterable[Exclusion], kept: int, limit: float) -> None:
    """Raise if more than the share ``limit`` of the images is dropped, whatever the reason.

    The share is of the images ``kept`` and dropped: what costs no image is in neither.

    Raises
    ------
    DataError
        With the commonest reasons and their counts.
    """
    counted = [e for e in exclusions if kind_of(e.reason) not in UNCOUNTED]
    dropped = len(counted)
    if dropped > limit * (kept + dropped):
        raise DataError(
            f"{dropped} of {kept + dropped} images would be left out, more than the share of {limit:g}"
            f" that the study allows: {_commonest(counted)}",
            hint=_remedy(
                counted,
                "check that the data folder is complete, or raise dataset.max_excluded in the study file",
            ),
        )


def nothing_usable(exclusions: Sequence[Exclusion], found: int) -> DataError:
    """Return the error that none of the images ``found`` can be used."""
    return DataError(
        f"none of the {found} images can be read: {_commonest(exclusions)}",
        hint=_remedy(exclusions, "download the dataset again"),
    )


def _commonest(exclusions: Sequence[Exclusion]) -> str:
    """Return the commonest reasons with their counts, and what the decoder said first."""
    counts = Counter(e.reason for e in exclusions)
    first = next((f"; {e.file}: {e.detail}" for e in exclusions if e.reason == UNDECODABLE), "")
    named = (f"{r} ({n}{first if r == UNDECODABLE else ''})" for r, n in counts.most_common(3))
    return ", ".join(named)


def _remedy(exclusions: Iterable[Exclusion], otherwise: str) -> str:
    return INSTALL_DICOM if any(e.reason == NO_DICOM_READER for e in exclusions) else otherwise
