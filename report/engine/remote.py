"""A cache that machines share: a build takes results from it in place of running stages, and gives it what it ran.

It lies at any address of fsspec and is laid out as a `Store`: the same blobs, the same records, blobs first. Only stages
that are ``shared`` have results there. Who may write it is trusted; all that comes from it is checked by its digests.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

from report.engine.events import OnEvent, Warned
from report.engine.stage import Stage
from report.engine.store import Entry, Record, Store, sound_record
from report.engine.system.files import digest_file
from report.errors import DamagedError, EnvironmentProblem

PATIENCE_SECONDS = 30.0
"""So long a result may take to come or go; longer, where its stage ran longer."""
BRIEF = {"connect_timeout": 5, "read_timeout": 10, "retries": {"max_attempts": 0}}  # it is tried five times
OPTIONS: dict[str, dict[str, Any]] = {"s3": {"config_kwargs": BRIEF}, "file": {"auto_mkdir": True}}
"""What a file system is to be told, by its protocol."""
T = TypeVar("T")


class Remote:
    """The shared cache at ``address``; what goes wrong there is warned of, and the build does without it.

    After the first failure it is not asked again. Where writing alone is refused, results are still taken.
    """

    def __init__(self, address: str, store: Store, on_event: OnEvent, *, writes: bool = True) -> None:
        self._address, self._store, self._on_event = address, store, on_event
        self._reads, self._writes, self._damaged = bool(address), bool(address) and writes, False
        self._asked: set[str] = set()

    def open(self, stages: Iterable[Stage]) -> None:
        """Refuse an address that is none before any of these stages runs.

        Raises
        ------
        EnvironmentProblem
            There is no such file system, or its package is missing.
        """
        for stage in stages:
            if self._reads and stage.shared:
                with self._spared(stage):
                    _within(PATIENCE_SECONDS, lambda: self._files)

    def fetch(self, stage: Stage, key: str) -> Record | None:
        """Return the record of ``key``, in the store with its files by now; None where it cannot be had."""
        if not (self._reads and stage.shared) or key in self._asked:
            return None
        self._asked.add(key)
        with self._spared(stage):
            if record := _within(PATIENCE_SECONDS, lambda: self._find(key)):
                return _within(max(PATIENCE_SECONDS, record.seconds), lambda: self._take(record))
        return None

    def push(self, stage: Stage, record: Record) -> None:
        """Give a result that the store has: with files that may lie there already, as they may be damaged."""
        if not (self._writes and stage.shared) or record.undeclared:
            return
        with self._spared(stage, writing=True):
            _within(max(PATIENCE_SECONDS, record.seconds), lambda: self._give(record))

    def _find(self, key: str) -> Record | None:
        try:
            text = self._files.cat_file(self._place(self._store.action(key)))
        except FileNotFoundError:
            return None
        with suppress(ValueError):
            if record := sound_record(json.loads(text), key):
                return record
        raise DamagedError(f"record of {key}")

    def _take(self, record: Record) -> Record:
        with self._store.lend_run_folder(f"{record.key}-remote") as folder:
            for name, entry in record.outputs.items():
                path = folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                with suppress(FileNotFoundError):
                    self._files.get_file(self._place(self._store.blob(entry["sha256"])), str(path))
                found = path.is_file() and Entry(sha256=digest_file(path), size=path.stat().st_size)
                if found != entry:
                    raise DamagedError(f"{name} of {record.stage}")
            self._store.keep(record, folder)
        return record

    def _give(self, record: Record) -> None:
        blobs = {self._store.blob(entry["sha256"]) for entry in record.outputs.values()}
        for path in (*sorted(blobs), self._store.action(record.key)):
            self._files.put_file(str(path), self._place(path))

    @cached_property
    def _files(self) -> Any:
        """The file system of the address; ``EnvironmentProblem`` if there is none such, or its package is missing."""
        import fsspec

        protocol = fsspec.utils.get_protocol(self._address)
        try:
            return fsspec.url_to_fs(self._address, skip_instance_cache=True, **OPTIONS.get(protocol, {}))[0]
        except (ImportError, ValueError) as error:
            hint = "pip install 'xray-report[s3]'" if protocol == "s3" else "see REPORT_CACHE_REMOTE"
            raise EnvironmentProblem(f"no shared cache at {self._address}: {error}", hint=hint) from error

    def _place(self, path: Path) -> str:
        return f"{self._address.rstrip('/')}/{path.relative_to(self._store.cache).as_posix()}"

    @contextmanager
    def _spared(self, stage: Stage, *, writing: bool = False) -> Iterator[None]:
        """Warn of what goes wrong inside, and remember what is not to be tried again."""
        try:
            yield
        except EnvironmentProblem:  # no such address: the user's to mend
            raise
        except DamagedError as error:
            if not self._damaged:
                self._warn(stage, f"has damaged results: {error}", "what it cannot give is made here")
            self._damaged = True
        except Exception as error:  # noqa: BLE001  # whatever its library raises
            refused = writing and isinstance(error, PermissionError)
            self._reads, self._writes = self._reads and refused, False
            what = "may not be written" if refused else "is left aside in this build"
            reason = " ".join(str(error).split()) or "it takes too long"
            self._warn(stage, f"{what}: {reason}", "results are in the cache of this machine")

    def _warn(self, stage: Stage, what: str, hint: str) -> None:
        problem = EnvironmentProblem(f"the shared cache {self._address} {what}", hint=hint)
        self._on_event(Warned(stage.name, problem))


def _within(seconds: float, function: Callable[[], T]) -> T:
    """Return what ``function`` does; ``TimeoutError`` where it takes longer, and it may then end whenever it does."""
    from concurrent.futures import Future

    future: Future[T] = Future()

    def work() -> None:
        try:
            future.set_result(function())
        except Exception as error:  # noqa: BLE001  # for who waits
            future.set_exception(error)

    Thread(target=work, daemon=True).start()
    return future.result(seconds)
