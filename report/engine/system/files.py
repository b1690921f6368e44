"""Files that are whole or not there, whatever happens meanwhile, and what a disk refuses."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from report.errors import EnvironmentProblem

FULL = {errno.ENOSPC, errno.EDQUOT}
READ_ONLY = {errno.EROFS, errno.EACCES, errno.EPERM}


def digest_file(path: str | Path) -> str:
    """Return the sha256 of the content of a file."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_json(path: Path) -> dict[str, Any] | None:
    """Return the table in a JSON file; None where there is none or it is damaged."""
    try:
        found = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def write_atomically(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Write a file so that it has its old content or the new one, whatever happens meanwhile.

    Parameters
    ----------
    path : Path
        Where it lies; missing folders are made.
    content : bytes
        The whole content.
    durable : bool
        Wait until it is on the disk, for others to read too: what is written after it is never there without it.

    Raises
    ------
    OSError
        The disk refuses; the error names ``path``.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}-{time.monotonic_ns()}")
    try:
        with open(beside, "xb") as stream:
            stream.write(content)
            if durable:
                stream.flush()
                os.fsync(stream.fileno())
                beside.chmod(0o644)
        beside.replace(path)
    except OSError as error:
        error.filename, error.filename2 = str(path), None
        raise
    finally:
        beside.unlink(missing_ok=True)  # on a full disk it would be in the way
    if durable:
        sync(path.parent)


def write_if_changed(path: Path, content: bytes) -> None:
    """Write a file unless it has this content already, so that its time is that of the last change."""
    if not (path.is_file() and path.read_bytes() == content):
        write_atomically(path, content, durable=False)


def remember(path: Path, content: bytes) -> None:
    """Write what saves time or explains, and no result needs: nothing where the disk is for reading only."""
    try:
        write_atomically(path, content)
    except OSError as error:
        if error.errno not in READ_ONLY:
            raise


def sync(path: Path) -> None:
    """Wait until a file, or the list of what is in a folder, is on the disk."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


@contextmanager
def translate_disk_errors(cache: Path) -> Iterator[None]:
    """Turn a full disk and a cache that cannot be written into errors that say so."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            message = f"no room left on the disk of {error.filename or cache}"
            raise EnvironmentProblem(message, hint="make room, or use another disk: --cache DIR") from error
        inside = str(error.filename or "").startswith(str(cache))
        if inside and error.errno in {*READ_ONLY, errno.ENOTDIR, errno.EEXIST}:
            message = f"the cache cannot be written: {cache}: {error.strerror}"
            raise EnvironmentProblem(message, hint="use another folder: --cache DIR") from error
        raise


@contextmanager
def explain_refusals(target: Path, hint: str) -> Iterator[None]:
    """Turn what a disk refuses while ``target`` is written into an error that names the file.

    Raises
    ------
    EnvironmentProblem
        With ``hint``.
    """
    try:
        yield
    except OSError as error:
        place = error.filename or target
        raise EnvironmentProblem(f"{place}: cannot be written: {error.strerror}", hint=hint) from error
