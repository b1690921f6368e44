"""Errors of the report generator, and the one table of exit codes.

ReportError
├── UsageError        the command line
├── StudyError        the study file
├── SourceError       a file or folder that a stage reads
├── StageError        a stage failed for a reason that is not the user's
│   └── DamagedError  its result was damaged in the cache
├── RenderError       the document could not be made
└── EnvironmentProblem  disk, permissions, system libraries

Stages have errors of their own, of any class: what has a message and a hint is a `UserError`. `report.cli` maps
those of ``analysis`` to the same table.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

OK, INTERNAL, USAGE, WOULD_RUN, STUDY, DATA, WEIGHTS, STAGE, RENDER, ENVIRONMENT = range(10)
"""The exit codes; a command that a signal ends has 128 and the signal's number."""


@runtime_checkable
class UserError(Protocol):
    """An error that the user can mend, wherever its class comes from: such errors are told as they are.

    Attributes
    ----------
    message : str
        One line: what is wrong, and where.
    hint : str
        What to try next, "" where nothing can be said.
    """

    message: str
    hint: str


class ReportError(Exception):
    """The report cannot be made; ``code`` is the exit code."""

    code = INTERNAL

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message


class UsageError(ReportError):
    """The command line asks for something that does not exist."""

    code = USAGE


class StudyError(ReportError):
    """The study file is missing, unreadable or says something that is not allowed."""

    code = STUDY


class SourceError(ReportError):
    """A file or folder outside the cache, which a stage reads, is missing or cannot be read."""

    code = DATA


class StageError(ReportError):
    """A stage failed; the log of the stage ``log`` tells how, if one is named."""

    code = STAGE

    def __init__(self, message: str, hint: str = "", *, log: str = "") -> None:
        super().__init__(message, hint or (f"report log {log}" if log else ""))
        self.log = log


class ChangedError(StageError):
    """What a stage is made from has changed while it ran."""


class DamagedError(StageError):
    """The ``file`` of a result was damaged in the cache and is removed: the next build makes it anew."""

    def __init__(self, message: str, hint: str = "", *, file: Path | None = None) -> None:
        super().__init__(message, hint)
        self.file = file


class RenderError(ReportError):
    """The document's source is wrong or could not be rendered; the ``message`` does not say where.

    Attributes
    ----------
    file : str
        The template, passage, or source of the document that is wrong, "" where it is not known.
    line : int
        The line of ``file``, 0 where it is not known.
    equation : str
        The equation that cannot be set, in TeX; "" if it is none.
    """

    code = RENDER

    def __init__(
        self, message: str, hint: str = "", *, file: str = "", line: int = 0, equation: str = ""
    ) -> None:
        super().__init__(message, hint)
        self.file = file
        self.line = line
        self.equation = equation

    def __str__(self) -> str:
        place = self.file + (f":{self.line}" if self.line else "")
        return f"{place}: {self.message}" if place else self.message


class EnvironmentProblem(ReportError):
    """The machine lacks something: disk, permission, a system library."""

    code = ENVIRONMENT


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """Return at most three known names that are spelt almost like one that is not known, the nearest first."""
    return difflib.get_close_matches(name, sorted(known), n=3, cutoff=0.5)


def did_you_mean(names: Sequence[str], otherwise: str) -> str:
    """Return a hint at the `nearest` names; ``otherwise`` where there are none."""
    return f"did you mean {' or '.join(names)}?" if names else otherwise


def list_first(names: Sequence[str], most: int = 3) -> str:
    """Return the first of some names and how many more there are: ``a, b, c and 2 more``."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def and_more(number: int) -> str:
    """Return what follows the first of ``number`` complaints: `` (and 2 more)``, "" where there is one."""
    return f" (and {number - 1} more)" if number > 1 else ""
