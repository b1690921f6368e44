"""Where results are kept: bytes under their digest, records under their key, complete or not at all.

``actions/<key>.json`` is the record of a result and ``blobs/<sha256>`` are its bytes. Blobs come first and
the record last, each written beside its place, synced and renamed. The time of a record is when it was used
last, and a file in ``readers/`` stands for each process that uses results now: ``report.engine.upkeep`` goes by both.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, TypedDict

from report.engine.stage import Json, Output, Stage, is_included
from report.engine.system.files import (
    digest_file,
    read_json,
    remember,
    sync,
    translate_disk_errors,
    write_atomically,
)
from report.engine.system.locks import ALL, Locks
from report.errors import DamagedError, StageError, and_more

FORMAT = 2
SYNCING_THREADS = 8
Deed = Literal["reads", "imports", "uses"]
DECLARED_IN: dict[Deed, str] = {
    "reads": "inputs",
    "imports": "packages",
    "uses": "uses",
}
"""Where a stage declares what it does."""


class Entry(TypedDict):
    """One file of a result."""

    sha256: str
    size: int


class Undeclared(TypedDict):
    """Something that a stage did though its key does not cover it: what it did, and to which file or module."""

    did: Deed
    name: str


Files = Mapping[str, Entry]
"""The files of a result by their posix path inside its folder."""


@dataclass(frozen=True)
class Record:
    """How a result was made, and what it consists of; ``undeclared`` is what its key does not cover."""

    key: str
    stage: str
    recipe: dict[str, Any]
    outputs: Files
    digest: str
    seconds: float
    host: dict[str, Json]
    finished: str
    undeclared: list[Undeclared] = field(default_factory=list)


def canonical(value: Json) -> bytes:
    """Return the one JSON text of ``value``; NaN and infinity raise ``ValueError``."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def digest_json(value: Any) -> str:
    """Return the sha256 of the canonical JSON of ``value``."""
    return hashlib.sha256(canonical(value)).hexdigest()


def digest_files(files: Files) -> str:
    """Return one digest of the names and contents of ``files``, the same wherever they lie."""
    return digest_json({name: entry["sha256"] for name, entry in files.items()})


def sound_record(table: dict[str, Any], key: str) -> Record | None:
    """Return the record of ``key`` that ``table`` is; None if it is another's or damaged."""
    with suppress(TypeError, KeyError, AttributeError):
        record = Record(**table)
        is_sound = record.digest == digest_files(record.outputs)
        if is_sound and record.key == key == digest_json(record.recipe):
            return record
    return None


def input_files(stage: Stage, records: Mapping[str, Record]) -> dict[str, Files]:
    """Return the files that a stage takes, by the name of its input, of those results that are in ``records``."""
    return {
        name: {f: entry for f, entry in records[of.stage].outputs.items() if is_included(f, of.include)}
        for name, of in stage.inputs.items()
        if isinstance(of, Output) and of.stage in records
    }


def undeclared_error(stage: str, undeclared: Sequence[Undeclared], declared_in: str) -> StageError | None:
    """Return the error of a stage that reads, imports or uses what its key does not cover; None if it does not."""
    if not undeclared:
        return None
    first = undeclared[0]
    message = f"{stage}: {describe_undeclared(first)}{and_more(len(undeclared))}"
    return StageError(message, hint=f"name it in `{DECLARED_IN[first['did']]}` of the stage in {declared_in}")


def describe_undeclared(what: Undeclared) -> str:
    """Return ``reads /etc/hosts, which its key does not cover``."""
    return f"{what['did']} {what['name']}, which its key does not cover"


class Store:
    """The results in one cache folder."""

    def __init__(self, cache: Path) -> None:
        self.cache = Path(cache).absolute()
        self.root = self.cache / f"v{FORMAT}"
        self.index = self.root / "index"
        self.locks = Locks(self.root)

    def other_formats(self) -> list[Path]:
        """Return the folders with results in another format, of other versions of this program."""
        return [path for path in sorted(self.cache.glob("v*")) if path.is_dir() and path != self.root]

    def read(self, key: str) -> Record | None:
        """Return the record of ``key`` if all its files are there in their full length; it counts as used now."""
        if self.locks.read_only:
            return self._whole(key)
        with self.locks.hold(ALL, shared=True):
            record = self._whole(key)
            if record:
                os.utime(self.action(key))
            return record

    def _whole(self, key: str) -> Record | None:
        record = self.find_record(key)
        return record if record and all(map(self.has_bytes, record.outputs.values())) else None

    def find_record(self, key: str) -> Record | None:
        """Return the record of ``key``, whether its files are there or not; None if it is damaged."""
        return sound_record(read_json(self.action(key)) or {}, key)

    def keep(self, record: Record, out: Path) -> None:
        """Move the files of ``out`` into the store, then write the record."""
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(SYNCING_THREADS) as pool:  # file systems take many at once
            list(pool.map(sync, [out / name for name in record.outputs]))
        with self.locks.hold(ALL, shared=True):
            for name, entry in record.outputs.items():
                blob = self.blob(entry["sha256"])
                blob.parent.mkdir(parents=True, exist_ok=True)
                (out / name).chmod(0o444)
                (out / name).replace(blob)
            for folder in {self.blob(entry["sha256"]).parent for entry in record.outputs.values()}:
                sync(folder)
            write_atomically(self.action(record.key), canonical(asdict(record)))

    def action(self, key: str) -> Path:
        """Return where the record of this key lies."""
        return self.root / "actions" / key[:2] / f"{key}.json"

    def blob(self, sha256: str) -> Path:
        """Return where the bytes with this digest lie."""
        return self.root / "blobs" / sha256[:2] / sha256

    def sound_path(self, entry: Entry, stage: str) -> Path:
        """Return the path of the bytes of a file of ``stage`` after reading them through.

        Raises
        ------
        DamagedError
            The bytes are not those of the digest; they are removed so that the next build makes them anew.
        """
        path = self.blob(entry["sha256"])
        if not self.has_bytes(entry) or digest_file(path) != entry["sha256"]:
            with translate_disk_errors(self.cache):
                path.unlink(missing_ok=True)
            message = f"{stage}: its result is damaged in the cache, and removed: {path}"
            raise DamagedError(message, hint=f"run the same command again: {stage} is made anew", file=path)
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
        self._write_pointers(plan, kind, {**self.latest(plan, kind), **keys})

    def forget_others(self, plan: str, stages: Container[str]) -> None:
        """Remember of a plan only these stages: what others have made may be collected."""
        for kind in ("results", "runs"):
            kept = {name: key for name, key in self.latest(plan, kind).items() if name in stages}
            self._write_pointers(plan, kind, kept)

    def _write_pointers(self, plan: str, kind: str, keys: Mapping[str, Json]) -> None:
        if keys != self.latest(plan, kind):
            remember(self._pointers(plan, kind), canonical({**keys}))

    @contextmanager
    def lend_run_folder(self, name: str) -> Iterator[Path]:
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
        left = (*self.root.glob("scratch/*"), *self.root.glob("jobs/*"))
        stored = [folder for folder in left if self.find_record(folder.name)]
        for folder in (*(self.root / "tmp").glob("*"), *stored):
            self.locks.remove_free(folder, folder.name)

    def has_bytes(self, entry: Entry) -> bool:
        """Tell whether a file has its bytes here, all of them by their number."""
        try:
            return self.blob(entry["sha256"]).stat().st_size == entry["size"]
        except FileNotFoundError:
            return False

    def _pointers(self, plan: str, kind: str) -> Path:
        return self.root / "latest" / plan / f"{kind}.json"
