"""A build folder is one build: what may be written into it, what an earlier build has left there, and what goes.

``run.json`` lists the files of the build, so that nothing is ever taken away that a build has not written.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from report.delivery.evidence import DOCUMENTS, RUN, STUDY, is_unfinished
from report.engine.system.files import digest_file, read_json
from report.errors import EnvironmentProblem, UsageError

DRAWN = {"graph.svg"}
"""What other commands write into a build folder."""


def choose_folder(out: Path, part: str, *, given: bool) -> Path:
    """Return where a build goes: a ``part`` of a study never beside the report of the whole.

    ``given``: the folder was named by the user.
    """
    return out.with_name(f"{out.name}-only-{part}") if part and (not given or _is_whole(out)) else out


def require_usable(out: Path, part: str) -> None:
    """Refuse a folder before anything runs that a build may not write into, or cannot.

    Raises
    ------
    UsageError
        It holds something that is not of a build, or for a part a whole report.
    EnvironmentProblem
        It cannot be written.
    """
    hint = "name a new or empty folder with --out"
    if out.is_dir() and _is_foreign(out):
        raise UsageError(f"{out}: holds something else than a build", hint=hint)
    if part and _is_whole(out):
        raise UsageError(f"{out}: holds a whole report", hint=hint)
    there = next(folder for folder in (out, *out.parents) if folder.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        why = "cannot be written" if there.is_dir() else "is not a folder"
        raise EnvironmentProblem(f"{there}: {why}", hint="choose another place with --out DIR")


def _is_foreign(out: Path) -> bool:
    names = {path.name for path in out.iterdir() if not path.name.startswith(".")} - DRAWN
    return bool(names) and not list_written(out)


def _is_whole(out: Path) -> bool:
    return any((out / name).exists() for name in (STUDY, *DOCUMENTS))


def list_written(out: Path) -> frozenset[str]:
    """Return the files, by relative path, that builds have written into a folder."""
    run, study = (read_json(out / name) or {} for name in (RUN, STUDY))
    named = [*run.get("files", ()), *study.get("files", ())]
    return frozenset(filter(_is_inside, [*named, *([STUDY] if study else []), *([RUN] if run else [])]))


def _is_inside(name: object) -> bool:
    """Tell whether a name is a path that stays in its folder, whoever has written it down."""
    return isinstance(name, str) and not name.startswith("/") and ".." not in Path(name).parts


def mark_unfinished(files: Iterable[str]) -> bytes:
    """Return the ``run.json`` of a folder that is being written."""
    return (json.dumps({"unfinished": True, "files": sorted(files)}, indent=1) + "\n").encode()


def find_current_documents(out: Path, facts: dict[str, Any]) -> dict[str, Path]:
    """Return the documents in a folder that a build did not ask for and that are of its results all the same, by name.

    ``facts`` is what the new build's ``study.json`` tells.
    """
    before = read_json(out / STUDY)
    if before is None or is_unfinished(out) or _describe_content(before) != _describe_content(facts):
        return {}
    programs = [known.get("program", {}) for known in (before, facts)]
    if any(programs[0][name] != programs[1][name] for name in programs[0].keys() & programs[1].keys()):
        return {}
    kept = [n for n in DOCUMENTS if n in before["files"] and n not in facts["files"] and (out / n).is_file()]
    return {name: out / name for name in kept if digest_file(out / name) == before["files"][name]}


def _describe_content(facts: dict[str, Any]) -> dict[str, Any]:
    """Return what makes a document, of what ``study.json`` tells."""
    files = {name: known for name, known in facts.get("files", {}).items() if name not in DOCUMENTS}
    return {**{name: known for name, known in facts.items() if name != "program"}, "files": files}


def remove_stale(out: Path, before: Iterable[str], wanted: Collection[str]) -> list[str]:
    """Remove what earlier builds have written and this one has not, and folders that become empty; return it."""
    stale = [name for name in sorted(before) if name not in wanted and (out / name).is_file()]
    for name in stale:
        (out / name).unlink()
        folder = (out / name).parent
        while folder != out and not any(folder.iterdir()):
            folder.rmdir()
            folder = folder.parent
    return stale
