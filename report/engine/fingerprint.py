"""What a result depends on: the recipe of a stage, and the key that is its digest."""

from __future__ import annotations

import ast
import hashlib
import math
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from report.engine.sources import Index, Told, digest_tree, digests_of
from report.engine.stage import Json, Source, Stage
from report.engine.store import FORMAT, canonical, digest_json, remember
from report.errors import EnvironmentProblem, StageError

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
Recipe = dict[str, Any]


@dataclass(frozen=True)
class Project:
    """Where our own packages lie: their code is part of the keys. A strict one refuses what keys do not cover."""

    root: Path = Path(__file__).resolve().parents[2]
    packages: tuple[str, ...] = ("analysis", "report")
    strict: bool = False


class Moment:
    """Everything outside the cache that keys depend on, looked at once."""

    def __init__(self, project: Project, index: Path) -> None:
        self._index = index
        self._code = Code(project, index)
        self._sources: dict[Source, str] = {}

    def recipe(self, stage: Stage, outputs: Mapping[str, str], told: Told | None = None) -> Recipe:
        """Return all that the result of ``stage`` depends on; ``outputs`` are digests by the name of an input."""
        inputs = dict(outputs)
        for name, where in stage.inputs.items():
            if isinstance(where, Source) and where.keyed:
                inputs[name] = self.source(where, told)
        return {
            "format": FORMAT,
            "function": stage.function,
            "params": json_params(stage),
            "code": self._code.closure((stage.function, *stage.uses)),
            "environment": {"python": PYTHON, **{name: version(name) for name in sorted(stage.packages)}},
            "threads": stage.threads,
            "inputs": inputs,
        }

    def source(self, source: Source, told: Told | None = None) -> str:
        """Return the digest of a source, and keep the list of its files for explanations."""
        if source not in self._sources:
            digests = digests_of(source, self._index, told)
            self._sources[source] = digest_tree(digests)
            listing = tree_file(self._index, self._sources[source])
            if not listing.exists():
                remember(listing, canonical({**digests}))
        return self._sources[source]

    def save(self) -> None:
        """Keep what was found out about our own code for the next time."""
        self._code.index.save()


def tree_file(index: Path, digest: str) -> Path:
    """Return where the list of the files behind the digest of a source is kept."""
    return index / "trees" / f"{digest}.json"


def json_params(stage: Stage) -> dict[str, Json]:
    """Return the parameters as the JSON that the key is made of, which the function gets too.

    Raises
    ------
    StageError
        A value is no JSON, or no finite number.
    """
    return {
        name: _json(value, f"{stage.name}: parameter {name}") for name, value in sorted(stage.params.items())
    }


def _json(value: Any, where: str) -> Json:
    match value:
        case None | bool() | int() | str():
            return value
        case float() if math.isfinite(value):
            return value
        case list() | tuple():
            return [_json(item, f"{where}.{i}") for i, item in enumerate(value)]
        case dict() if all(isinstance(name, str) for name in value):
            return {name: _json(item, f"{where}.{name}") for name, item in sorted(value.items())}
    raise StageError(f"{where} is {value!r}: not a finite number, text, list or table")


@cache
def version(package: str) -> str:
    """Return the installed version of a distribution, or of the library that WeasyPrint sets text with: pango.

    Raises
    ------
    EnvironmentProblem
        It is not installed.
    """
    from importlib import metadata

    if package == "pango":
        return _pango_version()
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError as error:
        raise EnvironmentProblem(f"the package {package} is not installed", hint="make report") from error


def _pango_version() -> str:
    import ctypes

    for name in ("libpango-1.0.so.0", "libpango-1.0.0.dylib", "libpango-1.0-0.dll"):
        with suppress(OSError):
            library = ctypes.CDLL(name)
            library.pango_version_string.restype = ctypes.c_char_p
            return str(library.pango_version_string().decode())
    return "not found"  # where it is elsewhere, WeasyPrint knows; where it is missing, it says so


class Code:
    """Our own modules on disk: what they import and a hash of what they do."""

    def __init__(self, project: Project, folder: Path) -> None:
        self.project = project
        self.index = Index(folder / f"code-{digest_json([str(project.root), PYTHON])[:16]}.index")
        self._modules: dict[str, tuple[str, list[str]] | None] = {}

    def closure(self, functions: Iterable[str]) -> dict[str, str]:
        """Return the hash of every module of ours that the modules of ``functions`` can import.

        Raises
        ------
        StageError
            A module is missing or is not valid Python.
        """
        waiting = [function.partition(":")[0] for function in functions]
        for name in waiting:
            if self._module(name) is None:
                raise StageError(
                    f"{name}: no such module in {self.project.root}", hint="mend report/pipeline.py"
                )
        found: dict[str, str] = {}
        while waiting:
            name = waiting.pop()
            module = self._module(name)
            if name in found or module is None:
                continue
            found[name] = module[0]
            waiting += [*_parents(name), *module[1]]
        return found

    def imports_elsewhere(self, modules: Iterable[str]) -> set[str]:
        """Return the names of what these modules of ours import that is not ours."""
        names = {name for module in modules for name in (self._module(module) or ("", []))[1]}
        return {name for name in names if name.partition(".")[0] not in self.project.packages}

    def _module(self, name: str) -> tuple[str, list[str]] | None:
        """Return the hash and the imports of a module; None if there is none of that name."""
        if name not in self._modules:
            self._modules[name] = self._look(name)
        return self._modules[name]

    def _look(self, name: str) -> tuple[str, list[str]] | None:
        if name.partition(".")[0] not in self.project.packages:
            return None
        base = self.project.root.joinpath(*name.split("."))
        for path in (base / "__init__.py", base.with_name(f"{base.name}.py")):
            try:
                status = path.stat()
            except (FileNotFoundError, NotADirectoryError):
                continue
            known = self.index.get(name, status)
            if known is None:
                source = path.read_bytes()
                known = [code_hash(source, str(path)), imports_of(source, name, str(path))]
                self.index.put(name, status, known)
            return known[0], known[1]
        return None


def _parents(name: str) -> Iterator[str]:
    while "." in name:
        name = name.rpartition(".")[0]
        yield name


@cache
def code_hash(source: bytes, path: str) -> str:
    """Return a hash of what a module does: its syntax tree without docstrings, comments and layout."""
    tree = _parse(source, path)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                node.body = node.body[1:]
    return hashlib.sha256(ast.dump(tree).encode(errors="surrogatepass")).hexdigest()


def _parse(source: bytes, path: str) -> ast.Module:
    try:
        return ast.parse(source, path)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        raise StageError(f"{path}:{line}: {getattr(error, 'msg', error)}", hint="mend this line") from error


def imports_of(source: bytes, name: str, path: str) -> list[str]:
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
