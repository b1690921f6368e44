"""Where stages run: worker processes on this machine."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
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
        idle = [w for w in self._workers if w.threads == stage.threads and w.is_idle()]
        packages = set(stage.packages)
        worker = max(idle, key=lambda w: len(w.packages & packages)) if idle else self._start(stage.threads)
        worker.packages |= packages
        worker.last = future = worker.pool.submit(execute, task)
        return future

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
