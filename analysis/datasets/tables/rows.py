"""What the rows of tables say of each image."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from analysis.datasets import reasons
from analysis.datasets.copies import drop_copies
from analysis.datasets.folders.layout import official_split
from analysis.datasets.patients import known_id
from analysis.datasets.reasons import Exclusion
from analysis.datasets.records import Candidate
from analysis.datasets.tables import parsing
from analysis.datasets.tables.images import ImageFinder, as_path, normalise
from analysis.datasets.tables.labels import Cells, plain
from analysis.datasets.tables.parsing import Column, Row, Table
from analysis.errors import DataError

ABOUT = {"age": "Age:", "sex": "Sex/", "source": "Source/"}
"""How a tag of each of these columns begins, as in V7's dataset."""


def read_table(root: Path, files: Sequence[str], name: str, columns: Mapping[str, Any]) -> Table:
    """Return the table that a study calls ``name``, one of the ``files`` below ``root``."""
    return parsing.read(root, parsing.locate(files, name), header=_has_header(columns))


def _has_header(columns: Mapping[str, Any]) -> bool:
    """Tell whether a table has a header: it has none where all columns are given by their numbers."""
    return any(isinstance(c, str) for given in columns.values() for c in _listed(given))


def _listed(column: Any) -> Sequence[Column]:
    if column is None:
        return ()
    return [column] if isinstance(column, str | int) else column


@dataclass(frozen=True)
class Entry:
    """What the rows about one image say; ``image`` is empty where there is none, ``other`` a row that contradicts.

    ``about`` are tags of the age, sex and source of an image, of the first row that is about it.
    """

    file: str
    image: str
    where: str
    cells: Cells
    patient: str
    official: str
    view: str
    table: str
    about: tuple[str, ...] = ()
    other: str = ""

    @property
    def said(self) -> tuple[object, ...]:
        """What another row about the same image has to say too."""
        return [plain(cell) for cell in self.cells.values()], self.patient, self.official, self.view


def make_finder(
    root: Path, images: Sequence[str], exclude: reasons.Exclude, rows: Iterable[Entry]
) -> tuple[ImageFinder, list[Exclusion]]:
    """Return where images are found by their names; of those of one name without the copies of others, and these."""
    index = ImageFinder(images, exclude)
    found = (index.find(row.file, row.table) for row in rows if row.file)
    several = {image for same in found if len(same) > 1 for image in same}
    _, copies = drop_copies(root, [Candidate(image, ("",)) for image in sorted(several)])
    again = {e.file for e in copies}
    return (ImageFinder([p for p in images if p not in again], exclude) if again else index), copies


def merge_rows(rows: Sequence[Entry], images: ImageFinder) -> list[Entry]:
    """Return what the rows say of each image, in the order in which it is first named."""
    often = Counter(normalise(as_path(file).name) for file in {row.file for row in rows})
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
    if same and (often[normalise(as_path(row.file).name)] == 1 or images.is_certain(same[0], row.file)):
        return replace(row, image=same[0])
    return row


def read_rows(table: Table, columns: Mapping[str, Any], of_several: bool) -> Iterator[Entry]:
    """Yield what each row of a table says; one ``of_several`` is of the part of the split that its name says."""
    places = {
        key: table.place(columns[key])
        for key in ("file", "patient", "split", "view", *ABOUT)
        if columns.get(key)
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
            known_id(cell(row, "patient")),
            official or part,
            cell(row, "view"),
            table.name,
            tuple(tag + said for key, tag in ABOUT.items() if (said := _in_tag(cell(row, key), key))),
        )


def _in_tag(cell: str, key: str) -> str:
    """Return a cell as part of a tag: bars stand between tags, and a sex is F or M, or begins so."""
    said = " ".join(cell.replace("|", " ").split())
    return said.upper() if key == "sex" else said


def _at(row: Row, place: int) -> str:
    return row.cells[place] if place < len(row.cells) else ""
