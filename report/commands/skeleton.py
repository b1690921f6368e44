"""A skeleton for a study of one's own."""

from __future__ import annotations

import re
from pathlib import Path

from report import PROJECT
from report.engine.system.files import explain_refusals
from report.errors import UsageError
from report.study.folder import STUDIES

SKELETON = PROJECT / "templates" / "study"
NAME = r"[a-z][a-z0-9]*(-[a-z0-9]+)*"


def create_study(name: str) -> list[Path]:
    """Write ``studies/<name>`` with a study file and the author's prose; return the files.

    Raises
    ------
    UsageError
        The name is none for a folder, or taken.
    EnvironmentProblem
        The project is for reading only, or there is no room.
    """
    if not re.fullmatch(NAME, name):
        hint = "lower-case letters, digits and hyphens only, a letter first, such as my-study"
        raise UsageError(f"{name!r} is no name for a study", hint=hint)
    folder = STUDIES / name
    if folder.exists():
        raise UsageError(f"{folder}: there already", hint=f"choose another name, or report build {name}")
    hint = "work in a clone of your own: git clone, then report new there"
    with explain_refusals(folder, hint):
        folder.mkdir()
        return [_write(path, folder / path.name, name) for path in sorted(SKELETON.iterdir())]


def _write(source: Path, target: Path, name: str) -> Path:
    target.write_text(source.read_text(encoding="utf-8").replace("NAME", name), encoding="utf-8")
    return target
