"""Who uses a cache: locks that end with their process, and a file for each process that reads results."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ALL = "cache"
"""The lock that is shared by whoever adds or looks up a result, and held alone by whoever removes some."""


class Locks:
    """The locks and the readers of the cache in the folder ``root``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._is_reader = False

    @contextmanager
    def hold(self, name: str, *, wait: bool = True, shared: bool = False) -> Iterator[bool]:
        """Hold the lock ``name``, or tell that another process has it."""
        path = self._file(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        how = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB)
        while True:
            with open(path, "ab") as stream:
                try:
                    fcntl.flock(stream, how)
                except BlockingIOError:
                    yield False
                    return
                if _is_at(stream.fileno(), path):  # else its file was removed while this process waited
                    yield True
                    return

    def is_free(self, name: str) -> bool:
        """Tell whether no process holds the lock ``name``."""
        if not self._file(name).exists():
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
            self._file(name).unlink(missing_ok=True)

    @contextmanager
    def read(self) -> Iterator[None]:
        """Keep cleaners out for a moment; from now on this process is a reader, as long as this object lives."""
        with self.hold(ALL, shared=True):
            if not self._is_reader:
                self._register()
            yield

    def _register(self) -> None:
        folder = self.root / "readers"
        folder.mkdir(exist_ok=True)
        number, path = tempfile.mkstemp(dir=folder, prefix=f"{os.getpid()}-")
        fcntl.flock(number, fcntl.LOCK_EX)
        weakref.finalize(self, _sign_off, number, Path(path))
        self._is_reader = True

    @contextmanager
    def clean(self) -> Iterator[float]:
        """Keep all others from adding and looking up; yield since when the longest reader has been one."""
        with self.hold(ALL):
            begun = [time.time()]
            for reader in (self.root / "readers").glob("*"):
                with suppress(FileNotFoundError):  # it has just ended
                    begun += _since(reader)
            yield min(begun)

    def _file(self, name: str) -> Path:
        return self.root / "locks" / name


def _is_at(number: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(number), path.stat())
    except FileNotFoundError:
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


def _sign_off(number: int, reader: Path) -> None:
    reader.unlink(missing_ok=True)
    os.close(number)
