"""Runs one stage in a worker process and stores its result."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import importlib
import importlib.machinery
import os
import pickle
import platform
import random
import shutil
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from multiprocessing.connection import Connection
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from analysis.errors import AnalysisError
from report.engine.events import How, Progressed
from report.engine.fingerprint import Code, Moment, Project, Recipe, code_hash
from report.engine.sources import files_of
from report.engine.stage import Json, Output, Source, Stage
from report.engine.store import Entry, Files, Record, Store, digest_file, digest_files, environment_problems
from report.errors import ReportError, StageError

PROGRESS_SECONDS = 0.2
KEPT = ("analysis", "analysis.errors", "report", "report.errors")
INSTRUCTIONS = (
    "avx",
    "avx2",
    "fma",
    "avx512f",
    "avx512_bf16",
    "avx512_vnni",
    "amx_tile",
    "asimd",
    "bf16",
    "sve",
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


class Modules:
    """Imports our own packages from their source, and only what the key of the running stage covers.

    Compiled files are passed over: they go by whole seconds and lengths, which a quick edit can keep.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self.stage = ""
        self.closure: Mapping[str, str] | None = None

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where a module of ours is, and none for all others."""
        if name.partition(".")[0] not in self.project.packages:
            return None
        spec = PathFinder.find_spec(name, path or [str(self.project.root)])
        if spec and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(name, spec.loader.path, self)
        return spec

    def check(self, name: str, source: bytes, path: str) -> None:
        """Refuse code that the key of the running stage does not stand for."""
        if self.closure is None:
            return
        if name not in self.closure:
            message = f"{self.stage}: imports {name}, which its key does not cover"
            raise StageError(message, hint="name it in `uses` of the stage in report/pipeline.py")
        if self.closure[name] != code_hash(source, path):
            raise _changed(self.stage, f"code of {name}")

    def purge(self) -> None:
        """Forget our own modules, so that each stage imports them as they are on disk now."""
        for name in [n for n in sys.modules if n.partition(".")[0] in self.project.packages]:
            if name not in KEPT and not f"{name}.".startswith("report.engine."):
                del sys.modules[name]


class _Loader(SourceFileLoader):
    def __init__(self, name: str, path: str, modules: Modules) -> None:
        super().__init__(name, path)
        self._modules = modules

    def get_code(self, fullname: str) -> CodeType:
        source = self.get_data(self.path)
        self._modules.check(fullname, source, self.path)
        code: CodeType = self.source_to_code(source, self.path)
        return code


class _Here:
    """What this worker process has been given."""

    modules: Modules | None = None
    channel: Connection | None = None


def initialize(project: Project, threads: int, driver: int, channel: Connection) -> None:
    """Prepare this process for stages with ``threads`` threads, before anything heavy is imported."""
    os.environ.update(settings(threads))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver decides what Ctrl-C means
    _end_with(driver)
    sys.path.insert(0, str(project.root))
    _Here.modules = Modules(project)
    sys.meta_path.insert(0, _Here.modules)
    _Here.channel = channel


def settings(threads: int) -> dict[str, str]:
    """Return the environment variables that could change numbers, fixed."""
    counts = ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB_MAXIMUM")
    return {
        **{f"{name}_NUM_THREADS": str(threads) for name in counts},
        "TF_NUM_INTRAOP_THREADS": str(threads),
        "TF_NUM_INTEROP_THREADS": "1",
        "OPENCV_FOR_THREADS_NUM": str(threads),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "KERAS_BACKEND": "tensorflow",
        "CUDA_VISIBLE_DEVICES": "-1",
        "MPLBACKEND": "Agg",
        "TZ": "UTC",
    }


def _end_with(driver: int) -> None:
    """End this process when its driver is gone, at once on Linux and within a second elsewhere."""
    if sys.platform == "linux":
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)

    def watch() -> None:
        while os.getppid() == driver:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def execute(task: Task) -> Outcome:
    """Return the result of ``task``: found, if another build has just made it, or made here."""
    store = Store(task.cache)
    try:
        with environment_problems(task.cache), store.run_folder(task.key + "-again" * task.again) as folder:
            record = None if task.again else store.read(task.key)
            if record:
                return Outcome(record, "cached")
            with _captured(store.log(task.key)):
                return Outcome(_run(task, store, folder))
    except (Exception, SystemExit) as error:  # noqa: BLE001  # whatever a stage raises is the driver's to tell
        return Outcome(error=_portable(error, task.stage.name))


def _run(task: Task, store: Store, folder: Path) -> Record:
    scratch = folder / "scratch" if task.again else store.scratch(task.key)
    out = folder / "out"
    for path in (scratch, out):
        path.mkdir(parents=True, exist_ok=True)
    _refuse_changes(task, store)
    inputs = {name: _input(task, store, name, folder / "inputs" / name) for name in task.stage.inputs}
    started = time.monotonic()
    with _running(task, folder):
        _function(task.stage)(inputs, out, scratch=scratch, progress=_progress(task), **task.recipe["params"])
    seconds = time.monotonic() - started
    _refuse_changes(task, store)
    record = _record(task, out, seconds)
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
            raise _changed(stage.name, f"code of {name}")
    moment = Moment(task.project, store.index)
    for name, where in stage.inputs.items():
        if isinstance(where, Source) and where.keyed and moment.source(where) != task.recipe["inputs"][name]:
            raise _changed(stage.name, str(where.path))


def _changed(stage: str, what: str) -> StageError:
    return StageError(f"{stage}: {what} changed while the stage ran", hint="run the same command again")


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


@contextmanager
def _running(task: Task, folder: Path) -> Iterator[None]:
    """Make the process as if this stage were its first, and write a traceback into its log."""
    modules = _Here.modules or Modules(task.project)
    modules.purge()
    _forget(task.stage)
    before = Path.cwd()
    modules.stage, modules.closure = task.stage.name, task.recipe["code"]
    os.chdir(folder)
    try:
        yield
    except (Exception, SystemExit):
        traceback.print_exc()
        raise
    finally:
        os.chdir(before)
        modules.closure = None


def _forget(stage: Stage) -> None:
    """Set the random generators, from what is in the key, and drop what Keras keeps of earlier stages."""
    seed = int(hashlib.sha256(stage.function.encode()).hexdigest()[:8], 16)
    random.seed(seed)
    if stage.packages:  # without any it cannot use NumPy
        importlib.import_module("numpy").random.seed(seed)
    if "keras" in sys.modules:
        sys.modules["keras"].utils.clear_session()


def _function(stage: Stage) -> Any:
    module, _, name = stage.function.partition(":")
    return getattr(importlib.import_module(module), name)


def _progress(task: Task) -> Any:
    last = 0.0

    def progress(done: int, total: int, unit: str, **figures: float) -> None:
        nonlocal last
        if _Here.channel and (done >= total or time.monotonic() - last > PROGRESS_SECONDS):
            last = time.monotonic()
            numbers = {name: float(value) for name, value in figures.items()}
            _Here.channel.send(Progressed(task.stage.name, int(done), int(total), unit, numbers))

    return progress


def _record(task: Task, out: Path, seconds: float) -> Record:
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


@contextmanager
def _captured(log: Path) -> Iterator[None]:
    """Send everything that the process prints, C libraries included, to a file."""
    log.parent.mkdir(parents=True, exist_ok=True)
    saved = {number: os.dup(number) for number in (1, 2)}
    with open(log, "wb") as stream:
        for number in saved:
            os.dup2(stream.fileno(), number)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, old in saved.items():
            os.dup2(old, number)
            os.close(old)


def _portable(error: BaseException, stage: str) -> Exception:
    """Return an error that the driver can be given: the user's as it is, any other by its last line."""
    if isinstance(error, AnalysisError | ReportError):
        with contextlib.suppress(Exception):  # one that cannot travel is told by its text, below
            pickle.loads(pickle.dumps(error))
            return error
    last = " ".join(traceback.format_exception_only(error)[-1].split())
    return StageError(f"{stage}: {last}", hint=f"report log {stage}")
