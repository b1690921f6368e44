"""Our own code: which modules a function can reach, what each does, and what it imports."""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from report.engine.index import Index
from report.engine.store import digest_json
from report.errors import StageError

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
REPORTS_ONLY = "REPORTS_ONLY"
"""A module that sets this name at its top only tells how far a stage is: no result depends on it, and no key."""
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Project:
    """Where the code of stages lies, which is part of their keys.

    Parameters
    ----------
    root : Path
        The folder of the packages.
    packages : tuple of str
        The names of all packages with own code.
    declared_in : str
        The file that has the list of stages, as hints call it.
    strict : bool
        Refuse a result that depends on what its key does not cover.
    """

    root: Path
    packages: tuple[str, ...]
    declared_in: str = "the list of stages"
    strict: bool = False


class Code:
    """Our own modules on disk: what they import and a hash of what they do."""

    def __init__(self, project: Project, folder: Path) -> None:
        self.project = project
        self.index = Index(folder / f"code-{digest_json([str(project.root), PYTHON])[:16]}.index")
        self._modules: dict[str, tuple[str, list[str]] | None] = {}
        self._reached: dict[str, list[str]] = {}

    def closure(self, functions: Iterable[str]) -> dict[str, str]:
        """Return the hash of every module of ours that the modules of ``functions`` can import.

        Left out are those that say of themselves that they only report.

        Raises
        ------
        StageError
            A module is missing or is not valid Python.
        """
        names = [function.partition(":")[0] for function in functions]
        for name in names:
            if self._module(name) is None:
                message = f"{name}: no such module in {self.project.root}"
                raise StageError(message, hint=f"mend {self.project.declared_in}")
        waiting = [name for name in names if self._counts(name)]
        found: dict[str, str] = {}
        while waiting:
            name = waiting.pop()
            if name not in found:
                found[name] = self._hash_and_imports(name)[0]
                waiting += self._reach(name)
        return found

    def _reach(self, name: str) -> list[str]:
        """Return what of ours a module imports, and the packages that it lies in."""
        if name not in self._reached:
            imported = self._hash_and_imports(name)[1]
            self._reached[name] = [near for near in (*_parents(name), *imported) if self._counts(near)]
        return self._reached[name]

    def _counts(self, name: str) -> bool:
        """Tell whether there is a module of that name that does more than report."""
        return bool(self._hash_and_imports(name)[0])

    def _hash_and_imports(self, name: str) -> tuple[str, list[str]]:
        return self._module(name) or ("", [])

    def list_imports(self, modules: Iterable[str]) -> set[str]:
        """Return the names of all that these modules of ours import."""
        return {name for module in modules for name in self._hash_and_imports(module)[1]}

    def _module(self, name: str) -> tuple[str, list[str]] | None:
        """Return the hash ("" if it only reports) and the imports of a module; None if there is none of that name."""
        if name not in self._modules:
            self._modules[name] = self._look(name)
        return self._modules[name]

    def _look(self, name: str) -> tuple[str, list[str]] | None:
        if name.partition(".")[0] not in self.project.packages:
            return None
        base = self.project.root.joinpath(*name.split("."))
        for path in (base / "__init__.py", base.with_name(f"{base.name}.py")):
            with suppress(FileNotFoundError, NotADirectoryError):
                status = path.stat()
                known = self.index.get(name, status)
                if known is None:
                    source = path.read_bytes()
                    known = ["" if reports_only(source, str(path)) else hash_code(source, str(path))]
                    known += [list_imports(source, name, str(path))]
                    self.index.put(name, status, known)
                return known[0], known[1]
        return None


def _parents(name: str) -> Iterator[str]:
    while "." in name:
        name = name.rpartition(".")[0]
        yield name


@cache
def hash_code(source: bytes, path: str) -> str:
    """Return a hash of what a module does: its syntax tree without docstrings, comments and layout."""
    tree = _parse(source, path)
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
    return hashlib.sha256(ast.dump(tree).encode(errors="surrogatepass")).hexdigest()


@cache
def reports_only(source: bytes, path: str) -> bool:
    """Tell whether a module says that it only reports, with ``REPORTS_ONLY = True``."""
    return any(
        isinstance(node, ast.Assign) and ast.unparse(node) == f"{REPORTS_ONLY} = True"
        for node in _parse(source, path).body
    )


def _parse(source: bytes, path: str) -> ast.Module:
    try:
        return ast.parse(source, path)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        raise StageError(f"{path}:{line}: {getattr(error, 'msg', error)}", hint="mend this line") from error


def list_imports(source: bytes, name: str, path: str) -> list[str]:
    """Return the full names that a module imports anywhere, each of which may be a module."""
    package = name if path.endswith("__init__.py") else name.rpartition(".")[0]
    found = set()
    for node in ast.walk(_parse(source, path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            found |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    return sorted(found)
