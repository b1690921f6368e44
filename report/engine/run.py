"""Builds a plan: finds what is cached, runs what is not, each stage as soon as its inputs are there."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from report.engine import events
from report.engine.code import Project
from report.engine.events import OnEvent, Outcome
from report.engine.executors import Executor, StartExecutor
from report.engine.recipe import Recipe, Surroundings
from report.engine.remote import Remote
from report.engine.schedule import by_urgency, hopeless
from report.engine.stage import Stage, select
from report.engine.store import Files, Record, Store, digest_files, digest_json, input_files, undeclared_error
from report.engine.system.files import translate_disk_errors
from report.errors import StageError, UserError

if TYPE_CHECKING:
    from concurrent.futures import Future


POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Built:
    """The result of a stage."""

    record: Record
    outcome: Outcome
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
        return self.store.sound_path(self.record.outputs[relative], self.record.stage)


@dataclass(frozen=True)
class Options:
    """How a plan is built.

    Parameters
    ----------
    project : Project
        Where the code of the stages lies.
    start_executor : callable
        Starts what runs the stages, if any must run; it ends with the build.
    plan_name : str
        Under this name the results are remembered, for ``explain``.
    only : collection of str, optional
        Build these stages and what they need; default all.
    jobs : int, optional
        Most stages at once; default one per thread that the executor has.
    recheck : int
        So many cached stages are run again, and their results compared.
    remote : str
        The address of a cache that machines share, if there is one; see `report.engine.remote`.
    remote_writes : bool
        Results are given to it, too.
    on_event : callable
        Hears how the build goes.
    """

    project: Project
    start_executor: StartExecutor
    plan_name: str = "default"
    only: Collection[str] | None = None
    jobs: int | None = None
    recheck: int = 0
    remote: str = ""
    remote_writes: bool = True
    on_event: OnEvent = events.silent


def build(stages: Sequence[Stage], cache: Path, options: Options) -> dict[str, Built]:
    """Return the result of every stage, running those whose recipe has no result yet.

    Parameters
    ----------
    stages : sequence of Stage
        Each after the stages that it reads.
    cache : Path
        Where results are kept.
    options : Options
        Which of them, where and how.

    Raises
    ------
    UserError
        As the first failing stage of the plan raised it; any other error is a ``StageError``. What runs
        then is finished first, and so are stages that do not need the failed one, if another needs them
        and the failed one is not early.
    """
    wanted, store = select(stages, options.only), Store(cache)
    with translate_disk_errors(store.cache), store.locks.register_reader():
        remote = Remote(options.remote, store, options.on_event, writes=options.remote_writes)
        run = _Build(wanted, store, remote, options)
        try:
            run.run()
        finally:
            run.remember()
        if len(wanted) == len(stages):
            store.forget_others(options.plan_name, run.built)
    return run.built


@dataclass
class _Build:
    """One build: which stages are due, running, built and failed."""

    stages: list[Stage]
    store: Store
    remote: Remote
    options: Options
    due: set[str] = field(default_factory=set)
    running: dict[Future[tuple[Record, Outcome]], Stage] = field(default_factory=dict)
    built: dict[str, Built] = field(default_factory=dict)
    failures: dict[str, Exception] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    by_urgency: list[Stage] = field(default_factory=list)
    planned: bool = False

    def run(self) -> None:
        """Build everything that can be, then raise the first failure in the order of the plan."""
        self._find_cached()
        again = set(random.sample(sorted(self.built), min(self.options.recheck, len(self.built))))
        if self.due or again:
            self.remote.open(stage for stage in self.stages if stage.name in self.due)
            self._expect()
            home = self.store.root / "home"
            with self.options.start_executor(self.options.project, home) as executor:
                self._tell_plan(self.due | again, executor.threads)
                self.store.sweep()
                self._work(executor)
                self.due = again
                self._work(executor)
        else:
            self._tell_plan(set(), 0)
        for stage in self.stages:
            if stage.name in self.failures:
                raise self.failures[stage.name]

    def remember(self) -> None:
        """Point the plan at the results that are known now."""
        self.store.point(self.options.plan_name, {name: built.key for name, built in self.built.items()})

    def _find_cached(self) -> None:
        self.due = {stage.name for stage in self.stages}
        moment = Surroundings(self.options.project, self.store.index)
        for stage in self.stages:
            if self._is_ready(stage):
                self._look_up(stage, moment)
        moment.save()

    def _is_ready(self, stage: Stage) -> bool:
        return stage.name in self.due and stage.needs <= self.built.keys()

    def _look_up(self, stage: Stage, moment: Surroundings) -> Recipe | None:
        """Return the recipe of a stage that must run; else note its result or failure."""
        outputs = {name: digest_files(files) for name, files in self._inputs(stage).items()}
        try:
            recipe = moment.recipe(stage, outputs, lambda *so_far: self._tell_reading(stage, *so_far))
        except Exception as error:
            if not isinstance(error, UserError):
                raise
            self._fail(stage, error)
            return None
        key = digest_json(recipe)
        if record := self.store.read(key):
            self._finish(stage, record, "cached")
        elif record := self.remote.fetch(stage, key):
            self._finish(stage, record, "fetched")
        return None if record else recipe

    def _inputs(self, stage: Stage) -> dict[str, Files]:
        return input_files(stage, {name: built.record for name, built in self.built.items()})

    def _tell_reading(self, stage: Stage, done: int, total: int) -> None:
        if done % 100 == 0 or done == total:
            self.options.on_event(events.Progressed(stage.name, done, total, "files read", {}))

    def _finish(self, stage: Stage, record: Record, outcome: Outcome) -> None:
        problem = undeclared_error(stage.name, record.undeclared, self.options.project.declared_in)
        if problem and self.options.project.strict:
            self._fail(stage, problem)
            return
        self.due.discard(stage.name)
        self.built[stage.name] = Built(record, outcome, self.store)
        if problem:
            self.options.on_event(events.Warned(stage.name, problem))
        if self.planned:
            self.options.on_event(events.Finished(stage.name, outcome, record.seconds))

    def _fail(self, stage: Stage, error: Exception) -> None:
        self.failures[stage.name] = error
        lost = (
            self.due if self._is_early() else self.due & hopeless(self.stages, self.failures)
        ) - self.built.keys()
        self.due -= lost
        self.options.on_event(events.Failed(stage.name, error, frozenset(lost - {stage.name})))

    def _is_early(self) -> bool:
        return any(stage.early and stage.name in self.failures for stage in self.stages)

    def _expect(self) -> None:
        """Learn how long stages took last time, and which are urgent for it."""
        for name, key in self.store.latest(self.options.plan_name).items():
            if record := self.store.find_record(key):
                self.seconds[name] = record.seconds
        self.by_urgency = by_urgency(self.stages, self.seconds)

    def _tell_plan(self, names: set[str], threads: int) -> None:
        waiting = {
            stage.name: events.Waiting(self.seconds.get(stage.name), stage.threads, stage.needs)
            for stage in self.stages
            if stage.name in names
        }
        self.planned = True
        self.options.on_event(
            events.Planned(len(self.stages), waiting, self.options.jobs or threads, threads)
        )

    def _work(self, executor: Executor) -> None:
        while self.running or any(map(self._is_ready, self.stages)):
            while stage := self._choose(executor.threads):
                self._start(stage, executor)
            self._collect(executor)

    def _choose(self, threads: int) -> Stage | None:
        """Return the most urgent stage that may start, if one may.

        One with the packages of a stage that runs comes last: it can wait for that process, which has imported them.
        """
        imported = [other.packages for other in self.running.values()]
        fitting = [s for s in self.by_urgency if self._is_ready(s) and self._fits(s, threads)]
        return min(fitting, key=lambda stage: stage.packages in imported, default=None)

    def _fits(self, stage: Stage, threads: int) -> bool:
        """Tell whether a stage may join those that run, where ``threads`` are had in all."""
        most = self.options.jobs or threads
        busy = sum(other.threads for other in self.running.values())
        return not self.running or (len(self.running) < most and busy + stage.threads <= threads)

    def _start(self, stage: Stage, executor: Executor) -> None:
        """Run a stage, looked up once more, as files may have changed; one that is built only to compare."""
        from report.engine.worker import Task

        again, moment = self.built.get(stage.name), Surroundings(self.options.project, self.store.index)
        recipe = again.record.recipe if again else self._look_up(stage, moment)
        if recipe:
            inputs, cache = self._inputs(stage), self.store.cache
            task = Task(stage, digest_json(recipe), recipe, inputs, cache, self.options.project, bool(again))
            self.due.discard(stage.name)
            self.running[executor.submit(task)] = stage
            self.store.point(self.options.plan_name, {stage.name: task.key}, "runs")
            self.options.on_event(events.Started(stage.name, self.seconds.get(stage.name)))

    def _collect(self, executor: Executor) -> None:
        """Wait a moment, pass on what the stages report, and take what has ended."""
        from concurrent.futures import FIRST_COMPLETED, wait

        done = wait(self.running, POLL_SECONDS, FIRST_COMPLETED).done
        for message in executor.messages():
            self.options.on_event(message)
        for future in done:
            self._take(self.running.pop(future), future)

    def _take(self, stage: Stage, future: Future[tuple[Record, Outcome]]) -> None:
        from concurrent.futures import BrokenExecutor

        try:
            record, outcome = future.result()
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
                self._finish(stage, record, outcome)
                self.remember()
                if outcome == "ran":
                    self.remote.push(stage, record)

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
            self.built[stage.name] = replace(self.built[stage.name], outcome="same")
            self.options.on_event(events.Finished(stage.name, "same", again.seconds))
