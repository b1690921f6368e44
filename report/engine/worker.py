"""Runs one stage in a worker process and stores its result."""

from __future__ import annotations

import importlib
import json
import pickle
import shutil
import sys
import time
import traceback
from collections.abc import Iterable, Mapping
from contextlib import chdir, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from report.engine.code import Code, Project
from report.engine.events import Outcome, Progressed
from report.engine.imports import ENGINE, OwnCode, changed_error
from report.engine.recipe import Recipe, Surroundings
from report.engine.sources import list_source
from report.engine.stage import Input, Output, Source, Stage
from report.engine.status import explain_differences
from report.engine.store import (
    Deed,
    Entry,
    Files,
    Record,
    Store,
    Undeclared,
    describe_undeclared,
    digest_files,
    undeclared_error,
)
from report.engine.system import audit, distributions, process
from report.engine.system.files import digest_file, read_json, translate_disk_errors, write_atomically
from report.engine.system.machine import NO_GPU, describe_host
from report.errors import StageError, UserError

PROGRESS_SECONDS = 0.2
PROGRESS = "progress.json"
BEGUN = ".begun"
"""The file in scratch that is as old as this run, and has the seconds that runs before it have left there."""


@dataclass(frozen=True)
class Task:
    """A stage whose inputs are known; ``again`` only compares, and stores nothing."""

    stage: Stage
    key: str
    recipe: Recipe
    inputs: Mapping[str, Files]
    cache: Path
    project: Project
    again: bool = False


class _Process:
    """What this worker process was started with."""

    own_code: OwnCode
    channel: Connection | None
    home: Path


def initialize(
    project: Project, threads: int, home: Path, channel: Connection | None, gpus: str | None = NO_GPU
) -> None:
    """Prepare this process for stages with ``threads`` threads, before anything heavy is imported.

    What its stages report goes into ``channel``, or if there is none into a file in the cache: see `read_progress`.
    They see the ``gpus`` of `report.engine.system.process.fix_environment`.
    """
    process.fix_environment(threads, home, gpus=gpus)
    process.end_with_driver()
    _Process.own_code = OwnCode(project)
    _Process.channel = channel
    _Process.home = home


def execute(task: Task) -> tuple[Record, Outcome]:
    """Return the result of ``task``: found, if another build has just made it, or made here.

    Raises
    ------
    UserError
        As the stage raised it; any other error is a ``StageError``.
    """
    store = Store(task.cache)
    try:
        with (
            translate_disk_errors(task.cache),
            store.lend_run_folder(name_run(task)) as folder,
        ):
            record = None if task.again else store.read(task.key)
            if record:
                return record, "cached"
            with process.capture_output(store.log(task.key)):
                return _run(task, store, folder), "ran"
    except (Exception, SystemExit) as error:  # noqa: BLE001  # whatever a stage raises is for the driver
        raise _portable(error, task.stage.name) from None


def _run(task: Task, store: Store, folder: Path) -> Record:
    scratch = folder / "scratch" if task.again else store.scratch(task.key)
    for path in (scratch, folder / "out", _Process.home):
        path.mkdir(parents=True, exist_ok=True)
    sys.stderr.write(f"{task.stage.name} started\n")
    _refuse_changes(task, store)
    inputs = {name: _input(task, store, name, folder / "inputs" / name) for name in task.stage.inputs}
    before = _resume(scratch)
    started = time.monotonic()
    undeclared = _audited(task, store, inputs, folder, scratch)
    seconds = before + time.monotonic() - started
    _refuse_changes(task, store)
    record = _record(task, folder / "out", seconds, undeclared)
    if not task.again:
        store.keep(record, folder / "out")
        shutil.rmtree(scratch, ignore_errors=True)
    sys.stderr.write(f"{task.stage.name} done in {record.seconds:.1f} s\n")
    return record


def _refuse_changes(task: Task, store: Store) -> None:
    """Refuse to go on if code or sources on disk are not those that the key stands for."""
    now = Surroundings(task.project, store.index).recipe(task.stage, task.recipe["inputs"])
    for difference in explain_differences(task.stage, task.recipe, now, store.index):
        raise changed_error(task.stage.name, difference)


def _input(task: Task, store: Store, name: str, folder: Path) -> Path:
    """Return what the function gets as its input ``name``: a folder of links, or the source itself."""
    where = task.stage.inputs[name]
    if isinstance(where, Output):
        links = {inside: store.sound_path(entry, where.stage) for inside, entry in task.inputs[name].items()}
    elif where.include == Source.include or where.path.is_file():
        return where.path
    else:
        links = {inside: where.path / inside for inside in list_source(where)}
    folder.mkdir(parents=True)
    for inside, target in links.items():
        (folder / inside).parent.mkdir(parents=True, exist_ok=True)
        (folder / inside).symlink_to(target)
    return folder


def _resume(scratch: Path) -> float:
    """Return the seconds of earlier runs, which were ended, up to when they wrote in ``scratch`` last."""
    begun, before = scratch / BEGUN, 0.0
    with suppress(FileNotFoundError, ValueError):
        last = max(path.stat().st_mtime for path in scratch.rglob("*"))
        before = float(begun.read_text()) + last - begun.stat().st_mtime
    begun.write_text(str(before))
    return before


def _audited(
    task: Task, store: Store, inputs: dict[str, Path], folder: Path, scratch: Path
) -> list[Undeclared]:
    """Call the function and return what it does that the key does not cover; the log names it too.

    Raises
    ------
    StageError
        There is something, and the project is strict.
    """
    code, places = task.recipe["code"], [folder, scratch, _Process.home, *inputs.values()]
    with (
        audit.process_audit().listen_for_reads(places) as read,
        _Process.own_code.only(task.stage.name, code) as modules,
    ):
        _call(task, inputs, folder, scratch)
    ours = {*task.project.packages, ENGINE.partition(".")[0]}
    files = (
        path / inside for name, path in inputs.items() for inside in _files(task.stage.inputs[name], path)
    )
    imports = Code(task.project, store.index).list_imports(code)
    foreign = [name for name in imports if name.partition(".")[0] not in ours]
    kinds: dict[Deed, Iterable[str]] = {
        "reads": audit.find_undeclared(read, ours, files),
        "imports": distributions.find_undeclared(foreign, task.stage.packages),
        "uses": modules,
    }
    undeclared = [Undeclared(did=did, name=name) for did, names in kinds.items() for name in sorted(names)]
    for what in undeclared:
        sys.stderr.write(f"{describe_undeclared(what)}\n")
    problem = undeclared_error(task.stage.name, undeclared, task.project.declared_in)
    if problem and task.project.strict:
        raise problem
    return undeclared


def _files(where: Input, path: Path) -> Iterable[str]:
    """Return the files of an input that the function got as ``path``: a source in place, or a folder of links."""
    return list_source(where if isinstance(where, Source) and where.path == path else Source(path))


def _call(task: Task, inputs: dict[str, Path], folder: Path, scratch: Path) -> None:
    """Call the function of the stage; a traceback goes to its log."""
    module, _, name = task.stage.function.partition(":")
    process.reset(task.stage.function, numpy=bool(task.stage.packages))  # without any it cannot use it
    with chdir(folder):
        try:
            function = getattr(importlib.import_module(module), name)
            params = task.recipe["params"]
            progress = _progress(task, folder / PROGRESS)
            function(inputs, folder / "out", scratch=scratch, progress=progress, **params)
        except (Exception, SystemExit):
            traceback.print_exc()
            raise


def _progress(task: Task, file: Path) -> Any:
    """Return what takes the progress of a stage: the driver hears of it, and the log where a stage asks for it."""
    last_sent: dict[str, float] = {}
    latest: dict[str, Any] = {}

    def progress(done: int, total: int, unit: str, *, log: bool = False, **figures: float) -> None:
        now = time.monotonic()
        if log:
            words = (f"{name} {value:.4g}" for name, value in figures.items())
            sys.stderr.write(f"{done} of {total} {unit}: {', '.join(words)}\n")
        if done >= total or now - last_sent.get(unit, -PROGRESS_SECONDS) >= PROGRESS_SECONDS:
            last_sent[unit] = now
            numbers = {name: float(value) for name, value in figures.items()}
            event = Progressed(task.stage.name, int(done), int(total), unit, numbers)
            if _Process.channel:
                _Process.channel.send(event)
            else:
                latest[unit] = asdict(event)
                write_atomically(file, json.dumps(latest).encode(), durable=False)

    return progress


def name_run(task: Task) -> str:
    """Return what the run of a task is called in the cache."""
    return task.key + "-again" * task.again


def read_progress(task: Task) -> list[Progressed]:
    """Return how far a stage that runs elsewhere is, by the file that it writes: the last of each unit."""
    found = read_json(Store(task.cache).root / "tmp" / name_run(task) / PROGRESS) or {}
    return [Progressed(**event) for event in found.values()]


def _record(task: Task, out: Path, seconds: float, undeclared: list[Undeclared]) -> Record:
    outputs = {inside: _entry(task, out / inside) for inside in sorted(list_source(Source(out)))}
    if not outputs:
        raise StageError(f"{task.stage.name}: wrote nothing", log=task.stage.name)
    return Record(
        key=task.key,
        stage=task.stage.name,
        recipe=task.recipe,
        outputs=outputs,
        digest=digest_files(outputs),
        seconds=round(seconds, 3),
        host=describe_host(),
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        undeclared=undeclared,
    )


def _entry(task: Task, path: Path) -> Entry:
    if path.is_symlink():
        raise StageError(f"{task.stage.name}: wrote a link, {path.name}, where a file is due")
    return {"sha256": digest_file(path), "size": path.stat().st_size}


def _portable(error: BaseException, stage: str) -> Exception:
    """Return an error that the driver can be given: the user's as it is, any other by its last line."""
    if isinstance(error, Exception) and isinstance(error, UserError):
        with suppress(Exception):  # one that cannot travel goes by its text, below
            pickle.loads(pickle.dumps(error))
            return error
    last = " ".join(traceback.format_exception_only(error)[-1].split())
    return StageError(f"{stage}: {last}", log=stage)
