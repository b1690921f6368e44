"""Whether all that is in a cache is what its names say: every byte, and every record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from report.engine.sources import HASHING_THREADS, OnRead
from report.engine.store import Store
from report.engine.system.files import digest_file, translate_disk_errors
from report.engine.upkeep.remove_unused import (
    DAMAGED,
    Result,
    Waste,
    find_unreferenced,
    folder_size,
    list_results,
    results_size,
)


@dataclass(frozen=True)
class Damage:
    """A file of the cache that is not what it should be, and the stages whose results are lost by it."""

    what: str
    path: Path
    stages: tuple[str, ...]


@dataclass(frozen=True)
class Findings:
    """What a check has found.

    Attributes
    ----------
    files, records : int
        How many are there.
    damage : list of Damage
        What is damaged or missing; after a repair, what was.
    strays : list of Path
        Files that no record refers to. They are harmless: a build that was killed can leave some.
    sizes : mapping of str to int
        Bytes by plan, those that several plans need counted for each, and of what no plan needs.
    """

    files: int
    records: int
    damage: list[Damage]
    strays: list[Path]
    sizes: Mapping[str, int]


def check(cache: Path, *, repair: bool = False, on_read: OnRead | None = None) -> Findings:
    """Read everything through; with ``repair`` remove what is damaged, to be made anew when it is needed.

    Builds may go on meanwhile: nothing is locked while files are read, and what looked wrong is looked at
    once more while nobody adds or removes results.
    """
    store = Store(cache)
    with translate_disk_errors(store.cache):
        paths = sorted(store.root.glob("blobs/*/*"))
        suspects = [path for path, sound in zip(paths, _read(paths, on_read), strict=True) if not sound]
        with store.locks.hold_for_cleaning():
            found = list_results(store)
            wrong = {path for path in suspects if not _is_sound(path)}
            broken = [result for result in found if any(_is_lost(p, wrong) for p in _paths(store, result))]
            nobodys = list(find_unreferenced(store, found))
            damage = [*_damaged_records(store, nobodys), *_damaged_files(store, broken, wrong)]
            strays = [waste.path for waste in nobodys if waste.what != DAMAGED]
            sizes = _sizes(store, found)
            if repair:
                _remove(store, found, broken)
    return Findings(len(paths), len(found), damage, strays, sizes)


def _read(paths: list[Path], on_read: OnRead | None) -> Iterator[bool]:
    with ThreadPoolExecutor(HASHING_THREADS) as pool:
        for done, sound in enumerate(pool.map(_is_sound, paths), 1):
            if on_read:
                on_read(done, len(paths))
            yield sound


def _is_sound(path: Path) -> bool:
    """Tell whether a file has the content that its name is the digest of, or is gone meanwhile."""
    with suppress(FileNotFoundError):
        return digest_file(path) == path.name
    return True


def _paths(store: Store, result: Result) -> set[Path]:
    return {store.blob(sha256) for sha256 in result.blobs}


def _is_lost(path: Path, wrong: set[Path]) -> bool:
    return path in wrong or not path.exists()


def _damaged_records(store: Store, nobodys: list[Waste]) -> Iterator[Damage]:
    for waste in nobodys:
        if waste.what == DAMAGED:
            yield Damage("damaged record", waste.path, _names(store, waste.path.stem, "an older result"))


def _damaged_files(store: Store, broken: list[Result], wrong: set[Path]) -> Iterator[Damage]:
    users: dict[Path, list[str]] = {}
    for result in broken:
        for path in _paths(store, result):
            if _is_lost(path, wrong):
                users.setdefault(path, []).extend(
                    _names(store, result.record.key, f"{result.record.stage} (an older result)")
                )
    for path, stages in sorted(users.items()):
        yield Damage("damaged file" if path in wrong else "missing file", path, tuple(stages))


def _names(store: Store, key: str, other: str) -> tuple[str, ...]:
    """Return the stages, with their plans, that have the result ``key`` in the newest build; else ``other``."""
    known = [
        f"{stage} of {plan}" for plan in store.plans() for stage, k in store.latest(plan).items() if k == key
    ]
    return tuple(known) or (other,)


def _remove(store: Store, found: list[Result], broken: list[Result]) -> None:
    lost = {result.path for result in broken}
    for path in lost:
        path.unlink(missing_ok=True)
    for waste in list(find_unreferenced(store, [result for result in found if result.path not in lost])):
        waste.path.unlink(missing_ok=True)


def _sizes(store: Store, found: list[Result]) -> dict[str, int]:
    by_plan = {plan: set(store.latest(plan).values()) for plan in store.plans()}
    sizes = {plan: _size(found, keys) for plan, keys in by_plan.items()}
    needed = set().union(*by_plan.values())
    return {
        **sizes,
        "older results": results_size(found) - _size(found, needed),
        "unfinished runs": folder_size(store.root / "scratch") + folder_size(store.root / "tmp"),
    }


def _size(found: list[Result], keys: set[str]) -> int:
    return results_size(result for result in found if result.record.key in keys)
