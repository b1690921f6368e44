"""What every reader hands on: the records of the images kept, what was left out and why, and the flow."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.datasets import patients
from analysis.datasets.folders.files import Contents
from analysis.datasets.images.decode import DecodedImage, decode, read_image
from analysis.datasets.images.depth import eight_bits, fewest_bits, write_depth
from analysis.datasets.reasons import (
    BLANK,
    REASONS,
    UNDECODABLE,
    Exclusion,
    NoImageError,
    find_unwanted,
    kind_of,
)
from analysis.errors import DataError, ImageError
from analysis.image_files import digest, escape_name
from analysis.progress import Progress

DECODERS = 2  # threads; decoding runs outside Python's lock

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
    """An image with its class ids (one row of the records for each), not yet decoded.

    ``official`` is the part of the dataset's own split that it is in (train, val or test), empty where there is none.
    """

    image_id: str
    labels: tuple[str, ...]
    tags: tuple[str, ...] = ()
    original_width: int | None = None
    original_height: int | None = None
    official: str = ""


@dataclass(frozen=True)
class _Seen:
    """An image that decodes: its labels, the rest of its record, and of which levels it is where that is not settled."""

    labels: tuple[str, ...]
    row: dict[str, object]
    stored_range: tuple[int, int] | None

    def settled(self, depth: int | None) -> list[dict[str, object]] | Exclusion:
        """Return the rows of the records, ``depth`` being that of the dataset's images whose files tell none."""
        if self.stored_range and depth:
            lowest, highest = eight_bits(np.array(self.stored_range), 2**depth - 1)
            if lowest == highest:
                return Exclusion(str(self.row["image_id"]), BLANK, f"level {lowest} of 255")
        return [{**self.row, "label": label} for label in self.labels]


def verify(
    root: Path,
    candidates: Sequence[Candidate],
    progress: Progress,
    patient_of: patients.Rule = patients.no_patient,
    patient_pattern: str = "",
) -> tuple[pd.DataFrame, list[Exclusion]]:
    """Return the records of the candidates that decode, sorted by the bytes of ``image_id``, and the others.

    Every image is read to its end, so that one that is cut short is found here. The depth of all 16-bit images whose
    files tell none is that of the highest level among them; the table has it as its attribute ``depth``.

    Raises
    ------
    DataError
        ``patient_pattern`` fits the path of no candidate.
    """
    rule = patients.by_pattern(patient_pattern, patient_of)
    ordered = sorted(candidates, key=lambda c: os.fsencode(c.image_id))
    _check_pattern(patient_pattern, ordered)
    found = []
    with ThreadPoolExecutor(DECODERS) as pool:
        for done, one in enumerate(pool.map(lambda c: _inspect(root, c, rule), ordered), start=1):
            found.append(one)
            progress(done, len(ordered), "images")
    highest = [one.stored_range[1] for one in found if isinstance(one, _Seen) and one.stored_range]
    depth = fewest_bits(max(highest)) if highest else None
    settled = [one.settled(depth) if isinstance(one, _Seen) else one for one in found]
    broken = [one for one in settled if isinstance(one, Exclusion)]
    rows = [row for one in settled if not isinstance(one, Exclusion) for row in one]
    sizes = ("width", "height", "original_width", "original_height")
    table = pd.DataFrame(rows, columns=list(RECORD_COLUMNS)).astype(dict.fromkeys(sizes, "Int64"))
    table.attrs["depth"] = depth
    return table, broken


def _check_pattern(pattern: str, candidates: Sequence[Candidate]) -> None:
    if pattern and candidates and not any(re.search(pattern, c.image_id) for c in candidates):
        raise DataError(
            f"dataset.patient_pattern {pattern!r} is found in no path of {len(candidates)} images,"
            f" such as {candidates[0].image_id}",
            hint="its one group is the patient: patient_pattern = '(patient\\d+)/'",
        )


def _inspect(root: Path, candidate: Candidate, patient_of: patients.Rule) -> _Seen | Exclusion:
    name = candidate.image_id
    try:
        data = read_image(root / name)
        image = decode(data, at_least=1)
    except NoImageError as error:
        return Exclusion(name, error.reason, error.hint)
    except ImageError as error:
        return Exclusion(name, UNDECODABLE, error.message)
    except OSError as error:
        return Exclusion(name, UNDECODABLE, f"cannot be read: {error.strerror}")
    for tag in image.tags:
        if reason := find_unwanted(tag):
            return Exclusion(name, reason, f"tag {tag}")
    if _is_blank(image) and _is_blank(decode(data)):
        return Exclusion(name, BLANK, f"level {image.pixels[0, 0]} of 255")
    tags = tuple(dict.fromkeys((*candidate.tags, *image.tags)))
    of_file = (f"dicom-{image.patient}", "dicom") if image.patient else None
    patient_id, source = patient_of(name, tags) or of_file or patients.stand_in(name)
    row: dict[str, object] = {
        "image_id": name,
        "patient_id": patient_id,
        "source": source,
        "width": image.width,
        "height": image.height,
        "mode": image.mode,
        "original_width": candidate.original_width,
        "original_height": candidate.original_height,
        "sha256": digest(data),
        "tags": "|".join(tags),
        "official": candidate.official,
    }
    return _Seen(candidate.labels, row, image.stored_range)


def _is_blank(image: DecodedImage) -> bool:
    lowest, highest = image.stored_range or (image.pixels.min(), image.pixels.max())
    return bool(lowest == highest)


def join_patients(records: pd.DataFrame) -> pd.DataFrame:
    """Return ``records`` with the patient of an equal file in place of one that is not known (``source`` is "unknown").

    That is the known patient of an equal file if there is one, else the first of the equal files stands for both.
    What tells a patient is never overruled: two known patients with an equal file stay two.
    """
    unknown = records["source"] == "unknown"
    known_first = records.loc[unknown.sort_values(kind="stable").index]
    of_file = known_first.groupby("sha256")["patient_id"].first()
    joined = records["sha256"].map(of_file)
    return records.assign(patient_id=records["patient_id"].where(~unknown, joined))


def first_steps(
    contents: Contents, found: Iterable[tuple[str, int]], used: Container[str] = ()
) -> list[tuple[str, int, str]]:
    """Return the first steps of the flow, step, count and kind: all files, those that are nothing to the reader, and ``found``.

    ``used`` are the files beside the images that ``found`` counts, such as annotations.
    """
    beside = [(what, len(names), "beside") for what, names in contents.beside(used)]
    return [("files found", contents.number, "found"), *beside, *((*step, "found") for step in found)]


def write(
    out: Path,
    records: pd.DataFrame,
    exclusions: Iterable[Exclusion],
    steps: Iterable[tuple[str, int, str]],
) -> None:
    """Write ``records.csv``, ``excluded.csv`` and ``flow.csv``, whose ``steps`` come first.

    ``depth.json`` has the bits of the 16-bit images whose files tell no depth, if there are any. Names of files are
    written as `analysis.image_files.escape_name` writes them.
    """
    records = join_patients(records)
    ordered = sorted(exclusions, key=lambda e: (os.fsencode(e.file), REASONS.index(kind_of(e.reason))))
    _save(out / "records.csv", records, ("image_id", "patient_id"))
    excluded = pd.DataFrame(ordered, columns=["file", "reason", "detail"])
    _save(out / "excluded.csv", excluded, ("file", "detail"))
    flow = [*steps, *_flow(records, ordered)]
    _save(out / "flow.csv", pd.DataFrame(flow, columns=["step", "count", "kind"]), ("step",))
    if depth := records.attrs["depth"]:  # lost on the way, the levels would be wrong without a word
        write_depth(out, depth)


def _flow(records: pd.DataFrame, exclusions: Iterable[Exclusion]) -> Iterator[tuple[str, int, str]]:
    counts = Counter(e.reason for e in exclusions)
    for reason in sorted(counts, key=lambda reason: (REASONS.index(kind_of(reason)), reason)):
        yield reason, counts[reason], "excluded"
    images = int(records["image_id"].nunique())
    yield "images kept", images, "kept"
    if len(records) != images:
        yield "rows kept, one for each class label", len(records), "kept"


def _save(path: Path, table: pd.DataFrame, names: Iterable[str]) -> None:
    """Write a table; ``names`` are the columns that have names of files."""
    text = table.assign(**{column: table[column].map(escape_name) for column in names})
    text.to_csv(path, index=False, lineterminator="\n")
