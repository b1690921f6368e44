"""The images that a study leaves out one by one: a CSV file beside the study file, with the reason of each."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unicodedata import normalize

from report.errors import ReportError, StudyError, UsageError
from report.study.complaints import StudyFile
from report.study.texts import UNPRINTABLE_HINT, find_unprintable

FILE, REASON = "file", "reason"
LONGEST = 100
"""Of a reason, in letters: it stands in tables."""
TABLES = ("dataset", "external", "pretraining")
"""The tables of a study file that have a key ``exclude``."""
HEADER = f"its first line names the columns: {FILE},{REASON}"


def with_lists(file: StudyFile) -> dict[str, Any]:
    """Return the data of a study file in which each ``exclude`` that names a list has what the list says.

    Raises
    ------
    StudyError or UsageError
        There is no such list, or it is none.
    """
    data = dict(file.data)
    for table in TABLES:
        section = data.get(table)
        named = section.get("exclude") if isinstance(section, dict) else None
        if isinstance(named, dict):
            raise _refuse(file, f"{table}.exclude", "a list of patterns, or the name of a CSV file")
        if isinstance(section, dict) and isinstance(named, str):
            images = dict(_read(file, f"{table}.exclude", named))
            data[table] = {**section, "exclude": {"file": named, "images": images}}
    return data


def _read(file: StudyFile, key: str, name: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each image of a list, and why it is left out."""
    path = file.path.parent / name
    if Path(name).name != name or path.suffix.lower() != ".csv":
        raise _refuse(
            file, key, f"{name!r} is no name of a CSV file beside {file.path.name}, such as exclude.csv"
        )
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise _refuse(file, key, f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise StudyError(f"{path}: not UTF-8 text: {error.reason}", hint="save the file as UTF-8") from error
    rows = csv.DictReader(text.splitlines(keepends=True), strict=True)
    try:
        if missing := [column for column in (FILE, REASON) if column not in (rows.fieldnames or ())]:
            raise StudyError(f"{path}:1: no column {missing[0]!r}", hint=HEADER)
        seen: dict[str, int] = {}
        for row in rows:
            line = rows.line_num
            image, reason = (normalize("NFC", (row[column] or "").strip()) for column in (FILE, REASON))
            if problem := _find_problem(image, reason, seen, extra=None in row):
                hint = UNPRINTABLE_HINT if find_unprintable(image + reason) else f"mend {path} and run again"
                raise StudyError(f"{path}:{line}: {problem}", hint=hint)
            seen[image] = line
            yield image, {"reason": reason, "place": f"{name}:{line}"}
    except csv.Error as error:
        raise StudyError(f"{path}:{rows.reader.line_num}: not valid CSV: {error}", hint=HEADER) from error


def _find_problem(image: str, reason: str, seen: dict[str, int], *, extra: bool) -> str:
    """Return what is wrong with a row, "" if nothing is; ``extra``: it has more cells than the header."""
    for column, value in ((FILE, image), (REASON, reason)):
        if not value:
            return f"no {column}"
        if found := find_unprintable(value):
            return f"{column}: {found[1]}"
    if extra:
        return 'more cells than columns; a text with a comma stands in quotes: "a, b"'
    if len(reason) > LONGEST:
        return f"a reason of {len(reason)} letters; at most {LONGEST}"
    return f"{image!r} stands in line {seen[image]} too" if image in seen else ""


def _refuse(file: StudyFile, key: str, problem: str) -> ReportError:
    """Return the error of a key, of the command line where an override has set it."""
    if override := file.override_of(key):
        return UsageError(f"--set {override}: {problem}", hint="change the value, or leave it out")
    return StudyError(f"{file.place(key)}: {key}: {problem}", hint=f"mend {file.path} and run again")
