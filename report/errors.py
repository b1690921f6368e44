"""Errors of the report generator and the one table of exit codes.

ReportError
├── StudyError        the study file
├── StageError        a stage failed for a reason that is not the user's
│   └── DamagedError  its result was damaged in the cache
├── RenderError       the document could not be made
└── EnvironmentProblem  disk, permissions, system libraries

Errors of ``analysis`` are mapped to the same table by ``exit_code``.
"""

from __future__ import annotations

import errno

from analysis.errors import AnalysisError, DataError, HintedError, WeightsError

OK, INTERNAL, USAGE, WOULD_RUN, STUDY, DATA, WEIGHTS, STAGE, RENDER, ENVIRONMENT, INTERRUPTED = (
    *range(10),
    130,
)


class ReportError(HintedError):
    """The report cannot be made; ``code`` is the exit code."""

    code = INTERNAL


class UsageError(ReportError):
    """The command line asks for something that does not exist."""

    code = USAGE


class StudyError(ReportError):
    """The study file is missing, unreadable or says something that is not allowed."""

    code = STUDY


class StageError(ReportError):
    """A stage failed; its log tells how."""

    code = STAGE


class DamagedError(StageError):
    """A result was damaged in the cache and is removed: the next build makes it anew."""


class RenderError(ReportError):
    """The document's source is wrong or could not be rendered."""

    code = RENDER


class EnvironmentProblem(ReportError):
    """The machine lacks something: disk, permission, a system library."""

    code = ENVIRONMENT


REFUSED = {errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOSPC, errno.EDQUOT}
"""What a disk answers that is full, or for reading only, or somebody else's."""


def of_machine(error: BaseException) -> EnvironmentProblem | None:
    """Return the error of a disk that refuses, in words and with the place; None for any other error."""
    if not isinstance(error, OSError):
        return None
    if "temporary directory" in str(error):  # which Python says where TMPDIR and /tmp cannot be written
        return EnvironmentProblem(f"{error.strerror}", hint="set TMPDIR to a folder that is yours")
    if error.errno not in REFUSED:
        return None
    place = f"{error.filename}: " if error.filename else ""
    return EnvironmentProblem(
        f"{place}{error.strerror}",
        hint="use folders that are yours: --cache DIR, --out DIR, or a clone of your own",
    )


def exit_code(error: BaseException) -> int:
    """Return the exit code of the table above that belongs to ``error``."""
    match error:
        case ReportError():
            return error.code
        case WeightsError():
            return WEIGHTS
        case DataError():
            return DATA
        case AnalysisError():
            return STUDY
        case KeyboardInterrupt():
            return INTERRUPTED
        case _:
            return INTERNAL
