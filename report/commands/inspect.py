"""``report status``, ``why``, ``log`` and ``graph``: what a build would run and why, and what stages have done."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from report.commands.options import (
    Cache,
    Data,
    Sample,
    Set,
    StageName,
    StudyArgument,
    StudyOption,
    request_plan,
    request_plan_without_data,
)
from report.errors import WOULD_RUN, UsageError
from report.terminal import console
from report.terminal.quantities import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterable

    from report.engine.status import StageStatus
    from report.workspace.plan import Plan


def status(
    study: StudyArgument = "assignment",
    data: Data = None,
    sample: Sample = False,
    overrides: Set = None,
    check: Annotated[bool, typer.Option("--check", help="Exit 3 when a build would run something.")] = False,
    cache: Cache = None,
) -> None:
    """Tell which stages are fresh, stale or missing, and why."""
    from report.commands.cache import print_other_versions

    stages = _find_status(request_plan(study, data, sample, overrides, cache))
    rows = [[s.name, s.state, _expect(s), "; ".join(s.reasons)] for s in stages]
    console.print_table(["stage", "state", "expected", "why"], rows)
    console.say(_summarise(stages))
    print_other_versions(cache)
    if check and any(s.state != "fresh" for s in stages):
        raise typer.Exit(WOULD_RUN)


def why(
    stage: StageName,
    study: StudyOption = "assignment",
    data: Data = None,
    sample: Sample = False,
    overrides: Set = None,
    cache: Cache = None,
) -> None:
    """Tell why one stage would run, down to the setting, file, package or module of code that changed."""
    stages = {s.name: s for s in _find_status(request_plan(study, data, sample, overrides, cache))}
    _require_stage(stage, stages)
    found = stages[stage]
    expected = _expect(found)
    console.say(f"{found.name}: {found.state}" + (f", its last run took {expected}" if expected else ""))
    for reason in found.reasons:
        console.say(f"  {reason}")


def _find_status(plan: Plan) -> list[StageStatus]:
    from report.engine.status import status as find_status
    from report.pipeline.stages import PROGRAM

    return find_status(plan.stages, plan.cache, PROGRAM, plan_name=plan.cache_name)


def _expect(status: StageStatus) -> str:
    """Return how long a stage would run; "" if it would not, or nobody knows."""
    runs = status.state != "fresh" and status.expected_seconds
    return format_duration(status.expected_seconds) if runs and status.expected_seconds else ""


def _summarise(stages: list[StageStatus]) -> str:
    late = [s for s in stages if s.state != "fresh"]
    if not late:
        return f"all {len(stages)} stages are fresh"
    waiting = sum(s.state == "waiting" for s in late)
    known = [s.expected_seconds for s in late if s.expected_seconds is not None]
    took = f"; their last runs took {format_duration(sum(known))}" if known else ""
    return f"{len(late) - waiting} of {len(stages)} stages would run, {waiting} more may{took}"


def _require_stage(name: str, known: Iterable[str]) -> None:
    if name not in known:
        raise UsageError(f"no stage is called {name!r}", hint=f"there are: {', '.join(known)}")


def log(
    stage: StageName,
    study: StudyOption = "assignment",
    data: Data = None,
    sample: Sample = False,
    overrides: Set = None,
    cache: Cache = None,
) -> None:
    """Print what a stage wrote while it ran last; ``classify`` is that of predict, ``check`` of data check."""
    from report.commands.data import CHECK_NAME
    from report.commands.predict import name_in_cache
    from report.engine.status import read_last_log

    plan = request_plan_without_data(study, data, sample, overrides, cache)
    names = (plan.cache_name, name_in_cache(plan), CHECK_NAME)
    text = next(filter(None, (read_last_log(plan.cache, name, stage) for name in names)), "")
    if not text:
        _require_stage(stage, [s.name for s in plan.stages])
    console.say(text or f"{stage} has no log yet")


def graph(
    study: StudyArgument = "assignment",
    data: Data = None,
    sample: Sample = False,
    overrides: Set = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.svg", help="Default: graph.svg in the build folder.")
    ] = None,
    cache: Cache = None,
) -> None:
    """Draw the stages: state, time, and where and when each result was made."""
    from report.delivery.publish import ELSEWHERE
    from report.engine.system.files import explain_refusals, write_atomically
    from report.graph.drawing import draw_plan

    if out and out.suffix != ".svg":
        raise UsageError(f"--out {out}: not the name of a drawing", hint="such as --out graph.svg")
    plan = request_plan(study, data, sample, overrides, cache)
    path = out.absolute() if out else plan.out / "graph.svg"
    drawing = draw_plan(plan, datetime.now().astimezone().date())
    with explain_refusals(path, ELSEWHERE):
        write_atomically(path, drawing.encode(), durable=False)
    console.say(console.shorten_path(path))
