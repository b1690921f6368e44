"""Where stages run: worker processes on this machine."""

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
from typing import Any

from report.engine.events import Progressed
from report.engine.fingerprint import Project
from report.engine.worker import Outcome, Task, execute, initialize


@dataclass
class _Worker:
    """One process; a pool of its own, so that its end is the end of no other stage."""

    pool: ProcessPoolExecutor
    processes: set[BaseProcess]
    channel: Connection
    threads: int
    last: Future[Any]
    packages: set[str] = field(default_factory=set)

    def is_idle(self) -> bool:
        return self.last.done() and self.last.exception() is None


class LocalExecutor:
    """Worker processes by thread count, started when first needed and used again."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._workers: list[_Worker] = []

    def submit(self, task: Task) -> Future[Outcome]:
        """Run ``task`` in an idle worker, best in one that has imported its packages before."""
        stage = task.stage
        packages = set(stage.packages)
        idle = [w for w in self._workers if w.threads == stage.threads and w.is_idle()]
        for worker in sorted(idle, key=lambda w: -len(w.packages & packages)):
            with suppress(BrokenExecutor):  # it was killed while it waited
                return _run(worker, task)
        with _interrupts_held():
            return _run(self._start(stage.threads), task)

    def _start(self, threads: int) -> _Worker:
        os.environ["PYTHONHASHSEED"] = "0"  # read when a process begins, so it cannot be set there
        context = multiprocessing.get_context("spawn")
        receiver, sender = context.Pipe(duplex=False)
        before = set(multiprocessing.active_children())
        arguments = (self._project, threads, os.getpid(), sender)
        pool = ProcessPoolExecutor(1, mp_context=context, initializer=initialize, initargs=arguments)
        first = pool.submit(os.getpid)  # starts the process
        sender.close()
        processes = set(multiprocessing.active_children()) - before
        self._workers.append(_Worker(pool, processes, receiver, threads, first))
        return self._workers[-1]

    def messages(self) -> Iterator[Progressed]:
        """Yield what the stages have told since the last time."""
        for worker in self._workers:
            try:
                while not worker.channel.closed and worker.channel.poll():
                    yield worker.channel.recv()
            except (EOFError, OSError):
                worker.channel.close()

    def kill(self) -> None:
        """End all workers now; what they have stored stays."""
        for worker in self._workers:
            for process in worker.processes:
                process.kill()

    def close(self) -> None:
        """End all workers when they are done."""
        for worker in self._workers:
            worker.pool.shutdown(wait=True, cancel_futures=True)
            worker.channel.close()


def _run(worker: _Worker, task: Task) -> Future[Outcome]:
    future = worker.pool.submit(execute, task)
    worker.last = future
    worker.packages |= set(task.stage.packages)
    return future


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back while a process starts, which inherits this: it would die of it with a traceback."""
    resource_tracker.ensure_running()  # which would let Ctrl-C through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
