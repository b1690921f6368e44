"""What every reader hands on: the records of the pictures kept, what was left out and why, and the flow."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from unicodedata import normalize

import pandas as pd

from analysis.datasets.decode import SIGNS, decode
from analysis.datasets.folder import Contents
from analysis.datasets.patients import identify
from analysis.errors import DataError, PictureError
from analysis.names import written
from analysis.progress import Progress

DECODERS = 2  # threads; decoding runs outside Python's lock

INVALID = "annotation is not valid JSON"
BY_STUDY = "excluded by the study"
MASK = "mask, not a picture"
CT = "CT slice"
LATERAL = "lateral view"
NO_PICTURE = "no picture for the annotation"
SECOND_ANNOTATION = "second annotation of the picture"
NO_LABEL = "no class label"
SEVERAL_LABELS = "several class labels"
NOT_PICTURES = tuple(what for _, _, what in SIGNS)
UNDECODABLE = "picture does not decode"
NO_ANNOTATION = "no annotation for the picture"
SAME_NAME = "same name as another picture"
OTHER_DATASET = "of another dataset in the folder"
COPY = "copy of a picture elsewhere in the folder"
# The order in which a file is judged, and of the rows of flow.csv: the first reason that fits is the one given.
REASONS = (
    INVALID,
    BY_STUDY,
    MASK,
    CT,
    LATERAL,
    NO_PICTURE,
    SECOND_ANNOTATION,
    OTHER_DATASET,
    NO_LABEL,
    SEVERAL_LABELS,
    *NOT_PICTURES,
    UNDECODABLE,
    NO_ANNOTATION,
    SAME_NAME,
    COPY,
)
UNCOUNTED = frozenset((BY_STUDY, MASK, SECOND_ANNOTATION, NO_ANNOTATION, SAME_NAME, COPY))

RECORD_COLUMNS = (
    "image_id",
    "label",
    "patient_id",
    "source",
    "width",
    "height",
    "mode",
    "original_width",
    "original_height",
    "sha256",
    "tags",
    "official",
)


@dataclass(frozen=True)
class Candidate:
    """A picture with its class ids (one row of the records for each), not yet decoded.

    ``official`` is the part of the dataset's own split that it is in (train, val or test), empty where there is none.
    """

    image_id: str
    labels: tuple[str, ...]
    tags: tuple[str, ...] = ()
    original_width: int | None = None
    original_height: int | None = None
    official: str = ""


@dataclass(frozen=True)
class Exclusion:
    """A file that is left out, and why."""

    file: str
    reason: str
    detail: str = ""


def matches(name: str, patterns: Iterable[str]) -> str | None:
    """Return the first of the glob ``patterns`` that fits the path, the file name or its stem; None if none does.

    Names are compared as they stand in the tables, and composed (NFC): macOS writes letters and accents apart.
    """
    path = PurePosixPath(normalize("NFC", written(name)))
    names = (str(path), path.name, path.stem)
    return next((p for p in patterns if any(fnmatchcase(n, normalize("NFC", p)) for n in names)), None)


def verify(
    root: Path, candidates: Sequence[Candidate], progress: Progress
) -> tuple[pd.DataFrame, list[Exclusion]]:
    """Return the records of the candidates that decode, sorted by the bytes of ``image_id``, and the others.

    Every picture is read to its end, so that one that is cut short is found here.
    """
    ordered = sorted(candidates, key=lambda c: os.fsencode(c.image_id))
    rows: list[dict[str, object]] = []
    broken = []
    with ThreadPoolExecutor(DECODERS) as pool:
        for done, found in enumerate(pool.map(lambda c: _inspect(root, c), ordered), start=1):
            if isinstance(found, Exclusion):
                broken.append(found)
            else:
                rows += found
            progress(done, len(ordered), "pictures")
    sizes = ("width", "height", "original_width", "original_height")
    return pd.DataFrame(rows, columns=list(RECORD_COLUMNS)).astype(dict.fromkeys(sizes, "Int64")), broken


def _inspect(root: Path, candidate: Candidate) -> list[dict[str, object]] | Exclusion:
    try:
        data = (root / candidate.image_id).read_bytes()
        picture = decode(data, at_least=1)
    except PictureError as error:
        if error.message in NOT_PICTURES:
            return Exclusion(candidate.image_id, error.message)
        return Exclusion(candidate.image_id, UNDECODABLE, error.message)
    except OSError as error:
        return Exclusion(candidate.image_id, UNDECODABLE, f"cannot be read: {error.strerror}")
    patient_id, source = identify(candidate.image_id, candidate.tags)
    row: dict[str, object] = {
        "image_id": candidate.image_id,
        "patient_id": patient_id,
        "source": source,
        "width": picture.width,
        "height": picture.height,
        "mode": picture.mode,
        "original_width": candidate.original_width,
        "original_height": candidate.original_height,
        "sha256": hashlib.sha256(data).hexdigest(),
        "tags": "|".join(candidate.tags),
        "official": candidate.official,
    }
    return [{**row, "label": label} for label in candidate.labels]


def way(
    contents: Contents, found: Iterable[tuple[str, int]], used: Container[str] = ()
) -> list[tuple[str, int, str]]:
    """Return the first steps of the flow, step, count and kind: all files, those that are nothing to the reader, and ``found``.

    ``used`` are the files beside the pictures that ``found`` counts, such as annotations.
    """
    beside = [(what, len(names), "beside") for what, names in contents.beside(used)]
    return [("files found", contents.number, "found"), *beside, *((*step, "found") for step in found)]


def write(
    out: Path,
    records: pd.DataFrame,
    exclusions: Iterable[Exclusion],
    begun: Iterable[tuple[str, int, str]],
) -> None:
    """Write ``records.csv``, ``excluded.csv`` and ``flow.csv``, whose first steps are ``begun``.

    Names of files are written as `analysis.names.written` writes them.
    """
    ordered = sorted(exclusions, key=lambda e: (os.fsencode(e.file), REASONS.index(e.reason)))
    _save(out / "records.csv", records, ("image_id", "patient_id"))
    excluded = pd.DataFrame(ordered, columns=["file", "reason", "detail"])
    _save(out / "excluded.csv", excluded, ("file", "detail"))
    flow = [*begun, *_flow(records, ordered)]
    _save(out / "flow.csv", pd.DataFrame(flow, columns=["step", "count", "kind"]), ("step",))


def _flow(records: pd.DataFrame, exclusions: Iterable[Exclusion]) -> Iterator[tuple[str, int, str]]:
    counts = Counter(e.reason for e in exclusions)
    for reason in REASONS:
        if counts[reason]:
            yield reason, counts[reason], "excluded"
    pictures = int(records["image_id"].nunique())
    yield "pictures kept", pictures, "kept"
    if len(records) != pictures:
        yield "rows kept, one for each class label", len(records), "kept"


def _save(path: Path, table: pd.DataFrame, names: Iterable[str]) -> None:
    """Write a table; ``names`` are the columns that have names of files."""
    text = table.assign(**{column: table[column].map(written) for column in names})
    text.to_csv(path, index=False, lineterminator="\n")


def refuse_too_many(
    exclusions: Iterable[Exclusion], found: int, limit: float, what: str = "annotated pictures"
) -> None:
    """Raise if more than ``limit`` of the pictures ``found`` are left out for other reasons than the study's own.

    Raises
    ------
    DataError
        With the commonest reasons and their counts.
    """
    counts = Counter(e.reason for e in exclusions if e.reason not in UNCOUNTED)
    left_out = sum(counts.values())
    if left_out > limit * found:
        reasons = ", ".join(f"{reason} ({count})" for reason, count in counts.most_common(3))
        raise DataError(
            f"{left_out} of {found} {what} would be left out, more than the share of {limit:g}"
            f" that the study allows: {reasons}",
            hint="check that the data folder is complete, or raise dataset.max_excluded in the study file",
        )
