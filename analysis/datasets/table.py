"""Images whose labels lie in a table: NIH's ``Data_Entry_2017.csv``, CheXpert, COVIDx, RSNA, or one's own."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from analysis.datasets import records
from analysis.datasets.copies import without_copies, without_masks_beside
from analysis.datasets.folders.files import find_files
from analysis.datasets.folders.layout import masks_folder, official_split
from analysis.datasets.patients import Told, told
from analysis.datasets.records import Candidate, Exclusion
from analysis.datasets.tables import parsing
from analysis.datasets.tables.images import ImageFinder, alike, as_path
from analysis.datasets.tables.labels import Cells, Labels, class_ids, names, plain, shown
from analysis.datasets.tables.parsing import Column, Row, Table
from analysis.errors import DataError
from analysis.progress import Progress


def read(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    classes: Sequence[Mapping[str, str]],
    table: str | Sequence[str],
    columns: Mapping[str, Any],
    values: Mapping[str, Sequence[str]],
    several: str | Sequence[str],
    uncertain: str,
    exclude: Sequence[str],
    max_excluded: float,
    patient_pattern: str = "",
) -> None:
    """Write the records of the images in ``inputs["data"]`` that a table names, what is left out, and the flow.

    Parameters
    ----------
    classes : sequence of {"id", "label"}
        A class is called by its label or id in the table, unless ``values`` says otherwise.
    table : str or sequence of str
        Paths of the tables below the data folder, which may be packed with gzip; a file is looked for beside the table
        that names it first. Of several, one whose name says train, val or test is that part of
        the official split, as is a folder above the image; the column ``split`` comes before both.
    columns : mapping
        ``file`` and ``label``, and if there are any ``patient``, ``split`` and ``view``: names of columns, or numbers from
        1; with numbers alone the table has no header. Several columns of labels are one for each finding: 1, 0 or
        nothing, and -1 where it is uncertain.
    values : mapping of class id to values
        What a class is called in the table. Upper and lower case and underscores make no difference.
    several : "leave-out" or sequence of class ids
        What an image with several of the classes is: the first of these.
    uncertain : {"leave-out", "positive", "negative"}
        What -1 is.
    exclude : sequence of str
        Glob patterns for the path, the name or the stem of an image.
    max_excluded : float
        Share of the images, and of the rows without one, that may be left out.
    patient_pattern : str, optional
        A regular expression whose one group is the patient, searched in the path of an image; before the column.

    Raises
    ------
    DataError
        A table or column is missing or cannot be read, a row could be about several images, a class has no image, or
        too much would be left out.
    """
    root = inputs["data"]
    contents = find_files(root)
    images = contents.images
    paths = [table] if isinstance(table, str) else table
    tables = [_table(root, contents.others, path, columns) for path in paths]
    labels = Labels(class_ids(classes, values), several, uncertain)
    shown, masks = without_masks_beside(root, [p for p in images if not _masks(p)])
    rows = [entry for one in tables for entry in _rows(one, columns, len(tables) > 1)]
    index, copies = _index(root, shown, exclude, rows)
    entries = _entries(rows, index)
    beside = {e.file for e in masks + copies}
    candidates, exclusions = _select([p for p in images if p not in beside], entries, labels, exclude)
    exclusions += masks + copies
    _check_classes(classes, values, candidates, entries, labels)
    of_patient = {e.image: e.patient for e in entries if e.patient}

    def patient_of(image_id: str, tags: Iterable[str]) -> Told | None:
        return (f"table-{of_patient[image_id]}", "table") if image_id in of_patient else None

    kept, broken = records.verify(root, candidates, progress, patient_of, patient_pattern)
    exclusions += broken
    records.refuse_too_many(exclusions, len(kept), max_excluded)
    if kept.empty:
        raise records.none_left(exclusions, len(exclusions))
    counts = [("rows of the table", sum(len(t.rows) for t in tables)), ("pictures found", len(images))]
    records.write(out, kept, exclusions, records.way(contents, counts, {t.name for t in tables}))


def _masks(image: str) -> str | None:
    return masks_folder(PurePosixPath(image).parts[:-1])


def _table(root: Path, files: Sequence[str], name: str, columns: Mapping[str, Any]) -> Table:
    return parsing.read(root, parsing.locate(files, name), header=has_header(columns))


def has_header(columns: Mapping[str, Any]) -> bool:
    """Tell whether a table has a header: it has none where all columns are given by their numbers."""
    return any(isinstance(c, str) for given in columns.values() for c in _listed(given))


def _listed(column: Any) -> Sequence[Column]:
    if column is None:
        return ()
    return [column] if isinstance(column, str | int) else column


@dataclass(frozen=True)
class Entry:
    """What the rows about one image say; ``image`` is empty where there is none, ``other`` a row that contradicts."""

    file: str
    image: str
    where: str
    cells: Cells
    patient: str
    official: str
    view: str
    table: str
    other: str = ""

    @property
    def said(self) -> tuple[object, ...]:
        """What another row about the same image has to say too."""
        return [plain(cell) for cell in self.cells.values()], self.patient, self.official, self.view


def _index(
    root: Path, images: Sequence[str], exclude: Sequence[str], rows: Iterable[Entry]
) -> tuple[ImageFinder, list[Exclusion]]:
    """Return where images are found by their names; of those of one name without the copies of others, and these."""
    index = ImageFinder(images, exclude)
    found = (index.find(row.file, row.table) for row in rows if row.file)
    several = {image for same in found if len(same) > 1 for image in same}
    _, copies = without_copies(root, [Candidate(image, ("",)) for image in sorted(several)])
    again = {e.file for e in copies}
    return (ImageFinder([p for p in images if p not in again], exclude) if again else index), copies


def _entries(rows: Sequence[Entry], images: ImageFinder) -> list[Entry]:
    """Return what the rows say of each image, in the order in which it is first named."""
    often = Counter(alike(as_path(file).name) for file in {row.file for row in rows})
    found: dict[tuple[str, str], Entry] = {}
    for row in rows:
        entry = _placed(row, images, often)
        about = (entry.image, "") if entry.image else ("", entry.file or entry.where)
        first = found.setdefault(about, entry)
        if first.said != entry.said and not first.other:
            found[about] = replace(first, other=entry.where)
    return list(found.values())


def _placed(row: Entry, images: ImageFinder, often: Mapping[str, int]) -> Entry:
    """Return the row with its image. Where folders differ, a name that other rows have too is not enough."""
    same = images.find(row.file, row.table) if row.file else []
    if len(same) > 1:
        raise DataError(
            f"{row.where}: {row.file!r} could be any of {len(same)} images, {same[0]} or {same[1]}",
            hint="name files with their folders in the table, or leave some out in the study file: dataset.exclude",
        )
    if same and (often[alike(as_path(row.file).name)] == 1 or images.is_certain(same[0], row.file)):
        return replace(row, image=same[0])
    return row


def _rows(table: Table, columns: Mapping[str, Any], of_several: bool) -> Iterator[Entry]:
    places = {
        key: table.place(columns[key]) for key in ("file", "patient", "split", "view") if columns.get(key)
    }
    labels = {str(column): table.place(column) for column in _listed(columns["label"])}
    part = official_split(re.split(r"[\W_]+", PurePosixPath(table.name).stem)) if of_several else ""

    def cell(row: Row, key: str) -> str:
        return _at(row, places[key]) if key in places else ""

    for row in table.rows:
        split = cell(row, "split")
        official = official_split([split])
        if split and not official:
            raise DataError(
                f"{row.where}: {split!r} in the column {columns['split']} is none of train, val, test",
                hint="leave dataset.columns.split out of the study file, or mend the table",
            )
        yield Entry(
            cell(row, "file"),
            "",
            row.where,
            {name: _at(row, place) for name, place in labels.items()},
            told(cell(row, "patient")),
            official or part,
            cell(row, "view"),
            table.name,
        )


def _at(row: Row, place: int) -> str:
    return row.cells[place] if place < len(row.cells) else ""


def _judge(entry: Entry, labels: Labels, exclude: Sequence[str]) -> tuple[str, str]:
    """Return the reason for which an image is left out and a detail, or its class id and "" if it is kept."""
    try:
        found, unsure = labels.of(entry.cells)
    except DataError as error:
        raise DataError(f"{entry.where}: {error.message}", hint=error.hint) from error
    said = "label " + ", ".join(shown(entry.cells)) if shown(entry.cells) else "no label"
    tag = f"View/{entry.view}"
    checks = (
        (records.BY_STUDY, records.matches(entry.image or entry.file, exclude)),
        (records.unwanted(tag), f"tag {tag}" if records.unwanted(tag) else None),
        (records.NO_IMAGE_OF_ROW, None if entry.image else entry.where),
        (records.CONTRADICTION, f"{entry.where}, and {entry.other}" if entry.other else None),
        (records.UNCERTAIN, said if unsure else None),
        (records.NO_LABEL, None if found else said),
        (records.SEVERAL_LABELS, None if len(found) == 1 else said),
    )
    return next(
        ((reason, detail) for reason, detail in checks if reason and detail), ((found or [""])[0], "")
    )


def _select(
    images: Iterable[str], entries: Iterable[Entry], labels: Labels, exclude: Sequence[str]
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
            tags = (f"View/{entry.view}",) if entry.view else ()
            candidates.append(Candidate(entry.image, (verdict,), tags, official=official))
    for image in images:
        if image in named:
            continue
        if pattern := records.matches(image, exclude):
            exclusions.append(Exclusion(image, records.BY_STUDY, pattern))
        elif masks := _masks(image):
            exclusions.append(Exclusion(image, records.MASK, f"folder {masks}"))
        else:
            exclusions.append(Exclusion(image, records.NO_ROW))
    return candidates, exclusions


def _check_classes(
    classes: Sequence[Mapping[str, str]],
    values: Mapping[str, Sequence[str]],
    candidates: Iterable[Candidate],
    entries: Sequence[Entry],
    labels: Labels,
) -> None:
    found = {label for candidate in candidates for label in candidate.labels}
    for c in classes:
        if c["id"] in found:
            continue
        wanted = " or ".join(dict.fromkeys(names(c, values)))
        said = Counter(label for entry in entries for label in shown(entry.cells))
        there = ", ".join(f"{label} ({count})" for label, count in said.most_common(8))
        placed = sum(bool(e.image) for e in entries)
        raise DataError(
            f"no image of class {c['id']}: of {len(entries)} rows, {placed} with an image, none that can be used"
            f" has the value {wanted} (there are: {there})",
            hint=_to_have(c, values, entries, labels),
        )


def _to_have(
    c: Mapping[str, str], values: Mapping[str, Sequence[str]], entries: Iterable[Entry], labels: Labels
) -> str:
    """Return what to do for a class that no image has."""
    if any(c["id"] in labels.of(e.cells)[0] for e in entries if e.image):
        first = json.dumps([c["id"], *(id_ for id_ in dict.fromkeys(labels.ids.values()) if id_ != c["id"])])
        return f"it stands beside other classes: say which comes first, under [dataset]: several = {first}"
    return f'name its values in the study file: [dataset.values] {c["id"]} = ["..."]'
