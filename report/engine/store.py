"""Where results are kept: bytes under their digest, records under their key, complete or not at all.

``actions/<key>.json`` is the record of a result and ``blobs/<sha256>`` are its bytes. Blobs come first and
the record last, each written beside its place, synced and renamed. The time of a record is when it was used
last, and a file in ``readers/`` stands for each process that uses results now: ``housekeeping`` goes by both.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypedDict

from report.engine.locks import ALL, Locks
from report.engine.stage import Json, Output, included
from report.errors import EnvironmentProblem, StageError

FORMAT = 1
SYNCING_THREADS = 8


class Entry(TypedDict):
    """One file of a result."""

    sha256: str
    size: int


Files = Mapping[str, Entry]
"""The files of a result by their posix path inside its folder."""


@dataclass(frozen=True)
class Record:
    """How a result was made, and what it consists of; ``undeclared`` is what was read beside the recipe."""

    key: str
    stage: str
    recipe: dict[str, Any]
    outputs: Files
    digest: str
    seconds: float
    host: dict[str, Json]
    finished: str
    undeclared: list[str] = field(default_factory=list)


def canonical(value: Json) -> bytes:
    """Return the one JSON text of ``value``; NaN and infinity raise ``ValueError``."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def digest_json(value: Any) -> str:
    """Return the sha256 of the canonical JSON of ``value``."""
    return hashlib.sha256(canonical(value)).hexdigest()


def digest_files(files: Files) -> str:
    """Return one digest of the names and contents of ``files``, the same wherever they lie."""
    return digest_json({name: entry["sha256"] for name, entry in files.items()})


def chosen(files: Files, output: Output) -> Files:
    """Return the files of a result that an input takes."""
    return {name: entry for name, entry in files.items() if included(name, output.include)}


def digest_file(path: str | Path) -> str:
    """Return the sha256 of the content of a file."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_whole(path: Path, content: bytes) -> None:
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
    _sync(path.parent)


def remember(path: Path, content: bytes) -> None:
    """Write what saves time or explains, and no result needs: nothing where the cache is for reading only."""
    try:
        write_whole(path, content)
    except OSError as error:
        if error.errno not in {errno.EROFS, errno.EACCES}:
            raise


def _sync(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def read_json(path: Path) -> dict[str, Any] | None:
    """Return the table in a JSON file; None where there is none or it is damaged."""
    try:
        found = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return found if isinstance(found, dict) else None


@contextmanager
def environment_problems(cache: Path) -> Iterator[None]:
    """Turn a full disk and a cache that cannot be written into errors that say so."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            message = f"no room left on the disk of {error.filename or cache}"
            raise EnvironmentProblem(message, hint="make room, or use another disk: --cache DIR") from error
        inside = str(error.filename or "").startswith(str(cache))
        if inside and error.errno in {
            errno.EACCES,
            errno.EPERM,
            errno.EROFS,
            errno.ENOTDIR,
            errno.EEXIST,
            errno.ENOENT,
        }:
            message = f"the cache cannot be written: {error.filename}: {error.strerror}"
            raise EnvironmentProblem(message, hint="use another folder: --cache DIR") from error
        raise


class Store:
    """The results in one cache folder."""

    def __init__(self, cache: Path) -> None:
        self.cache = Path(cache).absolute()
        self.root = self.cache / f"v{FORMAT}"
        self.index = self.root / "index"
        self.locks = Locks(self.root)

    def read(self, key: str) -> Record | None:
        """Return the record of ``key`` if all its files are there in their full length; it counts as used now."""
        if self.root.exists() and not os.access(self.root, os.W_OK):
            return self._whole(key)  # a cache of others', who know nothing of us
        with self.locks.read():
            record = self._whole(key)
            if record:
                os.utime(self._action(key))
            return record

    def _whole(self, key: str) -> Record | None:
        record = self.record(key)
        return record if record and all(map(self.is_there, record.outputs.values())) else None

    def record(self, key: str) -> Record | None:
        """Return the record of ``key``, whether its files are there or not; None if it is damaged."""
        found = read_json(self._action(key))
        try:
            record = Record(**found) if found else None
            sound = (
                record
                and record.key == key == digest_json(record.recipe)
                and digest_files(record.outputs) == record.digest
            )
        except (TypeError, KeyError, AttributeError):
            return None
        return record if sound else None

    def keep(self, record: Record, out: Path) -> None:
        """Move the files of ``out`` into the store, then write the record."""
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(SYNCING_THREADS) as pool:  # file systems take many at once
            list(pool.map(_sync, [out / name for name in record.outputs]))
        with self.locks.hold(ALL, shared=True):
            self._move(record, out)
            write_whole(self._action(record.key), canonical(asdict(record)))

    def _move(self, record: Record, out: Path) -> None:
        blobs = {name: self.blob(entry["sha256"]) for name, entry in record.outputs.items()}
        for name, blob in blobs.items():
            (out / name).chmod(0o444)
            blob.parent.mkdir(parents=True, exist_ok=True)
            (out / name).replace(blob)
        for folder in {blob.parent for blob in blobs.values()}:
            _sync(folder)

    def blob(self, sha256: str) -> Path:
        """Return where the bytes with this digest lie."""
        return self.root / "blobs" / sha256[:2] / sha256

    def checked(self, entry: Entry) -> Path:
        """Return the path of a file's bytes after reading them through.

        Raises
        ------
        StageError
            The bytes are not those of the digest; they are removed so that the next build makes them anew.
        """
        path = self.blob(entry["sha256"])
        if not self.is_there(entry) or digest_file(path) != entry["sha256"]:
            with environment_problems(self.cache):
                path.unlink(missing_ok=True)
            message = f"{path}: damaged in the cache, and removed"
            raise StageError(message, hint="run the same command again: what is missing is made anew")
        return path

    def log(self, key: str) -> Path:
        """Return where the output of the stage's last run lies."""
        return self.root / "logs" / f"{key}.log"

    def scratch(self, key: str) -> Path:
        """Return the folder that outlives an interrupted run."""
        return self.root / "scratch" / key

    def latest(self, plan: str, kind: str = "results") -> dict[str, str]:
        """Return the keys of the last results, or of the last ``"runs"``, of the stages of a plan."""
        return read_json(self._pointers(plan, kind)) or {}

    def plans(self) -> list[str]:
        """Return the names of all plans that were built with this cache."""
        return sorted(path.parent.name for path in self.root.glob("latest/*/results.json"))

    def point(self, plan: str, keys: Mapping[str, str], kind: str = "results") -> None:
        """Remember the last results or runs of some stages of a plan."""
        old = self.latest(plan, kind)
        if old != {**old, **keys}:
            remember(self._pointers(plan, kind), canonical({**old, **keys}))

    @contextmanager
    def run_folder(self, name: str) -> Iterator[Path]:
        """Lend an empty folder to one process at a time; another one waits here."""
        with self.locks.hold(name):
            folder = self.root / "tmp" / name
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    def sweep(self) -> None:
        """Remove what killed runs have left, apart from scratch that their stages can go on from."""
        stored = [folder for folder in (self.root / "scratch").glob("*") if self.record(folder.name)]
        for folder in (*(self.root / "tmp").glob("*"), *stored):
            self.locks.remove_free(folder, folder.name)

    def is_there(self, entry: Entry) -> bool:
        """Tell whether a file has its bytes here, all of them by their number."""
        try:
            return self.blob(entry["sha256"]).stat().st_size == entry["size"]
        except FileNotFoundError:
            return False

    def _action(self, key: str) -> Path:
        return self.root / "actions" / key[:2] / f"{key}.json"

    def _pointers(self, plan: str, kind: str) -> Path:
        return self.root / "latest" / plan / f"{kind}.json"
