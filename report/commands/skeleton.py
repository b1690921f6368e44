"""A skeleton for a study of one's own, and copies of our templates for it."""

from __future__ import annotations

import re
from pathlib import Path

from report import PROJECT
from report.engine.system.files import explain_refusals
from report.errors import UsageError, did_you_mean, nearest
from report.study.folder import STUDIES
from report.writing.author.overrides import FOLDER, ROOMS

TEMPLATES = PROJECT / "templates"
SKELETON = TEMPLATES / "study"
NAME = r"[a-z][a-z0-9]*(-[a-z0-9]+)*"


def create_study(name: str) -> list[Path]:
    """Write ``studies/<name>`` with a study file and the author's prose, image and literature; return the files.

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
        written = [path for path in sorted(SKELETON.rglob("*")) if path.is_file()]
        return [_write(path, folder / path.relative_to(SKELETON), name) for path in written]


def copy_template(name: str, study: Path) -> Path:
    """Copy our template ``name``, such as ``comparison`` or ``floats/headline``, into a study's folder; return the copy.

    Raises
    ------
    UsageError
        There is none of this name that an author may replace, or he has it already.
    EnvironmentProblem
        The study is for reading only, or there is no room.
    """
    wanted = f"{name.removesuffix('.qmd.j2')}.qmd.j2"
    wanted = wanted if "/" in wanted else f"{ROOMS[0]}/{wanted}"
    known = {
        path.relative_to(TEMPLATES).as_posix() for room in ROOMS for path in (TEMPLATES / room).glob("*.j2")
    }
    if wanted not in known:
        names = sorted(one.removesuffix(".qmd.j2").removeprefix(f"{ROOMS[0]}/") for one in known)
        hint = did_you_mean(nearest(name, names), f"there are: {', '.join(names)}")
        raise UsageError(f"there is no template {name!r} to replace", hint=hint)
    target = study / FOLDER / wanted
    if target.exists():
        raise UsageError(f"{target}: there already", hint="edit it, or delete it to begin anew")
    with explain_refusals(target, "work in a clone of your own"):
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((TEMPLATES / wanted).read_bytes())
    return target


def _write(source: Path, target: Path, name: str) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(source.read_text(encoding="utf-8").replace("NAME", name), encoding="utf-8")
    return target
