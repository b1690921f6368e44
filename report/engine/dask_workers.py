"""Stages run beside the workers of a Dask cluster."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import BrokenExecutor, Future
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any
from uuid import uuid4

from distributed import Client, KilledWorker, LocalCluster, Worker, WorkerPlugin, fire_and_forget, get_worker

from report.engine.code import Project
from report.engine.elsewhere import Ask, Elsewhere, require_same
from report.engine.events import Outcome
from report.engine.local_processes import LocalProcesses
from report.engine.store import Record
from report.engine.system.locks import Locks
from report.engine.system.machine import count_cores
from report.engine.worker import Task
from report.errors import EnvironmentProblem, UserError

THREADS, GPU = "report-threads", "GPU"
"""What workers have of each: as many threads as they were started with, and the GPUs that their owner declares."""
PATIENCE = 30
"""Seconds in which a scheduler must answer and have a worker."""


class _Beside(WorkerPlugin):
    """The processes of one build beside a Dask worker, which end with it; ``name`` is also that of the build's lock."""

    def __init__(self, project: Project, home: Path) -> None:
        self.name = f"driver-{uuid4().hex}"
        self._project, self._home = project, home

    async def setup(self, worker: Worker) -> None:
        multiprocessing.current_process().daemon = False  # else it may start none
        self._processes, self._lock = LocalProcesses(self._project, self._home, listens=False), Lock()
        self._running: set[Future[tuple[Record, Outcome]]] = set()
        await worker.set_resources(**{THREADS: worker.state.nthreads})

    def teardown(self, worker: Worker) -> None:
        with self._lock:
            self._processes.__exit__(KeyboardInterrupt)

    def run(self, task: Task) -> tuple[Record, Outcome]:
        require_same(task, self.name)
        with self._lock:
            future = self._processes.submit(task)
            self._running.add(future)
        try:
            return future.result()
        finally:
            self._running.discard(future)
            if not self._running and Locks(self._home.parent).is_free(self.name):
                self.teardown(get_worker())  # the build is gone: nobody else will end them


def _run(task: Task, plugin: str) -> tuple[Record, Outcome]:
    beside: _Beside = get_worker().plugins[plugin]
    return beside.run(task)


class DaskWorkers(Elsewhere):
    """The workers of the scheduler at ``address``, or of a cluster on this machine if there is none."""

    def __init__(self, address: str, project: Project, home: Path, ask: Ask) -> None:
        super().__init__()
        self._address, self._home, self._ask = address, home, ask
        self._plugin, self._stack = _Beside(project, home), ExitStack()
        self._theirs: list[Any] = []

    def __enter__(self) -> DaskWorkers:
        with ExitStack() as stack:
            stack.enter_context(Locks(self._home.parent).hold(self._plugin.name))
            cores = count_cores()
            cluster = self._address or stack.enter_context(
                LocalCluster(n_workers=1, threads_per_worker=cores, processes=False, dashboard_address=":0")
            )
            try:
                self._client = stack.enter_context(Client(cluster, timeout=PATIENCE, set_as_default=False))
                self._client.wait_for_workers(1, timeout=PATIENCE)
                self._client.register_plugin(self._plugin)
            except (OSError, TimeoutError, ValueError) as error:
                message = f"no Dask scheduler with workers at {self._address}: {error}"
                raise EnvironmentProblem(message, hint="dask scheduler; dask worker ADDRESS") from error
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: object, *error: object) -> None:
        """End the processes beside the workers, unless what runs shall go on after an interruption."""
        with self._stack:
            names = self.names() if self._address else []
            if kind and names and self._ask(names, f"close the workers of {self._address}"):
                fire_and_forget(self._theirs)
                return
            with suppress(OSError, TimeoutError):  # a scheduler that is gone has nothing left to end
                self._client.cancel(self._theirs, force=True)
                self._client.unregister_worker_plugin(self._plugin.name)

    @property
    def threads(self) -> int:
        """As many threads run at once as the workers have now."""
        threads: dict[str, int] = self._client.nthreads()
        return max(1, sum(threads.values()))

    def submit(self, task: Task) -> Future[tuple[Record, Outcome]]:
        """Run ``task`` beside a worker with as many free threads as it needs, or as the largest worker has."""
        workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
        wanted = {THREADS: task.stage.threads, GPU: task.stage.resources.gpus}
        most = {what: max((w["resources"].get(what, 0) for w in workers), default=1) for what in wanted}
        resources = {
            what: min(number, most[what]) for what, number in wanted.items() if number and most[what]
        }
        key = f"{task.stage.name}-{uuid4().hex}"
        theirs = self._client.submit(_run, task, self._plugin.name, key=key, pure=False, resources=resources)
        ours: Future[tuple[Record, Outcome]] = Future()
        self.running[ours] = task
        self._theirs = [future for future in self._theirs if not future.done()] + [theirs]
        theirs.add_done_callback(partial(self._pass_on, ours))
        return ours

    def _pass_on(self, ours: Future[tuple[Record, Outcome]], theirs: Any) -> None:
        try:
            ours.set_result(theirs.result())
        except KilledWorker as error:
            ours.set_exception(BrokenExecutor(str(error)))
        except Exception as error:  # noqa: BLE001  # whatever the stage raised, or Dask
            told = isinstance(error, UserError | BrokenExecutor)
            message = f"{self.running[ours].stage.name}: Dask has lost it: {type(error).__name__}: {error}"
            ours.set_exception(
                error if told else EnvironmentProblem(message, hint="run the same command again")
            )
