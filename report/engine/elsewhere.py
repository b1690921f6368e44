"""What engines on other machines have in common: these reach the code and the cache by the same paths.

There a stage runs in a process of its own, with `report.engine.worker.execute` as here, and tells how far it is by a
file in the cache. Its lock keeps two machines from running it at once, whatever a scheduler believes.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from typing import TypeAlias

from report.engine.events import Outcome, Progressed
from report.engine.recipe import Surroundings
from report.engine.status import explain_differences
from report.engine.store import Record, Store
from report.engine.worker import Task, read_progress
from report.errors import EnvironmentProblem

Ask: TypeAlias = Callable[[Sequence[str], str], bool]
"""Tells whether the stages of these names shall go on when the build is interrupted; the text says how to end them."""


class Elsewhere:
    """The stages of a build that run on other machines, as the build sees them."""

    def __init__(self) -> None:
        self.running: dict[Future[tuple[Record, Outcome]], Task] = {}
        self._told: set[tuple[Future[tuple[Record, Outcome]], str]] = set()

    def messages(self) -> Iterator[Progressed]:
        """Yield what the stages have reported since the last time."""
        self.running = {future: task for future, task in self.running.items() if not future.done()}
        told = {(future, repr(event)): event for future in self.running for event in self._read(future)}
        yield from (event for key, event in told.items() if key not in self._told)
        self._told = {*told}

    def _read(self, future: Future[tuple[Record, Outcome]]) -> list[Progressed]:
        return read_progress(self.running[future])

    def names(self) -> list[str]:
        """Return the names of the stages that are not done."""
        return [task.stage.name for future, task in self.running.items() if not future.done()]


def require_same(task: Task, lock: str) -> None:
    """Refuse to run a stage on a machine that does not see what the build sees.

    Parameters
    ----------
    task : Task
        What it is to run.
    lock : str
        The name of a lock that the build holds in its cache.

    Raises
    ------
    EnvironmentProblem
        The machine has another cache, other code, other packages or other data.
    """
    host, store = platform.node(), Store(task.cache)
    same = "every machine needs them by the same path, on a file system that they share"
    if not (store.root / "locks" / lock).exists():
        raise EnvironmentProblem(f"{host} does not see the cache {task.cache} of this build", hint=same)
    if not task.project.root.is_dir():
        raise EnvironmentProblem(f"{host} does not see the code in {task.project.root}", hint=same)
    now = Surroundings(task.project, store.index).recipe(task.stage, task.recipe["inputs"])
    for difference in explain_differences(task.stage, task.recipe, now, store.index):
        message = f"{task.stage.name}: on {host} it is not made from what the build has seen: {difference}"
        raise EnvironmentProblem(
            message, hint="if you have just saved a file, run the same command again; or " + same
        )
