"""The functions that a study may name as architectures: found in the files, nothing is imported."""

from __future__ import annotations

import ast
from pathlib import Path

from report import PROJECT
from report.errors import did_you_mean, nearest

PACKAGE = "analysis"


def find_problem(architecture: str) -> tuple[str, str] | None:
    """Return what is wrong with ``module:function`` and a hint; None if there is such a function."""
    module, _, function = architecture.partition(":")
    path = PROJECT.joinpath(*module.split(".")).with_suffix(".py")
    if not path.is_file():
        return f"no module {module} in this project", _hint(module, _modules())
    known = _names(path)
    if known is None or function in known:
        return None
    public = [name for name in known if not name.startswith("_")]
    return f"no function {function} in {module}", _hint(function, public)


def _modules() -> list[str]:
    files = (path.relative_to(PROJECT).with_suffix("") for path in sorted((PROJECT / PACKAGE).rglob("*.py")))
    return [".".join(path.parts) for path in files if path.name != "__init__"]


def _names(path: Path) -> list[str] | None:
    """Return the functions that a module defines or imports; None if it is no Python, which its stage tells."""
    try:
        body = ast.parse(path.read_bytes()).body
    except (SyntaxError, ValueError):
        return None
    defined = [node.name for node in body if isinstance(node, ast.FunctionDef)]
    imported = [node.names for node in body if isinstance(node, ast.ImportFrom)]
    return defined + [alias.asname or alias.name for names in imported for alias in names]


def _hint(name: str, known: list[str]) -> str:
    return did_you_mean(nearest(name, known), f"there are: {', '.join(known)}")
