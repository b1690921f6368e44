"""What a stage reads and imports that its key does not cover, in words.

Python tells its audit hooks of every file that it opens. Files that C code opens by itself it does not know of:
our own code opens files through Python, and the linter bans the calls that do not.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from report.errors import StageError

if TYPE_CHECKING:
    from report.engine.run import Built

READING = frozenset({"open", "os.listdir", "os.scandir"})
TEMPORARY = frozenset({"tempfile.mkstemp", "tempfile.mkdtemp"})
INSTALLATION = (
    *(sys.prefix, sys.base_prefix),
    *("/usr", "/bin", "/lib", "/lib64", "/proc", "/sys", "/dev", "/System", "/Library", "/opt/homebrew"),
    *("/etc/fonts", "/etc/localtime", "/etc/timezone", "/etc/ssl", "/etc/mime.types", "/etc/os-release"),
    *(
        "/etc/ld.so.cache",
        "/etc/locale.alias",
        "/etc/nsswitch.conf",
        "/etc/passwd",
        "/etc/group",
        "/var/cache/fontconfig",
    ),
)
"""Where Python, its packages and the operating system lie."""
OURS = ("analysis", "report")


class Audit:
    """Hears which files this process opens; a process needs one only, as it can never be removed."""

    def __init__(self) -> None:
        self._covered: tuple[str, ...] | None = None
        self._temporary: tuple[str, ...] = ()  # kept from stage to stage: libraries remove theirs late
        self._made: set[str] = set()
        self._read: set[str] = set()
        sys.addaudithook(self._hear)

    @contextmanager
    def listening(self, declared: Iterable[Path]) -> Iterator[set[str]]:
        """Collect in a set what is read that lies neither in the folders ``declared`` nor in the installation."""
        self._read, self._made = set(), set()
        self._covered = _beginnings([*declared, *INSTALLATION])
        try:
            yield self._read
        finally:
            self._covered = None

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in TEMPORARY:
            self._temporary += _beginnings([arguments[0]])
        elif self._covered is not None and event in READING:
            path = _absolute(arguments[0])
            if event == "open" and (arguments[2] or 0) & (os.O_TRUNC | os.O_EXCL):
                self._made.add(path)
            elif self._is_foreign(path):
                self._read.add(path)

    def _is_foreign(self, path: str) -> bool:
        known = f"{path}/".startswith((*(self._covered or ()), *self._temporary)) or path in self._made
        return not known and os.path.exists(path)  # noqa: PTH110  # called often


@cache
def of_process() -> Audit:
    """Return the one of this process."""
    return Audit()


def _absolute(path: Any) -> str:
    """Return the path of an event; "" for a number, whose file was opened before."""
    return os.path.abspath(os.fsdecode(path)) if isinstance(path, str | bytes | os.PathLike) else ""  # noqa: PTH100


def _beginnings(paths: Iterable[Path | str]) -> tuple[str, ...]:
    """Return the beginnings of all paths in ``paths``, as they are given and without links."""
    return tuple({f"{way(path)}/" for path in paths for way in (os.path.abspath, os.path.realpath)})


def of_own_modules(packages: Collection[str]) -> set[str]:
    """Return the files of our own loaded modules, and the folders that Python looks through for modules."""
    own = {*packages, *OURS}
    files = {str(module.__file__) for name, module in sys.modules.items() if name.partition(".")[0] in own}
    return {*files, *map(os.path.dirname, files), *sys.path}


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


def problems(built: Mapping[str, Built]) -> list[StageError]:
    """Return an error for every stage whose result, made now or before, read what its key does not cover."""
    return [refusal(name, one.record.undeclared) for name, one in built.items() if one.record.undeclared]


def refusal(stage: str, undeclared: list[str]) -> StageError:
    """Return the error of a stage that reads or imports what its key does not cover."""
    more = f" (and {len(undeclared) - 1} more)" if len(undeclared) > 1 else ""
    where = "packages" if undeclared[0].startswith("imports ") else "inputs"
    return StageError(
        f"{stage}: {undeclared[0]}, which its key does not cover{more}",
        hint=f"name it in `{where}` of the stage in report/pipeline.py",
    )
