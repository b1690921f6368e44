"""Images whose labels lie in a table: NIH's ``Data_Entry_2017.csv``, CheXpert, COVIDx, RSNA, or one's own."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from analysis.datasets import reasons, records
from analysis.datasets.copies import drop_masks_beside
from analysis.datasets.folders.files import find_files
from analysis.datasets.folders.layout import masks_folder, official_split
from analysis.datasets.patients import Rule
from analysis.datasets.reader import Reader, Reading
from analysis.datasets.reasons import Exclusion
from analysis.datasets.records import Candidate
from analysis.datasets.tables.labels import Labels, class_ids, list_labels, names
from analysis.datasets.tables.parsing import Table
from analysis.datasets.tables.rows import Entry, make_finder, merge_rows, read_rows, read_table
from analysis.errors import DataError
from analysis.progress import Progress

READER = Reader(
    keys=("table", "columns", "values", "several", "uncertain"),
    needs={"table": '"labels.csv"', "columns": '{ file = "...", label = "..." }'},
    obtained="put the images and the table of labels into one folder",
    sample_params={"layout": "table"},
    sample_keys=("classes", "table", "columns"),
    words="table",
)


@dataclass(frozen=True, kw_only=True)
class Settings(Reading):
    """What the study says of reading, of the tables, and of what their cells mean.

    Parameters
    ----------
    classes : sequence of {"id", "label"}
        A class is called by its label or id in the table, unless ``values`` says otherwise.
    table : str or sequence of str
        Paths of the tables below the data folder, which may be packed with gzip; a file is looked for beside the table
        that names it first. Of several, one whose name says train, val or test is that part of
        the official split, as is a folder above the image; the column ``split`` comes before both.
    columns : mapping
        ``file`` and ``label``, and if there are any ``patient``, ``split``, ``view``, ``age`` (in years, or as DICOM's
        ``018M``), ``sex`` and ``source``: names of columns, or numbers from
        1; with numbers alone the table has no header. Several columns of labels are one for each finding: 1, 0 or
        nothing, and -1 where it is uncertain.
    values : mapping of class id to values
        What a class is called in the table. Upper and lower case and underscores make no difference.
    several : "leave-out" or sequence of class ids
        What an image with several of the classes is: the first of these.
    uncertain : {"leave-out", "positive", "negative"}
        What -1 is.
    max_excluded : float
        Share of the images, and of the rows without one, that may be left out.
    patient_pattern : str, optional
        A regular expression whose one group is the patient, searched in the path of an image; before the column.
    """

    table: str | Sequence[str]
    columns: Mapping[str, Any]
    values: Mapping[str, Sequence[str]]
    several: str | Sequence[str]
    uncertain: str

    @property
    def tables(self) -> Sequence[str]:
        """The paths of the tables."""
        return [self.table] if isinstance(self.table, str) else self.table


def read(
    inputs: Mapping[str, Path], out: Path, *, scratch: Path, progress: Progress, **settings: Any
) -> None:
    """Write the records of the images in ``inputs["data"]`` that a table names, what is left out, and the flow.

    Parameters
    ----------
    settings
        The fields of `Settings`.

    Raises
    ------
    DataError
        A table or column is missing or cannot be read, a row could be about several images, a class has no image, or
        too much would be left out.
    """
    root, how = inputs["data"], Settings(**settings)
    contents = find_files(root)
    reasons.require_listed(contents.images, how.exclude)
    tables = [read_table(root, contents.others, path, how.columns) for path in how.tables]
    labels = Labels(class_ids(how.classes, how.values), how.several, how.uncertain)
    entries, beside = _entries(root, contents.images, tables, how)
    left = {e.file for e in beside}
    candidates, exclusions = _select(
        [p for p in contents.images if p not in left], entries, labels, how.exclude
    )
    _check_classes(how, candidates, entries, labels)
    kept, broken = records.verify(root, candidates, progress, _patients(entries), how.patient_pattern)
    exclusions += [*beside, *broken]
    reasons.refuse_too_many(exclusions, len(kept), how.max_excluded)
    if kept.empty:
        raise reasons.nothing_usable(exclusions, len(exclusions))
    rows = sum(len(table.rows) for table in tables)
    steps = [("rows of the table", rows), ("images found", len(contents.images))]
    records.write(
        out, kept, exclusions, records.first_steps(contents, steps, {table.name for table in tables})
    )


def _entries(
    root: Path, images: Sequence[str], tables: Sequence[Table], how: Settings
) -> tuple[list[Entry], list[Exclusion]]:
    """Return what the tables say of each image, and what no row can mean: masks beside images, and copies of these."""
    shown, masks = drop_masks_beside(root, [image for image in images if not _masks(image)])
    rows = [entry for table in tables for entry in read_rows(table, how.columns, len(tables) > 1)]
    finder, copies = make_finder(root, shown, how.exclude, rows)
    return merge_rows(rows, finder), masks + copies


def _patients(entries: Iterable[Entry]) -> Rule:
    """Return the rule that the patient of an image is the one in the table."""
    of_image = {e.image: e.patient for e in entries if e.patient}
    return lambda image_id, tags: (f"table-{of_image[image_id]}", "table") if image_id in of_image else None


def _masks(image: str) -> str | None:
    return masks_folder(PurePosixPath(image).parts[:-1])


def _judge(entry: Entry, labels: Labels, exclude: reasons.Exclude) -> tuple[str, str]:
    """Return the reason for which an image is left out and a detail, or its class id and "" if it is kept."""
    try:
        found, unsure = labels.of(entry.cells)
    except DataError as error:
        raise DataError(f"{entry.where}: {error.message}", hint=error.hint) from error
    said = "label " + ", ".join(list_labels(entry.cells)) if list_labels(entry.cells) else "no label"
    tag = f"View/{entry.view}"
    checks = (
        reasons.find_exclusion(entry.image or entry.file, exclude) or (None, None),
        (reasons.find_unwanted(tag), f"tag {tag}" if reasons.find_unwanted(tag) else None),
        (reasons.NO_IMAGE_OF_ROW, None if entry.image else entry.where),
        (reasons.CONTRADICTION, f"{entry.where}, and {entry.other}" if entry.other else None),
        (reasons.UNCERTAIN, said if unsure else None),
        (reasons.NO_LABEL, None if found else said),
        (reasons.SEVERAL_LABELS, None if len(found) == 1 else said),
    )
    return next(
        ((reason, detail) for reason, detail in checks if reason and detail), ((found or [""])[0], "")
    )


def _select(
    images: Iterable[str], entries: Iterable[Entry], labels: Labels, exclude: reasons.Exclude
) -> tuple[list[Candidate], list[Exclusion]]:
    """Return the images to use with their class, and what is left out without looking at pixels."""
    candidates, exclusions = [], []
    named = set()
    for entry in entries:
        named.add(entry.image)
        verdict, detail = _judge(entry, labels, exclude)
        if detail:
            exclusions.append(Exclusion(entry.image or entry.file or entry.where, verdict, detail))
        else:
            official = entry.official or official_split(PurePosixPath(entry.image).parts[:-1])
            tags = (*((f"View/{entry.view}",) if entry.view else ()), *entry.about)
            candidates.append(Candidate(entry.image, (verdict,), tags, official=official))
    for image in images:
        if image in named:
            continue
        if found := reasons.find_exclusion(image, exclude):
            exclusions.append(Exclusion(image, *found))
        elif masks := _masks(image):
            exclusions.append(Exclusion(image, reasons.MASK, f"folder {masks}"))
        else:
            exclusions.append(Exclusion(image, reasons.NO_ROW))
    return candidates, exclusions


def _check_classes(
    how: Settings, candidates: Iterable[Candidate], entries: Sequence[Entry], labels: Labels
) -> None:
    found = {label for candidate in candidates for label in candidate.labels}
    for c in how.classes:
        if c["id"] in found:
            continue
        wanted = " or ".join(dict.fromkeys(names(c, how.values)))
        said = Counter(label for entry in entries for label in list_labels(entry.cells))
        there = ", ".join(f"{label} ({count})" for label, count in said.most_common(8))
        placed = sum(bool(e.image) for e in entries)
        raise DataError(
            f"no image of class {c['id']}: of {len(entries)} rows, {placed} with an image, none that can be used"
            f" has the value {wanted} (there are: {there})",
            hint=_to_have(c, entries, labels),
        )


def _to_have(c: Mapping[str, str], entries: Iterable[Entry], labels: Labels) -> str:
    """Return what to do for a class that no image has."""
    if any(c["id"] in labels.of(e.cells)[0] for e in entries if e.image):
        first = json.dumps([c["id"], *(id_ for id_ in dict.fromkeys(labels.ids.values()) if id_ != c["id"])])
        return f"it stands beside other classes: say which comes first, under [dataset]: several = {first}"
    return f'name its values in the study file: [dataset.values] {c["id"]} = ["..."]'
