"""A table of labels as people have them: any usual delimiter and encoding, with a header or without."""

from __future__ import annotations

import csv
import gzip
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path, PurePosixPath

from analysis.errors import DataError

SUFFIXES = (".csv", ".tsv", ".txt", ".tab", ".csv.gz", ".tsv.gz")
SPREADSHEETS = (".xlsx", ".xls", ".ods")
DELIMITERS = (",", ";", "\t", "|", " ")
SEPARATOR = re.compile(r"sep=([,;\t|])\r?\n", re.IGNORECASE)
"""The first line that Excel writes, or reads, in some countries."""
GZIP = b"\x1f\x8b"
LOOKED_AT = 100
"""Rows by which the delimiter is told."""
Column = str | int


@dataclass(frozen=True)
class Row:
    """The cells of a line, without spaces around them, and where they are: ``labels.csv, line 3``."""

    cells: tuple[str, ...]
    where: str


@dataclass(frozen=True)
class Table:
    """A table by its path below the data folder; ``header`` is empty where the first line is a row like the others."""

    name: str
    header: tuple[str, ...]
    rows: tuple[Row, ...]

    def place(self, column: Column) -> int:
        """Return the place in a row of a column that is given by its name, or by its number from 1.

        Raises
        ------
        DataError
            There is no such column, or the name is there twice.
        """
        wide = len(self.header) or max((len(row.cells) for row in self.rows), default=0)
        if isinstance(column, int):
            if 1 <= column <= wide:
                return column - 1
            raise DataError(
                f"{self.name} has {wide} columns, none of number {column}", hint="numbers begin with 1"
            )
        same = [i for i, name in enumerate(self.header) if name == column.strip()]
        if len(same) == 1:
            return same[0]
        raise DataError(
            f"{self.name} has {'two columns' if same else 'no column'} called {column!r}",
            hint=f"its columns: {', '.join(name for name in self.header if name)}",
        )


def read(root: Path, name: str, *, header: bool) -> Table:
    """Return the table in the file ``name`` below ``root``; empty lines are left out.

    Raises
    ------
    DataError
        It is a spreadsheet, no text, has no rows, or a line with more cells than the header.
    """
    text = _text(_unpacked((root / name).read_bytes(), name), name)
    separator = SEPARATOR.match(text)
    try:
        lines = list(
            _lines("\n" + text[separator.end() :], separator[1])
            if separator
            else _lines(text, _delimiter(text))
        )
    except csv.Error as error:
        raise DataError(
            f"{name} cannot be read as a table: {error}", hint="save it as CSV once more"
        ) from error
    titles = lines.pop(0)[1] if header and lines else ()
    if not lines:
        raise DataError(
            f"{name} has no rows", hint="name the table of labels in the study file: dataset.table"
        )
    for number, cells in lines:
        if titles and any(cells[len(titles) :]):
            raise DataError(
                f"{name}, line {number}, has {len(cells)} cells, and the header {len(titles)}",
                hint="put a cell that has the delimiter in it into double quotes",
            )
    return Table(name, titles, tuple(Row(cells, f"{name}, line {number}") for number, cells in lines))


def _unpacked(data: bytes, name: str) -> bytes:
    try:
        return gzip.decompress(data) if data.startswith(GZIP) else data
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{name} is damaged: {error}", hint="download it again") from error


def _text(data: bytes, name: str) -> str:
    if PurePosixPath(name).suffix.lower() in SPREADSHEETS or data.startswith(
        (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
    ):
        raise DataError(
            f"{name} is a spreadsheet, not a table in text",
            hint="save it as CSV (UTF-8) in Excel or LibreOffice, and name that file: dataset.table",
        )
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "cp1252"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise DataError(f"{name} is no text in UTF-8 or Windows-1252", hint="save it as CSV (UTF-8)")


def _delimiter(text: str) -> str:
    """Return the delimiter with which most lines have as many cells as the first; of several that with the most cells."""

    def fit(delimiter: str) -> tuple[float, int]:
        widths = [
            len(cells) for (_, cells), _ in zip(_lines(text, delimiter), range(LOOKED_AT), strict=False)
        ]
        return (round(widths.count(widths[0]) / len(widths), 1), widths[0]) if widths[:1] > [1] else (0.0, 1)

    return max(DELIMITERS, key=fit)


def _lines(text: str, delimiter: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=delimiter != "\t")
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield reader.line_num, tuple(cell.strip() for cell in cells)


def locate(files: Sequence[str], name: str) -> str:
    """Return the file that a study calls ``name``: its path below the data folder, or the end of it.

    Raises
    ------
    DataError
        There is none, or there are several.
    """
    wanted = PurePosixPath(name)
    found = [f for f in files if f == str(wanted)] or [
        f for f in files if PurePosixPath(f).match(str(wanted))
    ]
    if len(found) == 1:
        return found[0]
    if found:
        raise DataError(
            f"{len(found)} files are called {name}: {', '.join(found[:3])}", hint="name it with its folders"
        )
    there = [f for f in files if f.lower().endswith((*SUFFIXES, *SPREADSHEETS))]
    raise DataError(
        f"the data folder has no file {name}",
        hint=f"tables that it has: {', '.join(there[:5]) or 'none'}; name one in the study file: dataset.table",
    )
