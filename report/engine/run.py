"""Builds a plan: finds what is cached, runs what is not, each stage as soon as its inputs are there."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.errors import AnalysisError
from report.engine import events
from report.engine.code import Project
from report.engine.events import How, OnEvent
from report.engine.fingerprint import Moment, Recipe
from report.engine.stage import Stage, selected
from report.engine.store import Files, Record, Store, digest_files, digest_json, refusal, taken
from report.engine.system.files import environment_problems
from report.engine.system.machine import cores
from report.errors import ReportError, StageError

if TYPE_CHECKING:
    from concurrent.futures import Future

    from report.engine.executors import LocalExecutor

POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Built:
    """The result of a stage."""

    record: Record
    how: How
    store: Store

    @property
    def key(self) -> str:
        """The digest of all that it was made from."""
        return self.record.key

    @property
    def files(self) -> tuple[str, ...]:
        """The paths of its files inside its folder."""
        return tuple(self.record.outputs)

    def path(self, relative: str) -> Path:
        """Return where the bytes of one of its files lie, read through and found sound."""
        return self.store.checked(self.record.outputs[relative], self.record.stage)


def build(
    stages: Sequence[Stage],
    cache: Path,
    *,
    plan_name: str = "default",
    only: Collection[str] | None = None,
    jobs: int | None = None,
    recheck: int = 0,
    project: Project | None = None,
    on_event: OnEvent = events.silent,
    workers: LocalExecutor | None = None,
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
    workers : LocalExecutor, optional
        Where the stages run; default new processes, which end with the build.

    Raises
    ------
    AnalysisError, ReportError
        As the first failing stage of the plan raised it; any other error is a ``StageError``. What runs
        then is finished first, and so are stages that do not need the failed one, if another needs them
        and the failed one is not early.
    """
    wanted, store = selected(stages, only), Store(cache)
    with environment_problems(store.cache), store.locks.reading():
        run = _Build(wanted, store, plan_name, project or Project(), jobs or cores(), on_event)
        try:
            run.run(recheck, workers)
        finally:
            run.remember()
        if len(wanted) == len(stages):
            store.forget_others(plan_name, run.built)
    return run.built


@dataclass
class _Build:
    """One build: which stages are due, running, built and failed."""

    stages: list[Stage]
    store: Store
    plan: str
    project: Project
    jobs: int
    tell: OnEvent
    due: set[str] = field(default_factory=set)
    running: dict[Future[tuple[Record, How]], Stage] = field(default_factory=dict)
    built: dict[str, Built] = field(default_factory=dict)
    failures: dict[str, Exception] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    by_rank: list[Stage] = field(default_factory=list)
    planned: bool = False

    def run(self, recheck: int, workers: LocalExecutor | None) -> None:
        """Build everything that can be, then raise the first failure in the order of the plan."""
        self._find_cached()
        again = set(random.sample(sorted(self.built), min(recheck, len(self.built))))
        if self.due or again:
            self._expect()
        self._tell_plan(self.due | again)
        if self.due or again:
            from report.engine.executors import LocalExecutor

            self.store.sweep()
            own = LocalExecutor(self.project, self.store.root / "home")
            with nullcontext(workers) if workers else own as executor:
                self._work(executor)
                self.due = again
                self._work(executor)
        for stage in self.stages:
            if stage.name in self.failures:
                raise self.failures[stage.name]

    def remember(self) -> None:
        """Point the plan at the results that are known now."""
        self.store.point(self.plan, {name: built.key for name, built in self.built.items()})

    def _find_cached(self) -> None:
        self.due = {stage.name for stage in self.stages}
        moment = Moment(self.project, self.store.index)
        for stage in self.stages:
            if self._is_ready(stage):
                self._look_up(stage, moment)
        moment.save()

    def _is_ready(self, stage: Stage) -> bool:
        return stage.name in self.due and stage.needs <= self.built.keys()

    def _look_up(self, stage: Stage, moment: Moment) -> Recipe | None:
        """Return the recipe of a stage that must run; else note its result or failure."""
        outputs = {name: digest_files(files) for name, files in self._inputs(stage).items()}
        try:
            recipe = moment.recipe(stage, outputs, lambda *so_far: self._tell_reading(stage, *so_far))
        except (AnalysisError, ReportError) as error:
            self._fail(stage, error)
            return None
        if record := self.store.read(digest_json(recipe)):
            self._finish(stage, record, "cached")
            return None
        return recipe

    def _inputs(self, stage: Stage) -> dict[str, Files]:
        return taken(stage, {name: built.record for name, built in self.built.items()})

    def _tell_reading(self, stage: Stage, done: int, total: int) -> None:
        if done % 100 == 0 or done == total:
            self.tell(events.Progressed(stage.name, done, total, "files read", {}))

    def _finish(self, stage: Stage, record: Record, how: How) -> None:
        problem = refusal(stage.name, record.undeclared)
        if problem and self.project.strict:
            self._fail(stage, problem)
            return
        self.due.discard(stage.name)
        self.built[stage.name] = Built(record, how, self.store)
        if problem:
            self.tell(events.Warned(stage.name, problem))
        if self.planned:
            self.tell(events.Finished(stage.name, how, record.seconds))

    def _fail(self, stage: Stage, error: Exception) -> None:
        self.failures[stage.name] = error
        lost = (self.due if self._is_early() else self.due & self._hopeless()) - self.built.keys()
        self.due -= lost
        self.tell(events.Failed(stage.name, error, frozenset(lost - {stage.name})))

    def _is_early(self) -> bool:
        return any(stage.early and stage.name in self.failures for stage in self.stages)

    def _hopeless(self) -> set[str]:
        """Return the stages that cannot run for the failures, and those that nobody but these reads."""
        lost = set(self.failures)
        readers: dict[str, set[str]] = {stage.name: set() for stage in self.stages}
        for stage in self.stages:
            if stage.needs & lost:
                lost.add(stage.name)
            for name in stage.needs:
                readers[name].add(stage.name)
        return lost | {name for name, by in readers.items() if by and by <= lost}

    def _expect(self) -> None:
        """Learn how long stages took last time; put first what is early, then what begins the longest way to the end."""
        for name, key in self.store.latest(self.plan).items():
            if record := self.store.record(key):
                self.seconds[name] = record.seconds
        rank = {stage.name: 0.0 for stage in self.stages}
        for stage in reversed(self.stages):
            rank[stage.name] += self.seconds.get(stage.name, 1.0)
            for name in stage.needs:
                rank[name] = max(rank[name], rank[stage.name])
        self.by_rank = sorted(self.stages, key=lambda stage: (not stage.early, -rank[stage.name]))

    def _tell_plan(self, names: set[str]) -> None:
        waiting = {
            stage.name: events.Waiting(self.seconds.get(stage.name), stage.threads, stage.needs)
            for stage in self.stages
            if stage.name in names
        }
        self.planned = True
        self.tell(events.Planned(len(self.stages), waiting, self.jobs, cores()))

    def _work(self, executor: LocalExecutor) -> None:
        while self.running or any(map(self._is_ready, self.stages)):
            for stage in self.by_rank:
                if self._is_ready(stage) and self._fits(stage):
                    self._start(stage, executor)
            self._collect(executor)

    def _fits(self, stage: Stage) -> bool:
        threads = sum(other.threads for other in self.running.values())
        return not self.running or (len(self.running) < self.jobs and threads + stage.threads <= cores())

    def _start(self, stage: Stage, executor: LocalExecutor) -> None:
        """Run a stage, looked up once more, as files may have changed; one that is built only to compare."""
        from report.engine.worker import Task

        again, moment = self.built.get(stage.name), Moment(self.project, self.store.index)
        recipe = again.record.recipe if again else self._look_up(stage, moment)
        if recipe:
            inputs, cache = self._inputs(stage), self.store.cache
            task = Task(stage, digest_json(recipe), recipe, inputs, cache, self.project, bool(again))
            self.due.discard(stage.name)
            self.running[executor.submit(task)] = stage
            self.store.point(self.plan, {stage.name: task.key}, "runs")
            self.tell(events.Started(stage.name, self.seconds.get(stage.name)))

    def _collect(self, executor: LocalExecutor) -> None:
        """Wait a moment, pass on what the stages tell, and take what has ended."""
        from concurrent.futures import FIRST_COMPLETED, wait

        done = wait(self.running, POLL_SECONDS, FIRST_COMPLETED).done
        for message in executor.messages():
            self.tell(message)
        for future in done:
            self._take(self.running.pop(future), future)

    def _take(self, stage: Stage, future: Future[tuple[Record, How]]) -> None:
        from concurrent.futures import BrokenExecutor

        try:
            record, how = future.result()
        except BrokenExecutor:
            message = f"{stage.name}: its process was ended from outside: killed, or out of memory"
            hint = "run the same command again: it goes on where it stopped"
            self._fail(stage, StageError(message, hint=hint))
        except Exception as error:  # noqa: BLE001  # whatever the stage raised
            self._fail(stage, error)
        else:
            if stage.name in self.built:
                self._compare(stage, record)
            else:
                self._finish(stage, record, how)
                self.remember()

    def _compare(self, stage: Stage, again: Record) -> None:
        """Note whether a stage that was run again gave the files that are cached."""
        first = self.built[stage.name].record.outputs
        names = sorted(first.keys() | again.outputs.keys())
        different = [name for name in names if first.get(name) != again.outputs.get(name)]
        if different:
            message = f"{stage.name}: run again, it gives other bytes: {', '.join(different)}"
            hint = "look for what it does not draw from its inputs and seed"
            self._fail(stage, StageError(message, hint=hint))
        else:
            self.built[stage.name] = replace(self.built[stage.name], how="same")
            self.tell(events.Finished(stage.name, "same", again.seconds))
