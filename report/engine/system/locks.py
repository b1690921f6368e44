"""Who uses a cache: locks that end with their process, and a file for each process that reads results."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

ALL = "cache"
"""The lock that is shared by whoever adds or looks up a result, and held alone by whoever removes some."""


class Locks:
    """The locks and the readers of the cache in the folder ``root``."""

    def __init__(self, root: Path) -> None:
        self._root, self._locks, self._readers = root, root / "locks", root / "readers"

    @property
    def read_only(self) -> bool:
        """Whether the cache is for reading only: of others, whose cleaners know nothing of us."""
        return self._root.exists() and not os.access(self._root, os.W_OK)

    @contextmanager
    def hold(self, name: str, *, wait: bool = True, shared: bool = False) -> Iterator[bool]:
        """Hold the lock ``name``, or yield False where another process has it."""
        self._locks.mkdir(parents=True, exist_ok=True)
        how = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB)
        while True:
            with open(self._locks / name, "ab") as stream:
                try:
                    fcntl.flock(stream, how)
                except BlockingIOError:
                    yield False
                    return
                if _is_at(
                    stream.fileno(), self._locks / name
                ):  # else it was removed while this process waited
                    yield True
                    return

    def is_free(self, name: str) -> bool:
        """Tell whether no process holds the lock ``name``."""
        if not (self._locks / name).exists():
            return True
        with self.hold(name, wait=False) as free:
            return free

    def remove_free(self, path: Path, name: str) -> None:
        """Remove a file or folder that the lock ``name`` guards, and the lock's file, unless a process holds it."""
        with self.hold(name, wait=False) as free:
            if not free:
                return
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
            (self._locks / name).unlink(missing_ok=True)

    @contextmanager
    def register_reader(self) -> Iterator[None]:
        """Tell cleaners that this process needs all results that it looks up meanwhile."""
        with ExitStack() as stack:
            if not self.read_only:
                with self.hold(ALL, shared=True):
                    self._readers.mkdir(exist_ok=True)
                    file = stack.enter_context(tempfile.NamedTemporaryFile(dir=self._readers, delete=False))
                    fcntl.flock(file, fcntl.LOCK_EX)
                stack.callback(os.unlink, file.name)  # while its lock is held: no cleaner removes it first
            yield

    @contextmanager
    def hold_for_cleaning(self) -> Iterator[float]:
        """Keep all others from adding and looking up; yield since when the longest reader has been one."""
        with self.hold(ALL):
            begun = [time.time()]
            for reader in self._readers.glob("*"):
                with suppress(FileNotFoundError):  # it has just ended
                    begun += _since(reader)
            yield min(begun)


def _is_at(number: int, path: Path) -> bool:
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(number), path.stat())
    return False


def _since(reader: Path) -> list[float]:
    """Return since when a process has been a reader; nothing if it was killed, and its file is removed."""
    with open(reader, "rb") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return [reader.stat().st_mtime]
        reader.unlink()
        return []
