"""``report build``: a whole study, from its data to its report."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from analysis.errors import WeightsError
from analysis.processor import has_bfloat16
from report.commands.options import (
    Cache,
    Data,
    External,
    Pretraining,
    Sample,
    Set,
    StudyArgument,
    Weights,
    request_plan,
)
from report.errors import UsageError, list_first
from report.terminal import console
from report.terminal.quantities import format_size
from report.workspace.places import find_engine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from report.delivery.publish import Publication
    from report.engine.run import Built
    from report.workspace.plan import Plan

FORMATS = ("html", "pdf")


def build(
    study: StudyArgument = "assignment",
    data: Data = None,
    external: External = None,
    pretraining: Pretraining = None,
    weights: Weights = None,
    sample: Sample = False,
    overrides: Set = None,
    ablation: Annotated[
        bool,
        typer.Option("--ablation", help="Train without single components, too: --set ablation.run=true."),
    ] = False,
    only: Annotated[
        str | None, typer.Option("--only", metavar="MODEL", help="One model; no document.")
    ] = None,
    jobs: Annotated[int | None, typer.Option("--jobs", "-j", min=1, help="Stages at once.")] = None,
    formats: Annotated[str, typer.Option("--format", help="html, pdf or both.")] = "html,pdf",
    recheck: Annotated[
        int, typer.Option("--recheck", min=0, help="Run N cached stages again and compare.")
    ] = 0,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict",
            help="Fail where data are in two splits, or a stage reads what its key does not cover.",
        ),
    ] = False,
    engine: Annotated[
        str | None, typer.Option("--engine", metavar="NAME", help="local, dask or slurm.")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option("--scheduler", metavar="ADDRESS", help="Of Dask: tcp://host:8786.")
    ] = None,
    cache: Cache = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Build folder.")] = None,
) -> None:
    """Run a whole study, every step cached, and write report.html and report.pdf."""
    from report.commands.compare import keep_trials
    from report.commands.execution import build_plan, retry_damaged
    from report.commands.leaks import read_leaks, refuse_leaks
    from report.delivery.publish import publish

    start = time.monotonic()
    overrides = [*(overrides or []), *(["ablation.run=true"] if ablation else [])]
    plan = request_plan(study, data, sample, overrides, cache, external, weights, pretraining)
    model = _require_model(plan, only) if only else ""
    plan = _place(plan, out, model)
    targets = _choose_targets(plan, model, formats)
    place = find_engine(engine, scheduler)
    _check(plan, model)
    plan.remember_data()
    _note_omissions(plan, model)

    if plan.study.is_locked:
        _build_locked(plan, targets, jobs, place, start)
        return

    def make() -> tuple[Mapping[str, Built], list[tuple[str, str]], Publication]:
        built = build_plan(plan, targets, jobs=jobs, recheck=recheck, strict=strict, engine=place)
        plan.remember_weights()
        leaks = read_leaks(built)
        if strict:
            refuse_leaks(leaks)
        keep_trials(plan, built)
        return built, leaks, publish(plan, built, time.monotonic() - start)

    built, leaks, published = retry_damaged(make)
    _print_end(plan, built, published, time.monotonic() - start)
    for what, hint in leaks:
        console.warn(f"{what}: {hint}")


def _choose_targets(plan: Plan, model: str, formats: str) -> list[str]:
    """Return the stages to build: of one ``model`` its evaluation, else all on validation images, and the document."""
    from report.study.trainings import list_variants, name_evaluation

    for variant in list_variants(plan.study):
        if variant.model.id == model:
            return [f"validate.{run.name}" for run in variant.list_runs(plan.study)[0]]
    if model:
        return [name_evaluation(plan.study, model)]
    validated = [stage.name for stage in plan.stages if stage.kind == "validate"]
    return validated if plan.study.is_locked else [*validated, "results", "source", *_parse_formats(formats)]


def _build_locked(
    plan: Plan, targets: list[str], jobs: int | None, place: tuple[str, str], start: float
) -> None:
    """Train and validate without a prediction of the test set, and show the models beside all that was tried before."""
    from report.commands.compare import keep_trials, print_trials
    from report.commands.execution import build_plan, retry_damaged
    from report.terminal.progress import print_summary
    from report.workspace.cached_results import UNLOCK

    built = retry_damaged(lambda: build_plan(plan, targets, jobs=jobs, engine=place))
    keep_trials(plan, built)
    print_summary(built, time.monotonic() - start)
    print_trials(plan)
    console.note(f"the test set is locked, so no report is made: {UNLOCK}")


def _require_model(plan: Plan, name: str) -> str:
    from report.study.study import AT_HAND
    from report.study.trainings import list_variants

    if name in (model.id for model in plan.study.untrained):
        problem = f"--only {name}: it begins with weights learnt on ImageNet, which are not at hand"
        raise WeightsError(problem, hint=AT_HAND)
    variants = [variant.model for variant in list_variants(plan.study)]
    known = [model.id for model in (*plan.study.trained, *variants)]
    if name not in known:
        raise UsageError(f"--only {name}: no such model", hint=f"there are: {', '.join(known)}")
    return name


def _place(plan: Plan, out: Path | None, model: str) -> Plan:
    """Return the plan with the folder that the build goes to, that of a whole study or of one ``model``."""
    from report.delivery import build_folder

    folder = out.absolute() if out else plan.out
    return replace(plan, out=build_folder.choose_folder(folder, model, given=out is not None))


def _parse_formats(text: str) -> list[str]:
    formats = [part.strip() for part in text.split(",") if part.strip()]
    if not formats or not set(formats) <= set(FORMATS):
        raise UsageError(f"--format {text}: not a format", hint=f"there are: {', '.join(FORMATS)}")
    return formats


def _check(plan: Plan, model: str) -> None:
    """Refuse or warn of what is wrong before the trainings, not after."""
    from report.delivery import build_folder
    from report.study.folder import find_unread_prose
    from report.workspace.places import find_study_folder
    from report.writing.author.glyphs import warn_of_missing_glyphs
    from report.writing.author.quotations import require_quotations

    build_folder.require_usable(plan.out, model)
    folder = find_study_folder(plan.request.study)
    require_quotations(folder, plan.study)
    if not model:
        about = plan.study.about
        nameless = ["the report bears no author's name: author under [study]"] if not about.is_signed else []
        unread = find_unread_prose(folder, plan.study.report.sections)
        for warning in (*nameless, *unread, *warn_of_missing_glyphs(plan.study, folder)):
            console.warn(warning)


def _note_omissions(plan: Plan, model: str) -> None:
    """Tell what a whole report will not have: models that are not trained, and a version."""
    if model:
        return
    if plan.study.untrained:
        names = ", ".join(model.id for model in plan.study.untrained)
        console.note(
            f"described and not trained, as they begin with weights learnt on ImageNet: {names} (--weights keras"
            " fetches them)"
        )
    asked = {model.precision or plan.study.training.precision for model in plan.study.trained}
    if "bfloat16" in asked and not has_bfloat16():
        console.warn(
            "this processor does not multiply in bfloat16, so networks that are described here are trained in float32, and"
            " the report says so"
        )
    for begun in plan.study.models:
        if other := begun.study_of_weights[0]:
            console.warn(
                f"{begun.id} begins with weights that {other} has trained: if they have learnt images that are tested on here,"
                " its figures are too good, and the report says so"
            )
    if plan.lacks_external:
        console.note(
            "no images of the external set are there, so the models are not tried on it, and the report says so:"
            " --external DIR"
        )
    if not plan.commit:
        from report.workspace.version import explain_missing_commit

        console.note(f"version unknown, and the report says so: {explain_missing_commit()}")


def _print_end(plan: Plan, built: Mapping[str, Built], published: Publication, seconds: float) -> None:
    from report.terminal.progress import print_summary

    print_summary(built, seconds)
    if removed := published.removed:
        console.note(f"taken away, as an earlier build had written it: {list_first(removed)}")
    for path in published.documents:
        console.say(f"{console.shorten_path(path)}  {format_size(path.stat().st_size)}")
    if not published.documents:
        folder = console.shorten_path(plan.out)
        console.say(f"{folder}  predictions of this part; report build without --only makes the report")
