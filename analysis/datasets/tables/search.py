"""Tables of labels in a data folder: which columns name images and which their classes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from analysis.datasets.folders.files import Contents
from analysis.datasets.folders.findings import share_of_findings
from analysis.datasets.folders.layout import masks_folder, official_split
from analysis.datasets.tables import parsing
from analysis.datasets.tables.images import ImageFinder
from analysis.datasets.tables.labels import NO, UNSURE, YES, parts, plain
from analysis.datasets.tables.parsing import Table
from analysis.errors import DataError

SHOULD_NAME = 0.5
"""Share of the images, or of the rows, that a column of images tells of."""
LOOKED_AT = 500
MOST_CLASSES = 30
LABEL = re.compile(
    r"label|class|klass|clase|finding|befund|hallazgo|diagn.s|target|[ck]ategor|condition|disease|patholog|eti(k|qu)et"
)
FILE = re.compile(r"file|image|path|name|picture|bild|datei|imagen|archivo|fichier|id\b")
INDEX = re.compile(r"|unnamed: 0|index|idx|#|n[or]?\.?|row|number|nummer")
OTHER = re.compile(
    r"sex|gender|geschlecht|sexo|sexe|age|alter|edad|date|datum|fecha|hospital|site|source|\w*[ -]?u?id"
)
"""What a column is called that has no labels."""
OF_MODEL = re.compile(r"submission|predict")
"""What a table is called whose labels are those that a model gave, or that stand for these."""
NUMBER = re.compile(r"-?\d[\d.,]+")
PATIENT = re.compile(r"(patient|subject|person)[ -]*(id|index|no|number|nr|code)?|pid")
SPLIT = re.compile(r"split|set|subset|part|partition|fold|data ?set|data split")
VIEW = re.compile(r"view([ -]*position)?|projection|frontal/lateral")
AGE = re.compile(r"(patient )?age( \(?years\)?)?")
SEX = re.compile(r"(patient )?(sex|gender)")


@dataclass(frozen=True)
class LabelTable:
    """Tables with labels of images, of which columns, what they say, and of which images."""

    tables: tuple[str, ...]
    columns: dict[str, Any]
    classes: tuple[str, ...]
    images: frozenset[str]

    @property
    def why(self) -> str:
        """What there is, in words."""
        label = self.columns["label"]
        labels = (
            f"column {label!r}"
            if isinstance(label, str | int)
            else f"{len(label)} columns, one for each finding"
        )
        names = " and ".join(self.tables)
        return f"{names} has labels of {len(self.images)} images: {labels}, files in the column {self.columns['file']!r}"

    def with_more(self, other: LabelTable) -> LabelTable:
        """Return what these tables and others of the same columns say."""
        classes = {plain(c): c for c in (*self.classes, *other.classes)}
        every = (self.tables + other.tables, self.columns, tuple(sorted(classes.values())))
        return LabelTable(*every, self.images | other.images)


def find(root: Path, contents: Contents) -> list[LabelTable]:
    """Return the tables among the files below ``root`` that have labels of images, those that tell of most first.

    Tables with the same columns are one: the training and the test set of a dataset.
    """
    names = [
        name
        for name in contents.others
        if name.lower().endswith(parsing.SUFFIXES) and not OF_MODEL.search(PurePosixPath(name).name.lower())
    ]
    images = [p for p in contents.images if not masks_folder(PurePosixPath(p).parts[:-1])]
    if not names or not images:
        return []
    index = ImageFinder(images)
    found: list[LabelTable] = []
    for name in names:
        with suppress(DataError):  # a text that is no table
            one = _labelled(parsing.read(root, name, header=False), index, len(images))
            found += [one] if one else []
    return sorted(_joined(found), key=lambda one: (-len(one.images), -share_of_findings(one.classes)))


def _joined(found: Iterable[LabelTable]) -> list[LabelTable]:
    """Return the tables, those of the same columns as one unless most of their images are the same."""
    joined: list[LabelTable] = []
    for one in found:
        for i, other in enumerate(joined):
            fewer = min(len(one.images), len(other.images))
            if one.columns == other.columns and 2 * len(one.images & other.images) <= fewer:
                joined[i] = other.with_more(one)
                break
        else:
            joined.append(one)
    return joined


def _labelled(table: Table, index: ImageFinder, images: int) -> LabelTable | None:
    """Return what a table that was read without a header tells of images; None if nothing."""
    rows = [row.cells for row in table.rows]

    def find(cell: str) -> list[str]:
        return index.find(cell, table.name) if cell else []

    file = _file_column(rows, find)
    if file is None:
        return None
    headless = bool(find(_cell(rows[0], file)))
    body = rows if headless else rows[1:]
    named = {p for row in body for p in find(_cell(row, file))}
    if len(named) < SHOULD_NAME * min(images, len(body)):
        return None
    wide = max(map(len, rows))
    titles = [""] * wide if headless else [*rows[0], *[""] * (wide - len(rows[0]))]
    columns = {i: [_cell(row, i) for row in body] for i in range(wide) if i != file}
    labels = _label_columns(titles, columns)
    if not labels:
        return None
    roles = _roles(titles, columns, file, labels)
    one = len(labels) == 1
    classes = _values(columns[labels[0]]) if one else [str(column) for column in roles["label"]]
    return LabelTable((table.name,), roles, tuple(sorted(classes)), frozenset(named))


def _roles(
    titles: Sequence[str], columns: dict[int, list[str]], file: int, labels: Sequence[int]
) -> dict[str, Any]:
    """Return the columns by what they have: each by its name, or by its number where another has the same."""

    def column(place: int) -> str | int:
        once = titles.count(titles[place]) == 1 and titles[place]
        return titles[place] if once else place + 1

    places = {
        "file": file,
        "patient": _named(titles, columns, PATIENT, labels),
        "view": _named(titles, columns, VIEW, labels),
        "age": _named(titles, columns, AGE, labels),
        "sex": _named(titles, columns, SEX, labels),
        "split": _split(titles, columns),
    }
    roles: dict[str, Any] = {key: column(place) for key, place in places.items() if place is not None}
    return {**roles, "label": column(labels[0]) if len(labels) == 1 else [column(place) for place in labels]}


def _cell(row: Sequence[str], place: int) -> str:
    return row[place] if place < len(row) else ""


def _file_column(rows: Sequence[Sequence[str]], find: Callable[[str], list[str]]) -> int | None:
    """Return the column whose cells name most images, looking at some rows of the whole table.

    Where images are called by numbers, those of the rows may be names of images too: by its title such a column is
    none if another one has half as many.
    """
    some = rows[:: max(1, len(rows) // LOOKED_AT)]
    named = {(i, p) for row in some for i, cell in enumerate(row) for p in find(cell)}
    hits = Counter(i for i, _ in named)
    likely = [i for i, count in hits.items() if 2 * count >= max(hits.values())]
    title = [plain(cell) for cell in rows[0]] + [""] * max(map(len, rows))

    def rank(i: int) -> tuple[object, ...]:
        return bool(INDEX.fullmatch(title[i])), -hits[i], not FILE.search(title[i]), i

    return min(likely, key=rank) if likely else None


def _label_columns(titles: Sequence[str], columns: dict[int, list[str]]) -> list[int]:
    """Return the column with labels; or those of the findings, each with 1 and 0; or none."""
    few = [i for i, cells in columns.items() if 2 <= len(_values(cells)) <= MOST_CLASSES]
    findings = [i for i, cells in columns.items() if _is_finding(cells) and titles[i]]
    each = [i for i in findings if len(findings) > 1 and share_of_findings([titles[i]])]
    by_name = [i for i in few if LABEL.search(plain(titles[i])) and i not in each]
    if by_name:
        return sorted(by_name, key=lambda i: _rank(titles[i], columns[i]))[:1]
    if len(findings) > 1:
        return findings
    if any(titles):  # in another language, say: what is no label by its name may be the only one left
        others = [i for i in few if not _is_no_label(titles[i], columns[i])]
        like = [i for i in others if share_of_findings(_values(columns[i])) > SHOULD_NAME]
        return next((one for one in (like, others) if len(one) == 1), [])
    return sorted(few, key=lambda i: (*_rank("", columns[i]), len(_values(columns[i]))))[:1]


def _rank(title: str, cells: Sequence[str]) -> tuple[object, ...]:
    """Return what comes first where several columns may have the labels: names of findings, no numbers of them."""
    values = _values(cells)
    called = plain(title) in ("label", "labels", "class", "finding labels")
    return all(map(str.isdigit, values)), not called, -share_of_findings(values)


def _is_no_label(title: str, cells: Sequence[str]) -> bool:
    """Return whether a column has something else by its title, or numbers as of years and studies."""
    named = any(p.fullmatch(plain(title)) for p in (PATIENT, SPLIT, VIEW, OTHER))
    return named or all(map(NUMBER.fullmatch, _values(cells)))


def _is_finding(cells: Sequence[str]) -> bool:
    said = {plain(cell) for cell in cells}
    return said <= YES | NO | UNSURE and bool(said & YES)


def _values(cells: Sequence[str]) -> list[str]:
    """Return the labels of a column, each once as it is first spelt."""
    return list({plain(v): v for cell in cells for v in parts(cell)}.values())


def _named(
    titles: Sequence[str], columns: dict[int, list[str]], pattern: re.Pattern[str], but: Sequence[int]
) -> int | None:
    """Return the first column of this name that is not empty."""
    fitting = (i for i, cells in columns.items() if pattern.fullmatch(plain(titles[i])) and any(cells))
    return next((i for i in fitting if i not in but), None)


def _split(titles: Sequence[str], columns: dict[int, list[str]]) -> int | None:
    """Return the column that says train, val or test for every image."""
    fitting = (i for i in columns if SPLIT.fullmatch(plain(titles[i])))
    return next((i for i in fitting if all(official_split([cell]) for cell in columns[i])), None)
