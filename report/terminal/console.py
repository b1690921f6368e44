"""The only place that prints: results go to standard output, all else to standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from report.errors import ReportError, UserError


def say(text: str = "") -> None:
    """Print a line to standard output."""
    print(text, flush=True)


def note(text: str) -> None:
    """Print a line about the work to standard error."""
    print(text, file=sys.stderr, flush=True)


def ask(question: str) -> str:
    """Return what is typed in answer to a question, which stands on standard error."""
    print(question, end="", file=sys.stderr, flush=True)
    return input()


def warn(text: str) -> None:
    """Print a warning to standard error."""
    note(f"warning: {text}")


def complain(message: str, hint: str = "") -> None:
    """Print an error as one line, and its hint as another, to standard error."""
    note(f"error: {' '.join(message.split())}")
    if hint:
        note(f"hint: {hint}")


def describe_error(error: Exception) -> tuple[str, str]:
    """Return what is wrong and what may help; what is no user's error is called a fault of this program."""
    if isinstance(error, ReportError):
        return str(error), error.hint  # with its place, if it has one
    if isinstance(error, UserError):
        return error.message, error.hint
    fault = f"a fault of this program: {type(error).__name__}: {error}"
    return fault, "report --debug COMMAND shows where; please tell the authors"


def print_table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Print rows in aligned columns to standard output."""
    for line in align_columns(head, rows):
        say(line)


def align_columns(head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    """Return a table as lines of aligned columns."""
    lines = [list(head), *(list(row) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]


def shorten_path(path: Path) -> str:
    """Return ``path`` as it is shortest to type from here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
