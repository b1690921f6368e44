"""Runs one stage in a worker process and stores its result."""

from __future__ import annotations

import contextlib
import importlib
import os
import pickle
import platform
import shutil
import sys
import time
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from analysis.errors import AnalysisError
from report.engine import audit, isolation
from report.engine.events import How, Progressed
from report.engine.fingerprint import Code, Moment, Project, Recipe
from report.engine.sources import files_of
from report.engine.stage import Json, Output, Source, Stage
from report.engine.store import Entry, Files, Record, Store, digest_file, digest_files, environment_problems
from report.errors import ReportError, StageError

PROGRESS_SECONDS = 0.2
INSTRUCTIONS = (
    *("avx", "avx2", "fma", "avx512f", "avx512_bf16", "avx512_vnni", "amx_tile"),
    *("asimd", "bf16", "sve"),
)


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


@dataclass(frozen=True)
class Outcome:
    """The record of a result, or why there is none."""

    record: Record | None = None
    how: How = "ran"
    error: Exception | None = None


class _Here:
    """What this worker process has been given."""

    own_code: isolation.OwnCode | None = None
    channel: Connection | None = None


def initialize(project: Project, threads: int, driver: int, channel: Connection) -> None:
    """Prepare this process for stages with ``threads`` threads, before anything heavy is imported."""
    isolation.fix_environment(threads)
    isolation.end_with(driver)
    _Here.own_code = isolation.OwnCode(project)
    _Here.channel = channel


def execute(task: Task) -> Outcome:
    """Return the result of ``task``: found, if another build has just made it, or made here."""
    store = Store(task.cache)
    try:
        with environment_problems(task.cache), store.run_folder(task.key + "-again" * task.again) as folder:
            record = None if task.again else store.read(task.key)
            if record:
                return Outcome(record, "cached")
            with isolation.captured(store.log(task.key)):
                return Outcome(_run(task, store, folder))
    except (Exception, SystemExit) as error:  # noqa: BLE001  # whatever a stage raises is the driver's to tell
        return Outcome(error=_portable(error, task.stage.name))


def _run(task: Task, store: Store, folder: Path) -> Record:
    scratch = folder / "scratch" if task.again else store.scratch(task.key)
    out = folder / "out"
    isolation.move_home(store.root / "home")
    for path in (scratch, out):
        path.mkdir(parents=True, exist_ok=True)
    _refuse_changes(task, store)
    inputs = {name: _input(task, store, name, folder / "inputs" / name) for name in task.stage.inputs}
    started = time.monotonic()
    undeclared = _audited(task, store, inputs, out, scratch)
    seconds = time.monotonic() - started
    _refuse_changes(task, store)
    record = _record(task, out, seconds, undeclared)
    if not task.again:
        store.keep(record, out)
        shutil.rmtree(scratch, ignore_errors=True)
    return record


def _refuse_changes(task: Task, store: Store) -> None:
    """Refuse to go on if code or sources on disk are not those that the key stands for."""
    stage = task.stage
    code = Code(task.project, store.index).closure((stage.function, *stage.uses))
    for name in sorted(code.keys() | task.recipe["code"].keys()):
        if code.get(name) != task.recipe["code"].get(name):
            raise isolation.changed(stage.name, f"code of {name}")
    moment = Moment(task.project, store.index)
    for name, where in stage.inputs.items():
        if isinstance(where, Source) and where.keyed and moment.source(where) != task.recipe["inputs"][name]:
            raise isolation.changed(stage.name, str(where.path))


def _input(task: Task, store: Store, name: str, folder: Path) -> Path:
    """Return what the function gets as its input ``name``: a folder of links, or the source itself."""
    where = task.stage.inputs[name]
    if isinstance(where, Output):
        links = {inside: store.checked(entry) for inside, entry in task.inputs[name].items()}
    elif where.include == Source.include or where.path.is_file():
        return where.path
    else:
        links = {inside: where.path / inside for inside in files_of(where)}
    folder.mkdir(parents=True)
    for inside, target in links.items():
        (folder / inside).parent.mkdir(parents=True, exist_ok=True)
        (folder / inside).symlink_to(target)
    return folder


def _audited(task: Task, store: Store, inputs: dict[str, Path], out: Path, scratch: Path) -> list[str]:
    """Call the function and return what it read or imported that the key does not cover; the log tells it too.

    Raises
    ------
    StageError
        There is something, and the project is strict.
    """
    whole = [where.path for where in _sources(task) if where.include == Source.include]
    with audit.of_process().listening([out.parent, scratch, store.root / "home", *whole]) as read:
        _call(task, inputs, out, scratch)
    read -= audit.of_own_modules(task.project.packages)
    if read:  # perhaps by the real path of an input
        declared = set(map(os.path.realpath, _input_files(task, store)))
        read = {path for path in read if os.path.realpath(path) not in declared}
    imported = Code(task.project, store.index).imports_elsewhere(task.recipe["code"])
    packages = audit.undeclared_packages(imported, task.stage.packages)
    found = [*(f"reads {path}" for path in sorted(read)), *(f"imports {name}" for name in packages)]
    for what in found:
        sys.stderr.write(f"{what}, which its key does not cover\n")
    if found and task.project.strict:
        raise audit.refusal(task.stage.name, found)
    return found


def _sources(task: Task) -> list[Source]:
    return [where for where in task.stage.inputs.values() if isinstance(where, Source)]


def _input_files(task: Task, store: Store) -> Iterator[Path]:
    for files in task.inputs.values():
        yield from (store.blob(entry["sha256"]) for entry in files.values())
    for where in _sources(task):
        yield from (where.path / inside for inside in files_of(where))


def _call(task: Task, inputs: dict[str, Path], out: Path, scratch: Path) -> None:
    """Call the function of the stage; a traceback goes to its log."""
    own_code = _Here.own_code or isolation.OwnCode(task.project)
    module, _, name = task.stage.function.partition(":")
    isolation.forget(task.stage)
    with own_code.only(task.stage, task.recipe["code"]), contextlib.chdir(out.parent):
        try:
            function = getattr(importlib.import_module(module), name)
            function(inputs, out, scratch=scratch, progress=_progress(task), **task.recipe["params"])
        except (Exception, SystemExit):
            traceback.print_exc()
            raise


def _progress(task: Task) -> Any:
    told: dict[str, float] = {}

    def progress(done: int, total: int, unit: str, **figures: float) -> None:
        now = time.monotonic()
        if _Here.channel and (done >= total or now - told.get(unit, -PROGRESS_SECONDS) >= PROGRESS_SECONDS):
            told[unit] = now
            numbers = {name: float(value) for name, value in figures.items()}
            _Here.channel.send(Progressed(task.stage.name, int(done), int(total), unit, numbers))

    return progress


def _record(task: Task, out: Path, seconds: float, undeclared: list[str]) -> Record:
    outputs = {inside: _entry(task, out / inside) for inside in sorted(files_of(Source(out)))}
    if not outputs:
        raise StageError(f"{task.stage.name}: wrote nothing", hint=f"report log {task.stage.name}")
    return Record(
        key=task.key,
        stage=task.stage.name,
        recipe=task.recipe,
        outputs=outputs,
        digest=digest_files(outputs),
        seconds=round(seconds, 3),
        host=host(),
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        undeclared=undeclared,
    )


def _entry(task: Task, path: Path) -> Entry:
    if path.is_symlink():
        raise StageError(f"{task.stage.name}: wrote a link, {path.name}, where a file is due")
    return {"sha256": digest_file(path), "size": path.stat().st_size}


def host() -> dict[str, Json]:
    """Return what of this machine can change the last bits of numbers."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    facts = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    flags = set(facts.get("flags", facts.get("Features", "")).split())
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "processor": facts.get("model name", platform.processor()),
        "instructions": [name for name in INSTRUCTIONS if name in flags],
        "onednn": os.environ.get("TF_ENABLE_ONEDNN_OPTS", "default"),
        "device": "cpu",
    }


def _portable(error: BaseException, stage: str) -> Exception:
    """Return an error that the driver can be given: the user's as it is, any other by its last line."""
    if isinstance(error, AnalysisError | ReportError):
        with contextlib.suppress(Exception):  # one that cannot travel is told by its text, below
            pickle.loads(pickle.dumps(error))
            return error
    last = " ".join(traceback.format_exception_only(error)[-1].split())
    return StageError(f"{stage}: {last}", hint=f"report log {stage}")
