"""Makes a process the same whoever starts it and whatever it did before; nothing of its owner reaches results."""

from __future__ import annotations

import hashlib
import importlib
import os
import random
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from multiprocessing import parent_process
from pathlib import Path

from report.engine.system.machine import NO_GPU, VISIBLE_GPUS

USER_SETTINGS = (
    *("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "KERAS_HOME", "MPLCONFIGDIR", "MATPLOTLIBRC"),
    "SOURCE_DATE_EPOCH",
)


FOR_DRIVER = frozenset((signal.SIGINT, signal.SIGUSR2))
"""Signals that all processes get and the driver alone answers: Ctrl-C, and SLURM's that the minutes of a job are over."""


def fix_environment(threads: int, home: Path, *, gpus: str | None = NO_GPU) -> None:
    """Set the variables that could change results; libraries read them when they are imported.

    What the user has set for libraries and pandoc is kept away; their caches lie in ``home``. Of GPUs TensorFlow sees
    those in ``gpus``, or with None all that this process was given, and takes of their memory only what it needs.
    """
    for name in USER_SETTINGS:
        os.environ.pop(name, None)
    libraries = ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB_MAXIMUM")
    os.environ.update({f"{name}_NUM_THREADS": str(threads) for name in libraries})
    os.environ.update(
        TF_NUM_INTRAOP_THREADS=str(threads),
        TF_NUM_INTEROP_THREADS="1",
        OPENCV_FOR_THREADS_NUM=str(threads),
        TF_CPP_MIN_LOG_LEVEL="3",
        KERAS_BACKEND="tensorflow",
        TF_FORCE_GPU_ALLOW_GROWTH="true",
        MPLBACKEND="Agg",
        TZ="UTC",
        LC_ALL="en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8",  # pandoc reads file names by it
        HOME=str(home),
    )
    if gpus is not None:
        os.environ[VISIBLE_GPUS] = gpus


def end_with_driver() -> None:
    """End this process as soon as the one that has started it is gone, and leave `FOR_DRIVER` to that one."""
    for number in FOR_DRIVER:
        signal.signal(number, signal.SIG_IGN)

    def watch() -> None:
        if driver := parent_process():
            driver.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def reset(seed: str, *, numpy: bool) -> None:
    """Set the random generators, and drop what Keras keeps of what ran before."""
    number = int(hashlib.sha256(seed.encode()).hexdigest()[:8], 16)
    random.seed(number)
    if numpy:
        importlib.import_module("numpy").random.seed(number)
    if "keras" in sys.modules:
        sys.modules["keras"].utils.clear_session()


@contextmanager
def capture_output(log: Path) -> Iterator[None]:
    """Send everything that the process prints, C libraries included, to a file, each line at once."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "wb") as file:
        for number in (1, 2):
            os.dup2(file.fileno(), number)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(line_buffering=True)  # what is killed leaves what it has said
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
