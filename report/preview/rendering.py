"""The page of a study as a build makes it; only the processes in which stages run stay for the next save.

Figures are drawn where they are out of date; what takes longer is named and left to ``report build``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace

from report.delivery.publish import publish_source
from report.document.lint import DOUBTS
from report.engine.events import Event, Planned
from report.engine.local_processes import LocalProcesses
from report.engine.run import Built, Options, build
from report.errors import ChangedError, RenderError
from report.pipeline.stages import PROGRAM
from report.preview.page import PreviewState
from report.study.folder import find_unread_prose
from report.terminal import console
from report.workspace.cached_results import locate_in_study, require_built, select_unbuilt
from report.workspace.places import find_study_folder
from report.workspace.plan import Plan, make_plan
from report.workspace.request import Request
from report.writing.author.glyphs import warn_of_missing_glyphs

ALWAYS_BUILT = 2
"""So many stages any save makes anew: the source and the page."""


def render(request: Request, workers: LocalProcesses, before: PreviewState) -> PreviewState:
    """Return the page anew; where that fails the last good one, with what is wrong."""
    try:
        plan = make_plan(request)
        try:
            built = rebuild(plan, workers)
        except RenderError as error:
            raise locate_in_study(plan, error) from error
        page = built["html"].path("report.html").read_bytes().decode()
        doubts = json.loads(built["source"].path(DOUBTS).read_bytes())
        folder = find_study_folder(request.study)
        unread = find_unread_prose(folder, plan.study.report.sections)
        warnings = [*doubts, *unread, *warn_of_missing_glyphs(plan.study, folder)]
    except Exception as error:  # noqa: BLE001  # the next save may mend whatever it is
        message, hint = console.describe_error(error)
        return replace(before, message=message, hint=hint, warnings=())
    return PreviewState(page, warnings=tuple(warnings), paper=before.paper)


def render_paper(request: Request, workers: LocalProcesses, state: PreviewState) -> PreviewState:
    """Return a good page with its PDF made anew; where that fails with the last good one, and what is wrong."""
    if state.message:
        return state
    try:
        paper = rebuild(make_plan(request), workers, "pdf")["pdf"].path("report.pdf").read_bytes()
    except Exception as error:  # noqa: BLE001  # the next save may mend whatever it is
        message, hint = console.describe_error(error)
        return replace(state, message=message, hint=hint)
    return replace(state, paper=paper)


def rewrite_source(request: Request, workers: LocalProcesses) -> None:
    """Write the document's source anew where Quarto reads it."""
    plan = make_plan(request)
    publish_source(plan, rebuild(plan, workers, "source"))


def rebuild(plan: Plan, workers: LocalProcesses, wanted: str = "html") -> dict[str, Built]:
    """Build the page or what else of the document is ``wanted``, and what it shows if that takes no training.

    Raises
    ------
    UsageError
        More than figures and the document would run.
    """

    def follow(event: Event) -> None:
        if isinstance(event, Planned):
            refuse_training(plan, [*event.waiting])

    options = Options(
        PROGRAM, lambda *_: nullcontext(workers), plan.cache_name, only=[wanted], on_event=follow
    )
    try:
        built = build(plan.stages, plan.cache, options)
    except ChangedError:  # by the next save
        built = build(plan.stages, plan.cache, options)
    plan.keep_declaration(built)
    return built


def refuse_training(plan: Plan, waiting: Sequence[str]) -> None:
    """Let a build go on that makes figures and the document, and no other.

    Raises
    ------
    UsageError
        Another stage is ``waiting``.
    """
    require_built(plan, select_unbuilt(waiting))
    if len(waiting) > ALWAYS_BUILT:
        console.note(f"drawing figures: {len(waiting) - ALWAYS_BUILT}")
