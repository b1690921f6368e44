"""Stages run as jobs of SLURM, one for each, which outlive the build that has sent them."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, Future
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

from submitit import SlurmExecutor, SlurmJob
from submitit.core.utils import FailedJobError, FailedSubmissionError
from submitit.helpers import Checkpointable

from report.engine.code import Project
from report.engine.elsewhere import Ask, Elsewhere, require_same
from report.engine.events import Outcome, Progressed
from report.engine.local_processes import LocalProcesses
from report.engine.store import Record, Store
from report.engine.system.locks import Locks
from report.engine.worker import Task, name_run
from report.errors import EnvironmentProblem, UserError

MOST_JOBS = 1000
"""So many threads are had at once: the queue is SLURM's, and what does not fit waits there."""
LOOK_SECONDS = 5.0
"""So often the queue is looked at: twice without a job mean that it has ended."""


class _Job(Checkpointable):
    """Runs one stage; where its minutes are over, it is queued again and goes on from the checkpoint of the stage."""

    def __call__(self, task: Task, home: Path, lock: str) -> tuple[Record, Outcome] | Exception:
        try:
            require_same(task, lock)
            with LocalProcesses(task.project, home, listens=False) as processes:
                return processes.submit(task).result()
        except Exception as error:  # submitit would keep its text alone
            if isinstance(error, UserError | BrokenExecutor):
                return error
            raise


class SlurmJobs(Elsewhere):
    """The jobs of a build; those that an earlier one has left are taken up again."""

    threads = MOST_JOBS

    def __init__(self, project: Project, home: Path, ask: Ask) -> None:
        super().__init__()
        self._home, self._ask, self._lock = home, ask, f"driver-{uuid4().hex}"
        self._jobs: dict[Future[tuple[Record, Outcome]], SlurmJob[Any]] = {}
        self._missed: set[Future[tuple[Record, Outcome]]] = set()
        self._looked, self._stack = 0.0, ExitStack()

    def __enter__(self) -> SlurmJobs:
        if not shutil.which("sbatch"):
            raise EnvironmentProblem("there is no SLURM on this machine", hint="sbatch must be on the path")
        os.environ["PYTHONHASHSEED"] = "0"
        self._stack.enter_context(Locks(self._home.parent).hold(self._lock))
        return self

    def __exit__(self, kind: object, *error: object) -> None:
        """Cancel the jobs, unless they shall go on after an interruption."""
        with self._stack:
            ids = " ".join(self._jobs[future].job_id for future in self.running if not future.done())
            if kind and ids and not self._ask(self.names(), f"scancel {ids}"):
                subprocess.run(["scancel", *ids.split()], check=False)

    def submit(self, task: Task) -> Future[tuple[Record, Outcome]]:
        """Send a job for ``task``, or find the one that an earlier build has sent."""
        folder = self._home.parent / "jobs" / name_run(task)
        future: Future[tuple[Record, Outcome]] = Future()
        self._jobs[future] = self._find(folder) or self._send(task, folder)
        self.running[future] = task
        return future

    def _find(self, folder: Path) -> SlurmJob[Any] | None:
        queued = (folder.exists() and _list_queue(ending=False)) or set()
        sent = (path.name.partition("_")[0] for path in folder.glob("*_submitted.pkl"))
        return next((SlurmJob(folder, number) for number in sent if number in queued), None)

    def _send(self, task: Task, folder: Path) -> SlurmJob[Any]:
        asked, cores = task.stage.resources, task.stage.resources.cores or task.stage.threads
        executor = SlurmExecutor(folder)
        executor.update_parameters(
            job_name=task.stage.name,
            cpus_per_task=cores,
            mem=f"{round(asked.memory * 1024)}M",
            time=asked.minutes,
            srun_args=[f"--cpus-per-task={cores}"],  # else it takes one since SLURM 22.05
            stderr_to_stdout=True,
            **({"gpus_per_node": asked.gpus} if asked.gpus else {}),
        )
        try:
            return executor.submit(_Job(), task, self._home, self._lock)
        except (FailedJobError, FailedSubmissionError) as error:  # the first is of the command sbatch
            last = (str(error).strip().splitlines() or ["no reason given"])[-1]
            message = f"{task.stage.name}: SLURM does not take it: {last}"
            raise EnvironmentProblem(message, hint="see [resources] in the study file") from error

    def messages(self) -> Iterator[Progressed]:
        """Yield what the stages have reported since the last time, and note which jobs have ended."""
        waiting = [future for future in self.running if not future.done()]
        for future in waiting:
            if self._jobs[future].paths.result_pickle.exists():
                self._take(future)
        if time.monotonic() - self._looked > LOOK_SECONDS:
            queued, self._looked = _list_queue(ending=True), time.monotonic()
            left = {f for f in waiting if not f.done()}
            gone = set() if queued is None else {f for f in left if self._jobs[f].job_id not in queued}
            for future in gone & self._missed:
                self._give_up(future)
            self._missed = gone
        yield from super().messages()

    def _take(self, future: Future[tuple[Record, Outcome]]) -> None:
        try:
            outcome = self._jobs[future].result()
        except FailedJobError as error:
            text = [line for line in str(error).splitlines() if "Error" in line]
            outcome = EnvironmentProblem(f"{self.running[future].stage.name}: {text[-1] if text else error}")
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)

    def _give_up(self, future: Future[tuple[Record, Outcome]]) -> None:
        """Take the result of a job that has left none from the cache, as another build may have had it."""
        task = self.running[future]
        if record := Store(task.cache).read(task.key):
            future.set_result((record, "ran"))
        else:
            future.set_exception(BrokenExecutor(f"job {self._jobs[future].job_id}"))


def _list_queue(*, ending: bool) -> set[str] | None:
    """Return the numbers of the user's jobs that wait or run; None where SLURM does not answer.

    Those that are ``ending`` may be gone soon, or wait anew.
    """
    command = ["squeue", "--noheader", "--user", getpass.getuser(), "--format=%i %t"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    jobs = (line.split() for line in answer.stdout.splitlines())
    return None if answer.returncode else {number for number, state in jobs if ending or state != "CG"}
