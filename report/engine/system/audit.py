"""What a process reads that nobody declared.

Python tells its audit hooks of every file that it opens. Files that C code opens by itself it does not know of:
our own code opens files through Python, and the linter bans the calls that do not.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

READING = frozenset({"open", "os.listdir", "os.scandir"})
TEMPORARY = frozenset({"tempfile.mkstemp", "tempfile.mkdtemp"})
INSTALLATION = (
    *(sys.prefix, sys.base_prefix),
    *("/usr", "/bin", "/lib", "/lib64", "/proc", "/sys", "/dev", "/System", "/Library", "/opt/homebrew"),
    *("/etc/fonts", "/etc/localtime", "/etc/timezone", "/etc/ssl", "/etc/mime.types", "/etc/os-release"),
    *("/etc/ld.so.cache", "/etc/locale.alias", "/etc/nsswitch.conf", "/etc/passwd", "/etc/group"),
    "/var/cache/fontconfig",
)
"""Where Python, its packages and the operating system lie."""


class Audit:
    """Hears which files this process opens; a process needs one only, as it can never be removed."""

    def __init__(self) -> None:
        self._covered: tuple[str, ...] | None = None
        self._temporary: tuple[str, ...] = ()  # kept from stage to stage: libraries remove theirs late
        self._made: set[str] = set()
        self._read: set[str] = set()
        sys.addaudithook(self._hear)

    @contextmanager
    def listen_for_reads(self, declared: Iterable[Path]) -> Iterator[set[str]]:
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
def process_audit() -> Audit:
    """Return the one of this process."""
    return Audit()


def _absolute(path: Any) -> str:
    """Return the path of an event; "" for a number, whose file was opened before."""
    return os.path.abspath(os.fsdecode(path)) if isinstance(path, str | bytes | os.PathLike) else ""  # noqa: PTH100


def _beginnings(paths: Iterable[Path | str]) -> tuple[str, ...]:
    """Return the beginnings of all paths in ``paths``, as they are given and without links."""
    return tuple({f"{way(path)}/" for path in paths for way in (os.path.abspath, os.path.realpath)})


def find_undeclared(read: set[str], packages: Collection[str], files: Iterable[Path]) -> set[str]:
    """Return what of ``read`` is none of ``files`` by any path, no loaded module of ``packages`` nor its folder."""
    own = (module for name, module in sys.modules.items() if name.partition(".")[0] in packages)
    modules = {str(module.__file__) for module in own}
    others = read - {*modules, *map(os.path.dirname, modules), *sys.path}
    declared = set(map(os.path.realpath, files)) if others else set()
    return {path for path in others if os.path.realpath(path) not in declared}
