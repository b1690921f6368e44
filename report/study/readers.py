"""The readers that a study may name, and what their modules say of them: read in the files, nothing is imported."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from analysis.datasets.reader import Reader, function_of
from report import PROJECT
from report.errors import did_you_mean, nearest
from report.study.architectures import find_problem as find_function_problem

FOLDER = PROJECT / "analysis" / "datasets"
NAME = "READER"


def find_problem(reader: str) -> tuple[str, str] | None:
    """Return what is wrong with the name of a reader and a hint; None if there is such a reader."""
    if ":" not in reader and not _path(reader).is_file():
        known = list_names()
        return f"no reader is called {reader!r}", did_you_mean(
            nearest(reader, known), f"there are: {', '.join(known)}"
        )
    if found := find_function_problem(function_of(reader)):
        return found
    try:
        look_up(reader)
    except (TypeError, ValueError) as error:
        module = function_of(reader).partition(":")[0]
        return (
            f"{NAME} in {module}: {error}",
            "write its values out: texts, tuples and dicts, nothing computed",
        )
    return None


def look_up(reader: str) -> Reader:
    """Return what the module of a reader says of it.

    Raises
    ------
    TypeError or ValueError
        Its ``READER`` is not written out in literals, or has other fields.
    """
    call = _declaration(_path(reader))
    return Reader(**{k.arg: ast.literal_eval(k.value) for k in call.keywords if k.arg}) if call else Reader()


def list_names() -> list[str]:
    """Return the readers that need no more than the name of their module."""
    return [path.stem.replace("_", "-") for path in sorted(FOLDER.glob("*.py")) if _declaration(path)]


def find_readers_with(key: str) -> list[str]:
    """Return the readers of this project that understand a key of ``[dataset]``."""
    return [name for name in list_names() if key in look_up(name).keys]


def _path(reader: str) -> Path:
    module = function_of(reader).partition(":")[0]
    return PROJECT.joinpath(*module.split(".")).with_suffix(".py")


def _declaration(path: Path) -> ast.Call | None:
    """Return the call ``READER = Reader(...)`` of a module; None if it has none, or is no Python, which its stage tells."""
    return _find_declaration(path.read_bytes())


@cache
def _find_declaration(source: bytes) -> ast.Call | None:
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError):
        return None
    for node in body:
        names = [target.id for target in getattr(node, "targets", ()) if isinstance(target, ast.Name)]
        if isinstance(node, ast.Assign) and NAME in names and isinstance(node.value, ast.Call):
            return node.value
    return None
