"""Files that are whole or not there, whatever happens meanwhile, and what a disk refuses."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import tempfile
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


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that it has its old content or the new one, whatever happens meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as stream:
        beside = Path(stream.name)
        try:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
            beside.chmod(0o644)
            beside.replace(path)
        except BaseException:
            beside.unlink(missing_ok=True)  # on a full disk it would be in the way
            raise
    sync(path.parent)


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
