"""Build stages for a command: show how it goes, and tell what went wrong with the next command to type."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from analysis.errors import LayoutError
from analysis.vocabulary.run_names import split_run
from report.engine.events import Finished, Planned
from report.engine.stage import kind_of
from report.errors import DamagedError, RenderError, StageError, and_more
from report.terminal import console, progress
from report.terminal.quantities import format_training_time
from report.workspace.places import find_engine, find_remote

if TYPE_CHECKING:
    from report.engine.events import Event
    from report.engine.run import Built, Options
    from report.engine.stage import Stage
    from report.workspace.plan import Plan

T = TypeVar("T")


def local_options(plan_name: str, *, strict: bool = False) -> Options:
    """Return the options of a build in processes of this machine.

    Parameters
    ----------
    plan_name : str
        The name under which the cache remembers the results.
    strict : bool
        Whether a stage may not read what its key does not cover; always so in continuous integration.
    """
    from report.engine.executors import local_processes
    from report.engine.run import Options
    from report.pipeline.stages import PROGRAM

    remote, writes = find_remote()
    program = replace(PROGRAM, strict=is_strict(strict))
    return Options(program, local_processes, plan_name, remote=remote, remote_writes=writes)


def build_stages(
    stages: Sequence[Stage], cache: Path, options: Options, log_command: Callable[[str], str]
) -> Mapping[str, Built]:
    """Return the results of ``stages``, as `report.engine.run.build`, and show how it goes.

    ``log_command`` returns the command that prints the log of a stage: the hint where one fails.

    Raises
    ------
    UserError
        As `report.engine.run.build`.
    """
    from report.engine.run import build

    try:
        with progress.display() as show:

            def tell(event: Event) -> None:
                show(event)
                options.on_event(event)

            return build(stages, cache, replace(options, on_event=tell))
    except StageError as error:
        if error.log:  # a stage knows its name alone
            error.hint = log_command(error.log)
        raise


def build_plan(
    plan: Plan,
    targets: Sequence[str],
    *,
    jobs: int | None = None,
    recheck: int = 0,
    strict: bool = False,
    engine: tuple[str, str] | None = None,
) -> Mapping[str, Built]:
    """Return the results of the stages ``targets`` of a plan and of all that they read.

    Parameters
    ----------
    jobs : int, optional
        Most stages at once.
    recheck : int
        So many cached stages are run again, and their results compared.
    strict : bool
        As `local_options`; nor may an author's words be doubted.
    engine : tuple of str, optional
        Where stages run, as `report.workspace.places.find_engine` says it; the machine's setting if it is not given.

    Raises
    ------
    UserError
        As `report.engine.run.build`; a `RenderError` also where a strict build doubts the author's words.
    """

    from report.engine import executors

    def follow(event: Event) -> None:
        if isinstance(event, Planned):
            _prepare(plan, event, targets)
        if isinstance(event, Finished):
            plan.keep_declaration([event.stage])

    options = local_options(plan.cache_name, strict=strict)
    start = executors.choose(*(engine or find_engine()), progress.ask_to_go_on)
    options = replace(
        options, start_executor=start, only=targets, jobs=jobs, recheck=recheck, on_event=follow
    )
    try:
        built = build_stages(plan.stages, plan.cache, options, plan.log_command)
    except LayoutError as error:
        if plan.data:
            check = shlex.join(["report", "data", "check", str(plan.data)])
            error.hint = f"{check} tells which reader and which studies fit; or {error.hint}"
        raise
    except RenderError as error:
        from report.workspace.cached_results import locate_in_study

        if isinstance(error.__cause__, RenderError):  # of the rehearsal, which has a source of its own
            raise
        raise locate_in_study(plan, error) from error
    plan.keep_declaration(built)
    _check_doubts(built, strict=is_strict(strict))
    return built


def _prepare(plan: Plan, planned: Planned, targets: Sequence[str]) -> None:
    """Refuse, and tell, before the first training what would be refused or seen after the last."""
    if "source" in targets and includes_training(planned):
        rehearse_document(plan, pdf="pdf" in targets)
    if not plan.request.sample:
        _announce_trainings(plan, planned)


def includes_training(planned: Planned) -> bool:
    """Tell whether a build has a model to train."""
    return any(kind_of(name) == "train" for name in planned.waiting)


def rehearse_document(plan: Plan, *, pdf: bool) -> None:
    """Make the document with made-up results.

    Raises
    ------
    EnvironmentProblem
        A ``pdf`` is asked for, and Pango is missing.
    RenderError, StudyError
        As `report.delivery.rehearsal.rehearse`.
    """
    from report.delivery.rehearsal import rehearse
    from report.engine.system.distributions import find_version

    if pdf and find_version("pango") == "not found":
        from report.document.pdf import import_weasyprint

        import_weasyprint()
    if untried := rehearse(plan):
        console.warn(f"the document could not be tried with made-up results: {untried}")


def _announce_trainings(plan: Plan, planned: Planned) -> None:
    """Tell before it starts how long the trainings take that never ran here."""
    from report.study.trainings import list_variants

    models = (*plan.study.models, *(variant.model for variant in list_variants(plan.study)))
    minutes = list_new_trainings(planned, {model.id: model.minutes for model in models})
    if minutes:
        trainings = "1 training" if len(minutes) == 1 else f"{len(minutes)} trainings"
        console.note(
            f"{trainings} for the first time: {format_training_time(minutes)}; --only MODEL builds a part,"
            " and Ctrl-C loses nothing"
        )


def list_new_trainings(planned: Planned, minutes: Mapping[str, float | None]) -> list[float | None]:
    """Return the minutes of what a build trains for the first time.

    ``minutes`` are those of the models in the study file, None where it does not tell them.
    """
    new = [name for name, stage in planned.waiting.items() if kind_of(name) == "train" and not stage.seconds]
    return [minutes.get(split_run(name.removeprefix("train."))[0]) for name in new]


def _check_doubts(built: Mapping[str, Built], *, strict: bool) -> None:
    """Warn of what in the author's words a result could contradict; a strict build does not let it pass."""
    from report.document.lint import DOUBTS

    if "source" not in built:
        return
    doubts = json.loads(built["source"].path(DOUBTS).read_text(encoding="utf-8"))
    if doubts and strict:
        raise RenderError(doubts[0] + and_more(len(doubts)))
    for doubt in doubts:
        console.warn(doubt)


def retry_damaged(make: Callable[[], T]) -> T:
    """Return what ``make`` builds and reads; once more for each result that it finds damaged in the cache.

    Raises
    ------
    DamagedError
        A result is damaged though it was just made anew.
    """
    damaged: set[Path | None] = set()
    while True:
        try:
            return make()
        except DamagedError as error:
            if error.file in damaged:
                raise
            damaged.add(error.file)
            console.warn(f"{error.message}; it is made anew")


def is_strict(asked: bool) -> bool:
    """Tell whether a build lets nothing pass: where it is asked for, and in continuous integration."""
    return asked or os.environ.get("CI") == "true"
