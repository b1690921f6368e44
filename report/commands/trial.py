"""``report try``: a local page on which a trained model answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from report.commands.options import (
    Cache,
    NoBrowser,
    Port,
    Sample,
    Set,
    StudyOption,
    request_plan_without_data,
)
from report.commands.predict import find_model
from report.terminal.signals import Stopped

if TYPE_CHECKING:
    from report.workspace.plan import Plan


def try_(
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            metavar="MODEL",
            help="Default: the first training of the model that the report is about. Or FILE.keras.",
        ),
    ] = None,
    study: StudyOption = "assignment",
    sample: Sample = False,
    overrides: Set = None,
    cache: Cache = None,
    port: Port = None,
    no_browser: NoBrowser = False,
) -> None:
    """Open a local page where you drop an image and see what a trained model says; Ctrl-C ends it. Not for clinical use."""
    from report.preview.trial import show

    try:
        plan = request_plan_without_data(study, None, sample, overrides, cache)
        trained = find_model(plan, model or _find_main(plan))
        show(plan, trained, port, browser=not no_browser)
    except Stopped as stop:  # as it is meant to end
        raise typer.Exit(128 + stop.number) from stop


def _find_main(plan: Plan) -> str:
    """Return the first training of the model that the report is about."""
    from report.study.trainings import list_compared, name_first_run

    first = next(iter(list_compared(plan.study)), plan.study.trained[0].id)
    return name_first_run(plan.study, next(m for m in plan.study.trained if m.id == first))
