"""Makes a worker process the same for every stage: environment, imports, random numbers, output."""

from __future__ import annotations

import ctypes
import hashlib
import importlib
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from io import TextIOWrapper
from pathlib import Path
from types import CodeType, ModuleType

from report.engine.fingerprint import Project, code_hash
from report.engine.stage import Stage
from report.errors import StageError

KEPT = ("analysis", "analysis.errors", "report", "report.errors")
PR_SET_PDEATHSIG = 1
USER_SETTINGS = (
    *("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "KERAS_HOME", "MPLCONFIGDIR", "MATPLOTLIBRC"),
    "SOURCE_DATE_EPOCH",
)


def fix_environment(threads: int) -> None:
    """Set the variables that could change numbers; libraries read them when they are imported."""
    libraries = ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB_MAXIMUM")
    os.environ.update({f"{name}_NUM_THREADS": str(threads) for name in libraries})
    os.environ.update(
        TF_NUM_INTRAOP_THREADS=str(threads),
        TF_NUM_INTEROP_THREADS="1",
        OPENCV_FOR_THREADS_NUM=str(threads),
        TF_CPP_MIN_LOG_LEVEL="3",
        KERAS_BACKEND="tensorflow",
        CUDA_VISIBLE_DEVICES="-1",
        MPLBACKEND="Agg",
        TZ="UTC",
        LC_ALL="en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8",  # pandoc reads file names by it
    )


def move_home(home: Path) -> None:
    """Keep what the user has set for libraries and pandoc away from results; their caches lie in ``home``."""
    for name in USER_SETTINGS:
        os.environ.pop(name, None)
    home.mkdir(parents=True, exist_ok=True)
    os.environ["HOME"] = str(home)


def end_with(driver: int) -> None:
    """End this process when its driver is gone, at once on Linux and within a second elsewhere."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # what Ctrl-C means is for the driver to decide
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

    def watch() -> None:
        while os.getppid() == driver:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


class OwnCode:
    """Imports our own packages from their source, and only what the key of the running stage covers.

    Compiled files are passed over: they go by whole seconds and lengths, which a quick edit can keep.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self.stage = ""
        self.closure: Mapping[str, str] | None = None
        sys.path.insert(0, str(project.root))
        sys.meta_path.insert(0, self)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where a module of ours is, and None for all others."""
        if name.partition(".")[0] not in self.project.packages:
            return None
        spec = PathFinder.find_spec(name, path or [str(self.project.root)])
        if spec and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(name, spec.loader.path, self)
        return spec

    def invalidate_caches(self) -> None:
        """Do nothing: nothing is remembered here."""

    def check(self, name: str, source: bytes, path: str) -> None:
        """Refuse code that the key of the running stage does not stand for."""
        if self.closure is None:
            return
        if name not in self.closure:
            message = f"{self.stage}: imports {name}, which its key does not cover"
            raise StageError(message, hint="name it in `uses` of the stage in report/pipeline.py")
        if self.closure[name] != code_hash(source, path):
            raise changed(self.stage, f"code of {name}")

    @contextmanager
    def only(self, stage: Stage, closure: Mapping[str, str]) -> Iterator[None]:
        """Import our own modules anew, as they are on disk now, and none outside ``closure``."""
        for name in [n for n in sys.modules if n.partition(".")[0] in self.project.packages]:
            if name not in KEPT and not f"{name}.".startswith("report.engine."):
                del sys.modules[name]
        importlib.invalidate_caches()
        self.stage, self.closure = stage.name, closure
        try:
            yield
        finally:
            self.closure = None


class _Loader(SourceFileLoader):
    def __init__(self, name: str, path: str, own: OwnCode) -> None:
        super().__init__(name, path)
        self._own = own

    def get_code(self, fullname: str) -> CodeType:
        source = self.get_data(self.path)
        self._own.check(fullname, source, self.path)
        code: CodeType = self.source_to_code(source, self.path)
        return code


def changed(stage: str, what: str) -> StageError:
    """Return the error of a result that must not be stored under its key."""
    return StageError(f"{stage}: {what} changed while the stage ran", hint="run the same command again")


def forget(stage: Stage) -> None:
    """Set the random generators, from what is in the key, and drop what Keras keeps of earlier stages."""
    seed = int(hashlib.sha256(stage.function.encode()).hexdigest()[:8], 16)
    random.seed(seed)
    if stage.packages:  # without any it cannot use NumPy
        importlib.import_module("numpy").random.seed(seed)
    if "keras" in sys.modules:
        sys.modules["keras"].utils.clear_session()


@contextmanager
def captured(log: Path) -> Iterator[None]:
    """Send everything that the process prints, C libraries included, to a file, each line at once."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(line_buffering=True)  # a stage that is killed leaves what it has said
    log.parent.mkdir(parents=True, exist_ok=True)
    saved = {number: os.dup(number) for number in (1, 2)}
    with open(log, "wb") as file:
        for number in saved:
            os.dup2(file.fileno(), number)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, old in saved.items():
            os.dup2(old, number)
            os.close(old)
