"""What a stage reads and imports that its key does not cover, in words.

Python tells its audit hooks of every file that it opens. Files that C code opens by itself it does not know of:
our own code opens files through Python, and the linter bans the calls that do not.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from report.errors import StageError

EVENTS = frozenset({"open", "os.listdir", "os.scandir", "os.mkdir", "os.rename"})
INSTALLATION = (
    *(sys.prefix, sys.base_prefix),
    *("/usr", "/bin", "/lib", "/lib64", "/proc", "/sys", "/dev", "/System", "/Library", "/opt/homebrew"),
    *("/etc/fonts", "/etc/localtime", "/etc/timezone", "/etc/ssl", "/etc/mime.types", "/etc/os-release"),
    *("/etc/ld.so.cache", "/etc/nsswitch.conf", "/etc/passwd", "/etc/group", "/var/cache/fontconfig"),
)
"""Where Python, its packages and the operating system lie."""
OURS = ("analysis", "report")


class Audit:
    """Hears which files this process opens; a process needs one only, as it can never be removed."""

    def __init__(self) -> None:
        self._covered: tuple[str, ...] | None = None
        self._read: set[str] = set()
        sys.addaudithook(self._hear)

    @contextmanager
    def listening(self, declared: Iterable[Path | str]) -> Iterator[set[str]]:
        """Collect in a set what is read outside of the ``declared`` files and folders and the installation."""
        self._read = set()
        self._covered = covered([*declared, *INSTALLATION])
        try:
            yield self._read
        finally:
            self._covered = None

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._covered is None or event not in EVENTS:
            return
        path = _absolute(arguments[0])
        if event == "os.rename":
            self._cover(_absolute(arguments[1]), self._covers(path))
        elif event == "os.mkdir":
            self._cover(path, not os.path.lexists(path))
        elif event == "open" and (arguments[2] or 0) & (os.O_TRUNC | os.O_EXCL):
            self._cover(path, True)
        elif not self._covers(path) and os.path.exists(path):  # noqa: PTH110  # called for every file
            self._read.add(path)

    def _covers(self, path: str) -> bool:
        return f"{path}/".startswith(self._covered or ())

    def _cover(self, path: str, is_own: bool) -> None:
        """Add what the stage makes itself, wherever it does so, such as temporary files."""
        if is_own and not self._covers(path):
            self._covered = (*(self._covered or ()), f"{path}/")


@cache
def of_process() -> Audit:
    """Return the one of this process."""
    return Audit()


def _absolute(path: Any) -> str:
    """Return the path of an event; "" for a number, whose file was opened before."""
    return os.path.abspath(os.fsdecode(path)) if isinstance(path, str | bytes | os.PathLike) else ""  # noqa: PTH100


def covered(paths: Iterable[Path | str]) -> tuple[str, ...]:
    """Return the beginnings of all paths in ``paths``, as they are given and without links."""
    return tuple({f"{way(path)}/" for path in paths for way in (os.path.abspath, os.path.realpath)})


def of_own_modules(root: Path, packages: Collection[str]) -> set[str]:
    """Return what Python reads to import our own modules, which keys cover otherwise: files, and lists of folders."""
    names = {*packages, *OURS}
    files = {module.__file__ for name, module in list(sys.modules.items()) if name.partition(".")[0] in names}
    known = {str(file) for file in files if file}
    return {*known, *map(os.path.dirname, known), str(root), *sys.path}


def undeclared_packages(modules: Iterable[str], declared: Collection[str]) -> list[str]:
    """Return the distributions of ``modules`` that are neither declared nor required by one that is.

    What libraries import by themselves, if it is there, is not asked for: it depends on what ran before.
    """
    names = {name.partition(".")[0] for name in modules} - {*sys.stdlib_module_names, *OURS}
    if not names:
        return []
    known = _with_requirements(frozenset(declared))
    owners = [_distributions().get(name, []) for name in sorted(names)]
    return sorted({of[0] for of in owners if of and known.isdisjoint(map(_normal, of))})


@cache
def _distributions() -> dict[str, list[str]]:
    return {name: sorted(set(of)) for name, of in metadata.packages_distributions().items()}


@cache
def _with_requirements(declared: frozenset[str]) -> set[str]:
    """Return the normal names of distributions and of all that they require, one through another."""
    waiting = {(_normal(name), "") for name in declared}
    seen: set[tuple[str, str]] = set()
    while waiting:
        name, extra = waiting.pop()
        seen.add((name, extra))
        waiting |= set(_requirements(name, extra)) - seen
    return {name for name, _ in seen}


def _requirements(name: str, extra: str) -> Iterator[tuple[str, str]]:
    """Yield the distributions that ``name``, or its ``extra``, requires, and these with each extra of theirs."""
    try:
        lines = metadata.requires(name) or []
    except metadata.PackageNotFoundError:  # it is for other systems
        return
    for line in lines:
        of_extra = re.search(r"extra\s*==\s*['\"]([^'\"]+)", line)
        if (of_extra[1] if of_extra else "") == extra:
            required = re.match(r"([\w.-]+)\s*(?:\[([^\]]*)\])?", line)
            assert required
            yield _normal(required[1]), ""
            yield from (
                (_normal(required[1]), part.strip()) for part in (required[2] or "").split(",") if part
            )


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def refusal(stage: str, undeclared: list[str]) -> StageError:
    """Return the error of a stage that reads or imports what its key does not cover."""
    more = f" (and {len(undeclared) - 1} more)" if len(undeclared) > 1 else ""
    where = "packages" if undeclared[0].startswith("imports ") else "inputs"
    return StageError(
        f"{stage}: {undeclared[0]}, which its key does not cover{more}",
        hint=f"name it in `{where}` of the stage in report/pipeline.py",
    )
