"""Stages run in worker processes on this machine."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from report.engine.code import Project
from report.engine.events import Outcome, Progressed
from report.engine.store import Record
from report.engine.system.machine import NO_GPU, count_cores, list_gpus
from report.engine.system.process import FOR_DRIVER
from report.engine.worker import Task, execute, initialize


@dataclass
class _Worker:
    """One process; a pool of its own, so that its end is the end of no other stage."""

    pool: ProcessPoolExecutor
    processes: set[BaseProcess]
    channel: Connection
    kind: tuple[int, int]
    gpus: list[str]
    last: Future[Any]
    packages: set[str] = field(default_factory=set)

    def is_idle(self) -> bool:
        return self.last.done() and not isinstance(self.last.exception(), BrokenExecutor)

    def submit(self, task: Task) -> Future[tuple[Record, Outcome]]:
        self.last = future = self.pool.submit(execute, task)
        self.packages |= {*task.stage.packages}
        return future


class LocalProcesses:
    """Worker processes by thread count, started when first needed and used again; a context that ends them.

    Where nobody ``listens`` here, stages report by files in the cache.
    """

    def __init__(self, project: Project, home: Path, *, listens: bool = True) -> None:
        self._project, self._home, self._listens = project, home, listens
        self._workers: list[_Worker] = []

    def __enter__(self) -> LocalProcesses:
        return self

    def __exit__(self, kind: object, *error: object) -> None:
        """End all workers: when they are done, or at once after an error; what they have stored stays."""
        for process in (process for worker in self._workers for process in worker.processes if kind):
            process.kill()
        for worker in self._workers:
            worker.pool.shutdown(wait=True, cancel_futures=True)
            worker.channel.close()

    @property
    def threads(self) -> int:
        """As many threads run at once as this process may use cores."""
        return count_cores()

    def submit(self, task: Task) -> Future[tuple[Record, Outcome]]:
        """Run ``task`` in an idle worker, best in one that has imported its packages before, and little else."""
        kind = (task.stage.threads, task.stage.resources.gpus)
        idle = [w for w in self._workers if w.kind == kind and w.is_idle()]
        needed = {*task.stage.packages}
        for worker in sorted(idle, key=lambda w: (-len(needed & w.packages), len(w.packages))):
            with suppress(BrokenExecutor):  # it was killed while it waited
                return worker.submit(task)
        with _block_interrupts():
            return self._start(*kind).submit(task)

    def _start(self, threads: int, gpus: int) -> _Worker:
        os.environ["PYTHONHASHSEED"] = "0"  # read when a process begins, so it cannot be set there
        context = multiprocessing.get_context("spawn")
        receiver, sender = context.Pipe(duplex=False)
        before = set(multiprocessing.active_children())
        given = self._choose_gpus(gpus)
        visible = NO_GPU if not gpus else ",".join(given) or None
        arguments = (self._project, threads, self._home, sender if self._listens else None, visible)
        pool = ProcessPoolExecutor(1, mp_context=context, initializer=initialize, initargs=arguments)
        first = pool.submit(os.getpid)  # starts the process
        sender.close()
        processes = set(multiprocessing.active_children()) - before
        self._workers.append(_Worker(pool, processes, receiver, (threads, gpus), given, first))
        return self._workers[-1]

    def _choose_gpus(self, count: int) -> list[str]:
        """Return so many GPUs, or all if there are fewer: those that the fewest processes have."""
        alive = (worker for worker in self._workers if any(p.is_alive() for p in worker.processes))
        taken = [gpu for worker in alive for gpu in worker.gpus]
        return sorted(list_gpus(), key=taken.count)[:count]

    def messages(self) -> Iterator[Progressed]:
        """Yield what the stages have reported since the last time."""
        for worker in self._workers:
            try:
                while not worker.channel.closed and worker.channel.poll():
                    yield worker.channel.recv()
            except (EOFError, OSError):
                worker.channel.close()


@contextmanager
def _block_interrupts() -> Iterator[None]:
    """Hold signals for the driver back while a process starts, which inherits this: it would die of them."""
    resource_tracker.ensure_running()  # which would let Ctrl-C through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, FOR_DRIVER)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
