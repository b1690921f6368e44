"""Where stages run: what a build needs of an executor, so that others than local processes plug in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias

from report.engine.code import Project
from report.engine.events import Outcome, Progressed
from report.engine.store import Record

if TYPE_CHECKING:
    from concurrent.futures import Future

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
