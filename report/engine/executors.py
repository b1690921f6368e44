"""Where stages run: what a build needs of an executor, so that others than local processes plug in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias

from report.engine.code import Project
from report.engine.events import Outcome, Progressed
from report.engine.store import Record
from report.errors import EnvironmentProblem

if TYPE_CHECKING:
    from concurrent.futures import Future

    from report.engine.elsewhere import Ask
    from report.engine.worker import Task


class Executor(Protocol):
    """Runs stages in processes that reach the cache by the same path, with `report.engine.worker.execute`."""

    @property
    def threads(self) -> int:
        """How many threads the stages that run at once may have together."""

    def submit(self, task: Task) -> Future[tuple[Record, Outcome]]:
        """Return what ``execute(task)`` will return or raise; ``BrokenExecutor`` where its process ends."""

    def messages(self) -> Iterator[Progressed]:
        """Yield what the stages have reported since the last time."""


StartExecutor: TypeAlias = Callable[[Project, Path], AbstractContextManager[Executor]]
"""Starts an executor for the code of a project, with a home folder for its processes; on its exit these end."""


def local_processes(project: Project, home: Path) -> AbstractContextManager[Executor]:
    """Return worker processes on this machine; only what runs imports them."""
    from report.engine.local_processes import LocalProcesses

    return LocalProcesses(project, home)


def choose(engine: str, scheduler: str, ask: Ask) -> StartExecutor:
    """Return what starts the executor of an engine: ``local``, ``dask`` or ``slurm``; it imports the package only then.

    Parameters
    ----------
    engine : str
        Its name.
    scheduler : str
        The address of Dask's scheduler; "" for a cluster on this machine.
    ask : Ask
        Is asked what shall go on where a build is interrupted.
    """
    engines: dict[str, StartExecutor] = {
        "local": local_processes,
        "dask": partial(_dask, scheduler, ask),
        "slurm": partial(_slurm, ask),
    }
    return engines[engine]


def _dask(scheduler: str, ask: Ask, project: Project, home: Path) -> AbstractContextManager[Executor]:
    try:
        from report.engine.dask_workers import DaskWorkers
    except ImportError as error:
        raise _missing("dask", error) from error
    return DaskWorkers(scheduler, project, home, ask)


def _slurm(ask: Ask, project: Project, home: Path) -> AbstractContextManager[Executor]:
    try:
        from report.engine.slurm_jobs import SlurmJobs
    except ImportError as error:
        raise _missing("slurm", error) from error
    return SlurmJobs(project, home, ask)


def _missing(engine: str, error: ImportError) -> EnvironmentProblem:
    hint = f".venv/bin/python -m pip install 'xray-report[{engine}]'"
    return EnvironmentProblem(f"--engine {engine} needs a package that is missing: {error.name}", hint=hint)
