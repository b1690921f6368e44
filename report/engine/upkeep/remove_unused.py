"""What of a cache may go: by age and size, and never what the newest build of a study needs.

Builds may run on the same cache meanwhile. Whoever looks a result up or adds one shares a lock that the cleaner
holds alone, so it never sees bytes whose record is about to be written, and nobody takes a result that is about
to go. A record's time is set whenever it is looked up, and a build stays registered as a reader until it ends:
what was used since the longest reader began is left alone, however old it is. Scratch, temporary folders and
lock files of a stage are removed only under the lock of that stage. Records go before the bytes that no record
refers to any more: a cleaner that is killed leaves bytes too many, never a record without its bytes.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from report.engine.store import Record, Store
from report.engine.system.files import translate_disk_errors

DAY = 86_400.0
DAMAGED = "damaged records"
OTHER = "results in another format"


@dataclass(frozen=True)
class Result:
    """A record in the cache: its file, when it was used last (seconds since the epoch), its size in bytes."""

    record: Record
    path: Path
    used: float
    size: int

    @property
    def blobs(self) -> dict[str, int]:
        """The sizes of its files by their digests."""
        return {entry["sha256"]: entry["size"] for entry in self.record.outputs.values()}


@dataclass(frozen=True)
class Waste:
    """A file or folder that may go, of ``size`` bytes; while the lock of this name is held, it stays."""

    what: str
    path: Path
    size: int
    lock: str = ""


@dataclass(frozen=True)
class Removal:
    """What went, or would go: results, least recently used first, and all files; and how many bytes are left.

    ``needed`` bytes of them are what the newest builds refer to.
    """

    results: list[Result]
    waste: list[Waste]
    left: int
    needed: int

    def by_kind(self) -> dict[str, list[int]]:
        """Return the sizes of what went, by what it was."""
        sizes: dict[str, list[int]] = {}
        for waste in self.waste:
            sizes.setdefault(waste.what, []).append(waste.size)
        return sizes


def collect(cache: Path, *, keep_days: float, max_size: int | None = None, dry_run: bool = False) -> Removal:
    """Remove what was not used for ``keep_days``, then the least recently used down to ``max_size`` bytes.

    What the newest build of a plan needs and what running builds use stays, even if that is more. Results in
    another format go by age alone.
    """
    store = Store(cache)
    with translate_disk_errors(store.cache), store.locks.hold_for_cleaning() as readers_began:
        oldest = min(time.time() - keep_days * DAY, readers_began)
        found = list_results(store)
        total = folder_size(store.root)
        needed = {key for plan in store.plans() for key in store.latest(plan).values()}
        sure = sum(waste.size for waste in _leftovers(store, found, oldest))
        surplus = 0 if max_size is None else total - sure - max_size
        free = [r for r in found if r.record.key not in needed and r.used < readers_began]
        going = _least_used(free, found, oldest, surplus)
        staying = [result for result in found if result not in going]
        waste = [Waste("results", result.path, result.size) for result in going]
        waste += _leftovers(store, staying, oldest)
        left = total - sum(item.size for item in waste)
        waste += _of_other_versions(store, oldest)
        for item in () if dry_run else waste:
            _remove(store, item)
    return Removal(going, waste, left, results_size(r for r in found if r.record.key in needed))


def list_results(store: Store) -> list[Result]:
    """Return all sound records of the cache, least recently used first."""
    found = []
    for path in sorted(store.root.glob("actions/*/*.json")):
        record = store.find_record(path.stem)
        if record:
            status = path.stat()
            found.append(Result(record, path, status.st_mtime, status.st_size))
    return sorted(found, key=lambda result: result.used)


def results_size(found: Iterable[Result]) -> int:
    """Return how many bytes results take together; bytes that several refer to count once."""
    chosen = list(found)
    blobs = {sha256: size for result in chosen for sha256, size in result.blobs.items()}
    return sum(blobs.values()) + sum(result.size for result in chosen)


def folder_size(folder: Path) -> int:
    """Return how many bytes all files in a folder have."""
    return sum(status.st_size for _, status in _stat(_files(folder)))


def _files(folder: Path) -> Iterator[Path]:
    return (Path(inside, name) for inside, _, names in os.walk(folder) for name in names)


def _stat(paths: Iterable[Path]) -> Iterator[tuple[Path, os.stat_result]]:
    for path in paths:
        with suppress(FileNotFoundError):  # a build that runs just now has removed it
            yield path, path.lstat()


def _least_used(free: list[Result], found: list[Result], oldest: float, surplus: int) -> list[Result]:
    """Return the results of ``free`` that were used before ``oldest``, and more while there is a surplus."""
    references = Counter(sha256 for result in found for sha256 in result.blobs)
    going = []
    for result in free:
        if result.used >= oldest and surplus <= 0:
            break
        going.append(result)
        references.subtract(result.blobs.keys())
        surplus -= result.size + sum(size for sha256, size in result.blobs.items() if not references[sha256])
    return going


def _leftovers(store: Store, staying: list[Result], oldest: float) -> Iterator[Waste]:
    """Yield what is nobody's, or was not touched since ``oldest``, when only the results ``staying`` are there."""
    keys = {result.record.key for result in staying}
    yield from find_unreferenced(store, staying)
    for folder in (*store.root.glob("scratch/*"), *store.root.glob("jobs/*")):
        old = max((status.st_mtime for _, status in _stat([folder, *_files(folder)])), default=0.0) < oldest
        if (old or folder.name in keys) and store.locks.is_free(folder.name):
            yield Waste("scratch", folder, folder_size(folder), folder.name)
    for folder in store.root.glob("tmp/*"):
        if store.locks.is_free(folder.name):
            yield Waste("unfinished runs", folder, folder_size(folder), folder.name)
    last = {key for plan in store.plans() for key in store.latest(plan, "runs").values()}
    yield from _old(store, "logs", "logs/*.log", keys | last, oldest)
    sources = {digest for result in staying for digest in result.record.recipe["inputs"].values()}
    yield from _old(store, "lists of files", "index/trees/*.json", sources, oldest)
    for pattern in ("latest/*/.*", "index/.*", "index/trees/.*"):
        yield from _old(store, "half written", pattern, (), oldest - DAY)
    for path in store.root.glob("locks/*"):
        if store.locks.is_free(path.name):
            yield Waste("locks", path, 0, path.name)


def _of_other_versions(store: Store, oldest: float) -> Iterator[Waste]:
    """Yield the folders in another format of which nothing was touched since ``oldest``."""
    for folder in store.other_formats():
        if max((status.st_mtime for _, status in _stat(_files(folder))), default=0.0) < oldest:
            yield Waste(OTHER, folder, folder_size(folder), folder.name)


def find_unreferenced(store: Store, staying: list[Result]) -> Iterator[Waste]:
    """Yield what can be no result: damaged or half written records, and bytes of none of ``staying``."""
    for path, status in _stat(store.root.glob("actions/*/*")):
        if not store.find_record(path.stem):
            yield Waste(DAMAGED if path.suffix == ".json" else "half written", path, status.st_size)
    referred = {store.blob(sha256) for result in staying for sha256 in result.blobs}
    for path, status in _stat(store.root.glob("blobs/*/*")):
        if path not in referred:
            yield Waste("bytes", path, status.st_size)


def _old(store: Store, what: str, pattern: str, kept: Collection[str], oldest: float) -> Iterator[Waste]:
    for path, status in _stat(store.root.glob(pattern)):
        if path.stem not in kept and status.st_mtime < oldest:
            yield Waste(what, path, status.st_size)


def _remove(store: Store, waste: Waste) -> None:
    if waste.lock:
        store.locks.remove_free(waste.path, waste.lock)
    else:
        waste.path.unlink(missing_ok=True)
