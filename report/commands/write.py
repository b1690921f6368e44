"""``report document`` and ``preview``: the document from cached results, while one writes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from report.commands.options import (
    Cache,
    Data,
    NoBrowser,
    Port,
    Sample,
    Set,
    StudyArgument,
    StudyOption,
    request_plan,
)
from report.errors import UsageError
from report.terminal import console
from report.terminal.signals import Stopped

if TYPE_CHECKING:
    from report.workspace.plan import Plan


def document(
    study: Annotated[
        str | None, typer.Argument(metavar="STUDY", help="Default: every finished study.")
    ] = None,
    data: Data = None,
    sample: Sample = False,
    cache: Cache = None,
) -> None:
    """Write the .qmd and its figures from cached results; never trains."""
    from report.workspace.cached_results import find_unbuilt, require_built

    if study is None:
        plans = _find_finished(cache)
    else:
        plans = [request_plan(study, data, sample, None, cache)]
        require_built(plans[0], find_unbuilt(plans[0]))
    for plan in plans:
        _write_source(plan)


def _find_finished(cache: Path | None) -> list[Plan]:
    """Return the plans whose results are complete, or that of the assignment's sample if there is none."""
    from analysis.errors import AnalysisError
    from report.workspace.cached_results import find_unbuilt
    from report.workspace.places import list_studies

    finished = []
    for name in list_studies():
        for sample in (False, True):
            try:
                plan = request_plan(name, None, sample, None, cache)
            except AnalysisError as error:  # its data are not here: it cannot be finished
                console.say(f"{name}: left out, {error.message}")
                continue
            if not plan.study.is_locked and not find_unbuilt(plan):
                finished.append(plan)
    return finished or [request_plan("assignment", None, True, None, cache)]


def _write_source(plan: Plan) -> None:
    """Write one study's source into ``document/``."""
    from report.commands.execution import build_plan, retry_damaged
    from report.delivery.publish import publish_source

    path = retry_damaged(lambda: publish_source(plan, build_plan(plan, ["source"])))
    console.say(console.shorten_path(path))


def template(
    name: Annotated[str, typer.Argument(metavar="SECTION", help="Such as comparison, or floats/headline.")],
    study: StudyOption = "assignment",
) -> None:
    """Copy a template of ours into a study's folder, where it is yours to change."""
    from report.commands.skeleton import copy_template
    from report.workspace.places import find_study_folder

    console.say(console.shorten_path(copy_template(name, find_study_folder(study))))


def preview(
    study: StudyArgument = "assignment",
    data: Data = None,
    sample: Sample = False,
    overrides: Set = None,
    cache: Cache = None,
    port: Port = None,
    no_browser: NoBrowser = False,
    pdf: Annotated[bool, typer.Option("--pdf", help="The PDF beside the HTML.")] = False,
    quarto: Annotated[bool, typer.Option("--quarto", help="Quarto's page in place of ours.")] = False,
) -> None:
    """Show the report in the browser while you write, and again after every save; Ctrl-C ends it."""
    if pdf and quarto:
        raise UsageError("--pdf and --quarto: Quarto shows no PDF", hint="leave out one of them")
    from report.preview.session import Wanted, show
    from report.workspace.cached_results import find_unbuilt, require_built

    try:
        plan = request_plan(study, data, sample, overrides, cache)
        require_built(plan, find_unbuilt(plan))
        show(plan, Wanted(port, not no_browser, pdf, quarto))
    except Stopped as stop:  # as it is meant to end
        raise typer.Exit(128 + stop.number) from stop
