"""Builds a plan: finds what is cached, runs what is not, each stage as soon as its inputs are there."""

from __future__ import annotations

import os
import random
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.errors import AnalysisError
from report.engine.events import (
    Event,
    Failed,
    Finished,
    How,
    OnEvent,
    Planned,
    Progressed,
    Started,
    Waiting,
)
from report.engine.fingerprint import Moment, Project, Recipe
from report.engine.stage import Output, Stage
from report.engine.store import (
    Files,
    Record,
    Store,
    chosen,
    digest_files,
    digest_json,
    environment_problems,
)
from report.errors import ReportError, StageError

if TYPE_CHECKING:
    from concurrent.futures import Future

    from report.engine.executors import LocalExecutor
    from report.engine.worker import Outcome, Task

POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Built:
    """The result of a stage."""

    name: str
    key: str
    record: Record
    how: How
    store: Store

    @property
    def files(self) -> tuple[str, ...]:
        """The paths of its files inside its folder."""
        return tuple(self.record.outputs)

    def path(self, relative: str) -> Path:
        """Return where the bytes of one of its files lie, read through and found sound."""
        return self.store.checked(self.record.outputs[relative])


def silent(event: Event) -> None:
    """Take what a build tells and show it nowhere."""


def build(
    stages: Sequence[Stage],
    cache: Path,
    *,
    plan_name: str = "default",
    only: Collection[str] | None = None,
    jobs: int | None = None,
    recheck: int = 0,
    project: Project | None = None,
    on_event: OnEvent = silent,
) -> dict[str, Built]:
    """Return the result of every stage, running those whose recipe has no result yet.

    Parameters
    ----------
    stages : sequence of Stage
        Each after the stages that it reads.
    cache : Path
        Where results are kept.
    plan_name : str
        Under this name the results are remembered, for ``explain``.
    only : collection of str, optional
        Build these stages and what they need; default all.
    jobs : int, optional
        Most stages at once; default one per core.
    recheck : int
        So many cached stages are run again, and their results compared.

    Raises
    ------
    AnalysisError, ReportError
        As the first failing stage of the plan raised it; any other error is a ``StageError``. Stages
        that do not need a failed one are finished first.
    """
    wanted, store = selected(stages, only), Store(cache)
    with environment_problems(store.cache):
        run = _Build(wanted, store, plan_name, project or Project(), jobs or cores(), on_event)
        try:
            run.run(recheck)
        finally:
            run.remember()
    return run.built


def selected(stages: Sequence[Stage], only: Collection[str] | None = None) -> list[Stage]:
    """Return the stages named in ``only``, and those that they need, in the order of the plan.

    Raises
    ------
    StageError
        The plan is not one: a name twice, or an input that no earlier stage makes.
    """
    seen: set[str] = set()
    for stage in stages:
        missing = sorted(needs(stage) - seen)
        if missing or stage.name in seen:
            problem = f"reads {missing[0]}, which no earlier stage makes" if missing else "is there twice"
            raise StageError(f"stage {stage.name} {problem}", hint="mend report/pipeline.py")
        seen.add(stage.name)
    wanted = seen if only is None else set(only)
    if unknown := sorted(wanted - seen):
        raise StageError(f"no stage is called {unknown[0]}", hint="report status")
    for stage in reversed(stages):
        wanted |= needs(stage) if stage.name in wanted else set()
    return [stage for stage in stages if stage.name in wanted]


def needs(stage: Stage) -> set[str]:
    """Return the names of the stages that ``stage`` reads."""
    return {where.stage for where in stage.inputs.values() if isinstance(where, Output)}


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Build:
    """One build: which stages are done, ready and running."""

    def __init__(
        self, stages: list[Stage], store: Store, plan: str, project: Project, jobs: int, on_event: OnEvent
    ) -> None:
        self.stages = stages
        self.store = store
        self.plan = plan
        self.project = project
        self.jobs = jobs
        self.tell = on_event
        self.built: dict[str, Built] = {}
        self.failures: dict[str, Exception] = {}
        self.seen: set[str] = set()
        self.ready: dict[str, Stage] = {}
        self.running: dict[Future[Outcome], Stage] = {}
        self.seconds: dict[str, float] = {}
        self.rank: dict[str, float] = {}
        self.planned = False

    def run(self, recheck: int) -> None:
        """Build everything that can be, then raise the first failure in the order of the plan."""
        self._settle()
        again = random.sample(sorted(self.built), min(recheck, len(self.built)))
        if self.ready or again:
            self._expect()
        self._tell_plan(again)
        if self.ready or again:
            with self._workers() as executor:
                self._work(executor)
                self.ready = {stage.name: stage for stage in self.stages if stage.name in again}
                self._work(executor)
        for stage in self.stages:
            if stage.name in self.failures:
                raise self.failures[stage.name]

    def remember(self) -> None:
        """Point the plan at the results that are known now."""
        self.store.point(self.plan, {name: built.key for name, built in self.built.items()})

    def _settle(self) -> None:
        """Look up every stage whose inputs have become known: it is cached, or ready to run."""
        moment = Moment(self.project, self.store.index)
        for stage in self.stages:
            if stage.name not in self.seen and needs(stage) <= self.built.keys():
                self.seen.add(stage.name)
                self.ready[stage.name] = stage
                self._look_up(stage, moment)
        moment.save()

    def _tell_plan(self, again: Collection[str]) -> None:
        waiting: dict[str, Waiting] = {}
        lost = set(self.failures)
        for stage in self.stages:
            if needs(stage) & lost:
                lost.add(stage.name)
            elif stage.name not in lost and (stage.name not in self.built or stage.name in again):
                seconds = self.seconds.get(stage.name)
                waiting[stage.name] = Waiting(seconds, stage.threads, frozenset(needs(stage)))
        self.planned = True
        self.tell(Planned(len(self.stages), waiting, self.jobs, cores()))

    def _look_up(self, stage: Stage, moment: Moment) -> tuple[str, Recipe] | None:
        """Return the key and recipe of a ready stage that must run; else note its result or failure."""
        outputs = {name: digest_files(files) for name, files in self._inputs(stage).items()}
        try:
            recipe = moment.recipe(stage, outputs, lambda *so_far: self._tell_reading(stage, *so_far))
        except (AnalysisError, ReportError) as error:
            self._fail(stage, error)
            return None
        key = digest_json(recipe)
        record = self.store.read(key)
        if record:
            self._finish(stage, record, "cached")
            return None
        return key, recipe

    def _tell_reading(self, stage: Stage, done: int, total: int) -> None:
        if done % 100 == 0 or done == total:
            self.tell(Progressed(stage.name, done, total, "files read", {}))

    def _finish(self, stage: Stage, record: Record, how: How) -> None:
        self.ready.pop(stage.name, None)
        self.built[stage.name] = Built(stage.name, record.key, record, how, self.store)
        if self.planned:
            self.tell(Finished(stage.name, how, record.seconds))

    def _fail(self, stage: Stage, error: Exception) -> None:
        self.ready.pop(stage.name, None)
        self.failures[stage.name] = error
        self.tell(Failed(stage.name, error))

    def _expect(self) -> None:
        """Learn how long stages took last time, and rank each by the longest way from it to the end."""
        for name, key in self.store.latest(self.plan).items():
            if record := self.store.record(key):
                self.seconds[name] = record.seconds
        self.rank = {stage.name: 0.0 for stage in self.stages}
        for stage in reversed(self.stages):
            self.rank[stage.name] += self.seconds.get(stage.name, 1.0)
            for name in needs(stage):
                self.rank[name] = max(self.rank[name], self.rank[stage.name])

    @contextmanager
    def _workers(self) -> Iterator[LocalExecutor]:
        from report.engine.executors import LocalExecutor

        self.store.sweep()
        executor = LocalExecutor(self.project)
        try:
            yield executor
        except BaseException:
            executor.kill()
            raise
        finally:
            executor.close()

    def _work(self, executor: LocalExecutor) -> None:
        while self.ready or self.running:
            self._admit(executor)
            self._collect(executor)
            self._settle()

    def _admit(self, executor: LocalExecutor) -> None:
        for stage in sorted(self.ready.values(), key=lambda stage: -self.rank[stage.name]):
            task = self._task(stage) if self._fits(stage) else None
            if task:
                del self.ready[stage.name]
                self.running[executor.submit(task)] = stage
                self.store.point(self.plan, {stage.name: task.key}, "runs")
                self.tell(Started(stage.name, self.seconds.get(stage.name)))

    def _fits(self, stage: Stage) -> bool:
        threads = sum(other.threads for other in self.running.values())
        return not self.running or (len(self.running) < self.jobs and threads + stage.threads <= cores())

    def _task(self, stage: Stage) -> Task | None:
        """Return what a worker needs to run ``stage``, looked up once more: files may have changed."""
        from report.engine.worker import Task

        again = self.built.get(stage.name)
        if again:
            found: tuple[str, Recipe] | None = again.key, again.record.recipe
        else:
            found = self._look_up(stage, Moment(self.project, self.store.index))
        if not found:
            return None
        return Task(stage, *found, self._inputs(stage), self.store.cache, self.project, again is not None)

    def _inputs(self, stage: Stage) -> dict[str, Files]:
        return {
            name: chosen(self.built[where.stage].record.outputs, where)
            for name, where in stage.inputs.items()
            if isinstance(where, Output)
        }

    def _collect(self, executor: LocalExecutor) -> None:
        """Wait a moment, pass on what the stages tell, and take what has ended."""
        from concurrent.futures import FIRST_COMPLETED, wait

        done = wait(self.running, POLL_SECONDS, FIRST_COMPLETED).done if self.running else ()
        for message in executor.messages():
            self.tell(message)
        for future in done:
            self._take(self.running.pop(future), future)

    def _take(self, stage: Stage, future: Future[Outcome]) -> None:
        error = future.exception()
        outcome = None if error else future.result()
        if outcome and outcome.record and stage.name in self.built:
            self._compare(stage, outcome.record)
        elif outcome and outcome.record:
            self._finish(stage, outcome.record, outcome.how)
            self.remember()
        elif outcome and outcome.error:
            self._fail(stage, outcome.error)
        else:
            message = f"{stage.name}: its process was ended from outside: killed, or out of memory"
            self._fail(
                stage, StageError(message, hint="run the same command again: it goes on where it stopped")
            )

    def _compare(self, stage: Stage, again: Record) -> None:
        """Note whether a stage that was run again gave the files that are cached."""
        first = self.built[stage.name].record.outputs
        names = sorted(first.keys() | again.outputs.keys())
        different = [name for name in names if first.get(name) != again.outputs.get(name)]
        if different:
            message = f"{stage.name}: run again, it gives other bytes: {', '.join(different)}"
            self._fail(
                stage, StageError(message, hint="look for what it does not draw from its inputs and seed")
            )
        else:
            self.built[stage.name] = replace(self.built[stage.name], how="same")
            self.tell(Finished(stage.name, "same", again.seconds))
