"""The command line: parse, call, map errors to exit codes."""

from __future__ import annotations

import errno
import json
import os
import re
import shlex
import signal
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from analysis.errors import AnalysisError, DataError, LayoutError, WeightsError
from report import __version__
from report.errors import (
    DATA,
    INTERNAL,
    INTERRUPTED,
    OK,
    STAGE,
    STUDY,
    USAGE,
    WEIGHTS,
    WOULD_RUN,
    EnvironmentProblem,
    RenderError,
    ReportError,
    UsageError,
    UserError,
)
from report.terminal import console

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from report.delivery.publish import Published
    from report.engine.events import Planned
    from report.engine.explain import StageStatus
    from report.engine.run import Built
    from report.study.model_settings import Model
    from report.workspace.places import Plan, Request


def _examples(*commands: str) -> str:
    return "\n\n".join(["Examples:", *commands])


app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Build the reproducible report of a chest X-ray image-classification study.",
    epilog=_examples(
        "report build --sample",
        "report build assignment --data DIR",
        "report status assignment --data DIR",
        "report predict chest.jpeg --model improved",
    ),
)
data_app = typer.Typer(no_args_is_help=True, help="Look at data, or write the generated sample.")
app.add_typer(data_app, name="data", rich_help_panel="Data")
cache_app = typer.Typer(no_args_is_help=True, help="Look after the results that are kept.")
app.add_typer(cache_app, name="cache", rich_help_panel="Housekeeping")

Name = Annotated[str, typer.Argument(metavar="STUDY", help="A study's name, or a study.toml or its folder.")]
Data = Annotated[
    Path | None, typer.Option("--data", metavar="DIR", help="The data folder, or a .zip, .tar or .tar.gz.")
]
Sample = Annotated[
    bool, typer.Option("--sample", help="Generated pictures instead of data: small and quick.")
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Change the study for this call: models.baseline.epochs=3"
    ),
]
Cache = Annotated[Path | None, typer.Option("--cache", metavar="DIR", help="Where results are kept.")]
FORMATS = ("html", "pdf")
TOLD = 20
"""How many disagreements are told one by one."""
DRAWN = ("figure.", "source", "html", "pdf")
"""Stages that make the document: cheap, and never a training."""


@app.command(
    rich_help_panel="Build",
    epilog=_examples(
        "report build --sample",
        "report build assignment --data ~/.darwin/datasets/v7-labs/covid-19-chest-x-ray-dataset",
        "report build assignment --data DIR --only baseline --set models.baseline.epochs=3",
    ),
)
def build(
    study: Name = "assignment",
    data: Data = None,
    sample: Sample = False,
    overrides: Set = None,
    only: Annotated[
        str | None, typer.Option("--only", metavar="MODEL", help="One model; no document.")
    ] = None,
    jobs: Annotated[int | None, typer.Option("--jobs", "-j", min=1, help="Stages at once.")] = None,
    formats: Annotated[str, typer.Option("--format", help="html, pdf or both.")] = "html,pdf",
    recheck: Annotated[
        int, typer.Option("--recheck", min=0, help="Run N cached stages again and compare.")
    ] = 0,
    strict: Annotated[
        bool, typer.Option("--strict", help="Fail where a stage reads what its key does not cover.")
    ] = False,
    cache: Cache = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Build folder.")] = None,
) -> None:
    """Run a whole study, every step cached, and write report.html and report.pdf."""
    from report.commands.running import whole
    from report.delivery import build_folder
    from report.delivery.publish import publish
    from report.study.prose import find_misnamed_prose
    from report.workspace.places import Request, plan, study_folder, unversioned
    from report.writing.author.glyphs import warn_of_missing_glyphs
    from report.writing.author.quotations import require_quotations

    begun = time.monotonic()
    the_plan = plan(Request(study, data, sample, tuple(overrides or ()), cache, out))
    part = _model(the_plan, only) if only else ""
    the_plan = replace(the_plan, out=build_folder.place(the_plan.out, part, given=out is not None))
    targets = [f"evaluate.{part}"] if part else ["results", "source", *_formats(formats)]
    build_folder.require(the_plan.out, part)
    folder = study_folder(study)
    require_quotations(folder, the_plan.study)  # before the trainings, not after
    warnings = [] if part else [*find_misnamed_prose(folder), *warn_of_missing_glyphs(the_plan.study, folder)]
    for warning in warnings:
        console.note(f"warning: {warning}")
    the_plan.remember_data()
    if the_plan.study.untrained and not only:
        names = ", ".join(model.id for model in the_plan.study.untrained)
        console.note(f"described and not trained, as they begin with weights learnt on ImageNet: {names}")
    if not the_plan.commit and not part:
        console.note(f"version unknown, and the report says so: {unversioned()}")

    def make() -> tuple[Mapping[str, Built], Published]:
        built = run(the_plan, targets, jobs=jobs, recheck=recheck, strict=strict)
        return built, publish(the_plan, built, time.monotonic() - begun)

    built, published = whole(make)
    _summary(the_plan, built, published, time.monotonic() - begun)


def run(
    the_plan: Plan, targets: Iterable[str], *, strict: bool = False, **options: Any
) -> Mapping[str, Built]:
    """Build the stages ``targets`` of a plan and all that they read, and show how it goes."""
    from report.commands.running import is_strict
    from report.commands.running import run as run_stages
    from report.engine.events import Event, Finished, Planned

    targets = [*targets]

    def hear(event: Event) -> None:
        if isinstance(event, Planned) and "source" in targets and _trains(event):
            _rehearse(the_plan, pdf="pdf" in targets)
        if isinstance(event, Planned) and not the_plan.request.sample:
            _tell_trainings(the_plan, event)
        if isinstance(event, Finished):
            the_plan.keep_declaration([event.stage])

    try:
        built = run_stages(
            the_plan.stages,
            the_plan.cache,
            the_plan.pointers,
            log_command=the_plan.log_command,
            hear=hear,
            strict=strict,
            only=targets,
            **options,
        )
    except LayoutError as error:
        if the_plan.data:
            check = shlex.join(["report", "data", "check", str(the_plan.data)])
            error.hint = f"{check} tells which reader and which studies fit; or {error.hint}"
        raise
    the_plan.keep_declaration(built)
    _tell_doubts(built, strict=is_strict(strict))
    return built


def _trains(planned: Planned) -> bool:
    return any(name.startswith("train.") for name in planned.waiting)


def _rehearse(the_plan: Plan, *, pdf: bool) -> None:
    """Refuse before the first training what would be refused after the last."""
    from report.delivery.rehearsal import rehearse
    from report.engine.system.distributions import version

    if pdf and version("pango") == "not found":
        from report.document.pdf import require_pango

        require_pango()
    if untried := rehearse(the_plan):
        console.note(f"warning: the document could not be tried with made-up results: {untried}")


def _tell_trainings(the_plan: Plan, planned: Planned) -> None:
    """Tell before it starts how long the trainings take that never ran here."""
    from report.terminal.time_left import first_trainings

    found = first_trainings(planned, {model.id: model.minutes for model in the_plan.study.models})
    if found:
        trainings = "1 training" if len(found) == 1 else f"{len(found)} trainings"
        console.note(
            f"{trainings} for the first time: {console.trainings(found)}; --only MODEL builds a part, and Ctrl-C loses "
            "nothing"
        )


def _tell_doubts(built: Mapping[str, Built], *, strict: bool) -> None:
    """Tell what in the author's words a result could contradict; a strict build does not let it pass."""
    import json

    from report.document.lint import DOUBTS

    if "source" not in built:
        return
    doubts = json.loads(built["source"].path(DOUBTS).read_text(encoding="utf-8"))
    if doubts and strict:
        raise RenderError(doubts[0] + f" (and {len(doubts) - 1} more)" * (len(doubts) > 1))
    for warning in doubts:
        console.note(f"warning: {warning}")


def _model(the_plan: Plan, name: str) -> str:
    if name in (model.id for model in the_plan.study.untrained):
        raise UsageError(
            f"--only {name}: it begins with weights learnt on ImageNet and is only described",
            hint="report models",
        )
    known = [model.id for model in the_plan.study.trained]
    if name not in known:
        raise UsageError(f"--only {name}: no such model", hint=f"there are: {', '.join(known)}")
    return name


def _formats(text: str) -> list[str]:
    chosen = [part.strip() for part in text.split(",") if part.strip()]
    wrong = [part for part in chosen if part not in FORMATS]
    if wrong or not chosen:
        raise UsageError(f"--format {text}: not a format", hint=f"there are: {', '.join(FORMATS)}")
    return chosen


def _summary(the_plan: Plan, built: Mapping[str, Built], published: Published, seconds: float) -> None:
    console.summary(built, seconds)
    if gone := published.gone:
        more = f" and {len(gone) - 3} more" if len(gone) > 3 else ""
        console.note(f"taken away, as an earlier build had written it: {', '.join(gone[:3])}{more}")
    for path in published.documents:
        console.say(f"{console.relative(path)}  {console.size(path.stat().st_size)}")
    if not published.documents:
        console.say(
            f"{console.relative(the_plan.out)}  predictions of this part; report build without --only makes the report"
        )


@app.command(rich_help_panel="Understand")
def status(
    study: Name = "assignment",
    data: Data = None,
    sample: Sample = False,
    overrides: Set = None,
    check: Annotated[bool, typer.Option("--check", help="Exit 3 when a build would run something.")] = False,
    cache: Cache = None,
) -> None:
    """Tell which stages are fresh, stale or missing, and why."""
    from report.workspace.places import Request

    stages = _status(Request(study, data, sample, tuple(overrides or ()), cache))
    rows = [[s.name, s.state, _expected(s), "; ".join(s.reasons)] for s in stages]
    console.table(["stage", "state", "expected", "why"], rows)
    console.say(_sum(stages))
    _tell_others(cache)
    if check and any(s.state != "fresh" for s in stages):
        raise typer.Exit(WOULD_RUN)


@app.command(rich_help_panel="Understand", epilog=_examples("report why train.baseline --sample"))
def why(
    stage: Annotated[str, typer.Argument(help="A stage's name, as status prints it.")],
    study: Annotated[
        str, typer.Option("--study", metavar="STUDY", help="A study's name or folder.")
    ] = "assignment",
    data: Data = None,
    sample: Sample = False,
    overrides: Set = None,
    cache: Cache = None,
) -> None:
    """Tell why one stage would run, down to the setting, file or function that changed."""
    from report.workspace.places import Request

    stages = {s.name: s for s in _status(Request(study, data, sample, tuple(overrides or ()), cache))}
    if stage not in stages:
        raise UsageError(f"no stage is called {stage!r}", hint=f"there are: {', '.join(stages)}")
    found = stages[stage]
    expected = _expected(found)
    console.say(f"{found.name}: {found.state}" + (f", its last run took {expected}" if expected else ""))
    for reason in found.reasons:
        console.say(f"  {reason}")


def _status(request: Request) -> list[StageStatus]:
    from report.engine.explain import status as stage_status
    from report.pipeline.stages import PROGRAM
    from report.workspace.places import plan

    the_plan = plan(request)
    return stage_status(the_plan.stages, the_plan.cache, PROGRAM, plan_name=the_plan.pointers)


def _tell_others(cache: Path | None) -> None:
    """Tell what lies in the cache that other versions of this program have made."""
    from report.engine.store import Store
    from report.engine.upkeep.collect import size_of
    from report.workspace.places import cache_folder

    for folder in Store(cache_folder(cache)).others():
        console.say(
            f"{console.relative(folder)}: {console.size(size_of(folder))} of another version of this program,"
            " not used; report gc removes it when it is older than --keep-days"
        )


def _sum(stages: list[StageStatus]) -> str:
    late = [s for s in stages if s.state != "fresh"]
    if not late:
        return f"all {len(stages)} stages are fresh"
    may = sum(s.state == "waiting" for s in late)
    known = [s.expected_seconds for s in late if s.expected_seconds is not None]
    took = f"; their last runs took {console.duration(sum(known))}" if known else ""
    return f"{len(late) - may} of {len(stages)} stages would run, {may} more may{took}"


def _expected(status: StageStatus) -> str:
    return (
        console.duration(status.expected_seconds)
        if status.state != "fresh" and status.expected_seconds
        else ""
    )


@app.command(rich_help_panel="Understand")
def log(
    stage: Annotated[str, typer.Argument(help="A stage's name, as status prints it.")],
    study: Annotated[
        str, typer.Option("--study", metavar="STUDY", help="A study's name or folder.")
    ] = "assignment",
    data: Data = None,
    sample: Sample = False,
    overrides: Set = None,
    cache: Cache = None,
) -> None:
    """Print what a stage wrote while it ran last; ``classify`` is that of predict, ``check`` of data check."""
    from report.commands.data import CHECK_PLAN
    from report.engine.explain import last_log
    from report.workspace.places import Request, plan
    from report.workspace.trained_models import classify_plan

    the_plan = plan(Request(study, data, sample, tuple(overrides or ()), cache), needs_data=False)
    plans = (the_plan.pointers, classify_plan(the_plan), CHECK_PLAN)
    found = next(filter(None, (last_log(the_plan.cache, name, stage) for name in plans)), "")
    names = [s.name for s in the_plan.stages]
    if not found and stage not in names:
        raise UsageError(f"no stage is called {stage!r}", hint=f"there are: {', '.join(names)}")
    console.say(found or f"{stage} has no log yet")


@app.command(
    rich_help_panel="Understand", epilog=_examples("report graph assignment --sample --out graph.svg")
)
def graph(
    study: Name = "assignment",
    data: Data = None,
    sample: Sample = False,
    overrides: Set = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.svg", help="Default: graph.svg in the build folder.")
    ] = None,
    cache: Cache = None,
) -> None:
    """Draw the stages: state, time, and where and when each result was made."""
    from report.delivery.publish import replace as write_anew
    from report.delivery.publish import writing
    from report.graph.drawing import svg
    from report.workspace.places import Request, plan

    if out and out.suffix != ".svg":
        raise UsageError(f"--out {out}: not the name of a drawing", hint="such as --out graph.svg")
    the_plan = plan(Request(study, data, sample, tuple(overrides or ()), cache))
    path = out.absolute() if out else the_plan.out / "graph.svg"
    drawing = svg(the_plan, datetime.now().astimezone().date())
    with writing(path):
        write_anew(path, drawing.encode())
    console.say(console.relative(path))


@app.command(rich_help_panel="Write")
def document(
    study: Annotated[
        str | None, typer.Argument(metavar="STUDY", help="Default: every finished study.")
    ] = None,
    data: Data = None,
    sample: Sample = False,
    cache: Cache = None,
) -> None:
    """Write the .qmd and its figures from cached results; never trains."""
    from report.workspace.places import Request, plan

    if study is not None:
        plans = [plan(Request(study, data, sample, (), cache))]
        require_finished(plans[0])
    else:
        plans = finished_plans(cache)
    for the_plan in plans:
        write_document(the_plan)


def finished_plans(cache: Path | None) -> list[Plan]:
    """Return the studies whose results are complete, or the assignment's sample if there is none."""
    from report.workspace.places import Request, plan, study_names

    found = []
    for name in study_names():
        for sample in (False, True):
            try:
                candidate = plan(Request(name, None, sample, (), cache))
            except AnalysisError as error:  # its data are not here: it cannot be finished
                console.say(f"{name}: left out, {error.message}")
                continue
            if not unfinished(candidate):
                found.append(candidate)
    return found or [plan(Request("assignment", None, True, (), cache))]


def unfinished(the_plan: Plan) -> list[str]:
    """Return the stages before the document that a build would run."""
    from report.engine.explain import status as stage_status
    from report.pipeline.stages import PROGRAM

    stages = stage_status(the_plan.stages, the_plan.cache, PROGRAM, plan_name=the_plan.pointers)
    return [s.name for s in stages if s.state != "fresh" and not s.name.startswith(DRAWN)]


def require_finished(the_plan: Plan) -> None:
    """Refuse a plan of which a build would run more than the document."""
    if late := unfinished(the_plan):
        raise not_built(the_plan, late)


def not_built(the_plan: Plan, late: Sequence[str]) -> UsageError:
    """Return the error of a plan of which these stages would run."""
    more = f" and {len(late) - 3} more" if len(late) > 3 else ""
    return UsageError(
        f"{the_plan.name}: not built yet, {', '.join(late[:3])}{more} would run",
        hint=the_plan.build_command(),
    )


def write_document(the_plan: Plan) -> None:
    """Write one study's source into ``document/``."""
    from report.commands.running import whole
    from report.delivery.publish import publish_source

    console.say(console.relative(whole(lambda: publish_source(the_plan, run(the_plan, ["source"])))))


@app.command(
    rich_help_panel="Write",
    epilog=_examples("report preview --sample", "report preview assignment --data DIR"),
)
def preview(
    study: Name = "assignment",
    data: Data = None,
    sample: Sample = False,
    overrides: Set = None,
    cache: Cache = None,
    port: Annotated[
        int | None,
        typer.Option("--port", metavar="N", min=1, max=65_535, help="Default: the first free from 8420 on."),
    ] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Open no browser.")] = False,
) -> None:
    """Show the report in the browser while you write, and again after every save; Ctrl-C ends it."""
    from report.preview.session import preview as show
    from report.workspace.places import Request

    with suppress(Stopped):
        show(Request(study, data, sample, tuple(overrides or ()), cache), port=port, browser=not no_browser)


@app.command(rich_help_panel="Understand")
def models(
    study: Name = "assignment",
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
    overrides: Set = None,
    cache: Cache = None,
) -> None:
    """Tell the parameters and input of a study's models; nothing is trained."""
    from report.workspace.places import Request, plan

    the_plan = plan(Request(study, None, False, tuple(overrides or ()), cache), needs_data=False)
    built = run(the_plan, [f"architecture.{m.id}" for m in the_plan.study.models])
    summaries = {
        m.id: {
            "title": m.title,
            "weights": _first_weights(m),
            **json.loads(built[f"architecture.{m.id}"].path("summary.json").read_text()),
        }
        for m in the_plan.study.models
    }
    if as_json:
        console.say(json.dumps(summaries, indent=1, ensure_ascii=False))
        return
    head = ["model", "title", "parameters", "trainable", "input", "first weights"]
    rows = [
        [
            name,
            s["title"],
            f"{s['parameters']:,}",
            f"{s['trainable_parameters']:,}",
            " x ".join(map(str, s["input_shape"])),
            s["weights"],
        ]
        for name, s in summaries.items()
    ]
    console.table(head, rows)


def _first_weights(model: Model) -> str:
    return f"those of {model.init_from}" if model.init_from else model.weights


@app.command(rich_help_panel="Use", epilog=_examples("report predict chest.jpeg --model improved --json"))
def predict(
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE...", help="Picture files.")],
    model: Annotated[str, typer.Option("--model", metavar="MODEL", help="A model of the study.")],
    study: Annotated[
        str, typer.Option("--study", metavar="STUDY", help="A study's name or folder.")
    ] = "assignment",
    sample: Sample = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
    overrides: Set = None,
    cache: Cache = None,
) -> None:
    """Ask a trained, cached model about pictures. Not for clinical use."""
    from report.workspace.places import Request, plan
    from report.workspace.trained_models import classify

    the_plan = plan(Request(study, None, sample, tuple(overrides or ()), cache), needs_data=False)
    found = classify(the_plan, model, images)
    if as_json:
        answer = {"study": the_plan.name, "model": model, "pictures": found}
        console.say(json.dumps(answer, indent=1, ensure_ascii=False))
        return
    labels = {c.id: c.label for c in the_plan.study.classes}
    rows = [
        [row["picture"], labels[row["predicted"]], *(f"{row['probabilities'][c]:.3f}" for c in labels)]
        for row in found
    ]
    console.table(["picture", "predicted", *labels], rows)
    console.say(
        "Not for clinical use." + (" This model was trained on generated pictures." if sample else "")
    )


@app.command(rich_help_panel="Use", epilog=_examples("report verify build/assignment"))
def verify(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A build folder, such as build/assignment.")],
) -> None:
    """Recompute every number of a report from its predictions; exit 5 when something does not agree."""
    from report.delivery.verify import verify as check
    from report.engine.events import Progressed

    begun = time.monotonic()
    with console.display() as show:
        checked = check(folder, lambda done, total: show(Progressed("verify", done, total, "stages", {})))
    rows = [[part, count, checked.verdict(part)] for part, count in checked.counts.items()]
    console.table(["part", "checked", "disagreements"], rows)
    for difference in checked.differences[:TOLD]:
        console.say(str(difference))
    for remark in checked.remarks:
        console.say(f"note: {remark}")
    if checked.differences:
        raise DataError(
            f"{folder}: {len(checked.differences):,} things do not agree with the predictions"
            + (f", of which {TOLD} are told" if len(checked.differences) > TOLD else ""),
            hint=f"{checked.cause}; report build makes the report anew",
        )
    agree = "what was checked agrees" if checked.is_partial else "everything agrees"
    console.say(f"{agree}; checked in {console.duration(time.monotonic() - begun)}")


@app.command(rich_help_panel="Data")
def studies() -> None:
    """List the studies, where their data are had, and which are found."""
    from report.study.loading import load
    from report.workspace.places import Request, data_folder, dataset_command, study_folder, study_names

    for name in study_names():
        study = load(study_folder(name) / "study.toml")
        try:
            found = console.relative(data_folder(Request(name), study))
        except AnalysisError as error:
            found = f"not found ({error.message})"
        console.say(f"{name}: {study.about.title}")
        console.say(f"  models: {', '.join(model.id for model in study.trained)}")
        if study.untrained:
            console.say(f"  described only: {', '.join(model.id for model in study.untrained)}")
        times = len(study.split.groups) * len(study.training.seeds)
        console.say(f"  trains: {console.trainings([model.minutes for model in study.trained] * times)}")
        console.say(f"  data:   {found}")
        console.say(f"  get:    {dataset_command(study)}")


@app.command(rich_help_panel="Write", epilog=_examples("report new my-study"))
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The new study's name, such as my-study.")],
) -> None:
    """Write a skeleton for a study of your own into studies/NAME."""
    from report.study.skeleton import create

    for path in create(name):
        console.say(console.relative(path))
    console.say(f"report build {name} --sample  builds it on generated pictures")
    console.say("its study.toml and README.md tell what a study file can say")


@data_app.command("check")
def data_check(
    data: Annotated[Path, typer.Argument(metavar="DIR", help="A data folder, or a .zip, .tar or .tar.gz.")],
    study: Annotated[
        str | None, typer.Option("--study", metavar="STUDY", help="Try the settings of this study first.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of words.")] = False,
    cache: Cache = None,
) -> None:
    """Tell which reader fits, counts per class, what is left out and why, patients, sizes, duplicates."""
    from report.commands.data import check, tell

    found = check(data, study, cache)
    if as_json:
        console.say(json.dumps(found, indent=1, ensure_ascii=False))
    else:
        tell(found, data, study)


@data_app.command("sample")
def data_sample(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
    study: Annotated[
        str, typer.Option("--study", metavar="STUDY", help="A study's name or folder.")
    ] = "assignment",
    cache: Cache = None,
) -> None:
    """Write the generated sample: phantoms in the layout of the real dataset."""
    from report.delivery.publish import copy, writing
    from report.workspace.places import Request, plan

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder}: not an empty folder", hint="name a new folder")
    built = run(plan(Request(study, None, True, (), cache)), ["sample"])["sample"]
    with writing(folder, "name a folder that is yours, on a disk with room"):
        for name in built.files:
            copy(built.path(name), folder / name)
    console.say(f"{console.relative(folder)}  {len(built.files):,} files")


@app.command(
    rich_help_panel="Housekeeping", epilog=_examples("report gc --dry-run", "report gc --max-size 5G")
)
def gc(
    keep_days: Annotated[
        int, typer.Option("--keep-days", metavar="N", min=0, help="Keep what was used in the last N days.")
    ] = 30,
    max_size: Annotated[
        str | None,
        typer.Option("--max-size", metavar="SIZE", help="Then remove the least used down to 500M, 5G, ..."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would go; remove nothing.")] = False,
    cache: Cache = None,
) -> None:
    """Remove old results; never what the newest build of a study or a running one needs."""
    from report.engine.upkeep.collect import collect
    from report.workspace.places import cache_folder

    most = _bytes(max_size) if max_size else None
    collected = collect(cache_folder(cache), keep_days=keep_days, max_size=most, dry_run=dry_run)
    if dry_run and collected.results:
        rows = [[result.record.stage, _age(time.time() - result.used)] for result in collected.results]
        console.table(["result", "not used for"], rows)
        console.say()
    rows = [
        [what, f"{len(sizes):,}", console.size(sum(sizes))]
        for what, sizes in collected.by_kind().items()
        if any(sizes)  # not the files of locks, which are empty
    ]
    console.table(["would go" if dry_run else "removed", "number", "size"], rows)
    console.say(
        f"{console.size(collected.left)} {'would be' if dry_run else 'are'} left,"
        f" {console.size(collected.needed)} of them needed by the newest builds"
    )
    _tell_others(cache)


def _age(seconds: float) -> str:
    days = round(seconds / 86_400)
    return console.duration(seconds) if days < 2 else f"{days} days"


def _bytes(text: str) -> int:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kMGT]?)B?", text.strip(), re.IGNORECASE)
    if not found:
        raise UsageError(f"--max-size {text}: not a size", hint="such as 500M or 5G")
    return int(float(found[1]) * 1000 ** " kmgt".index(found[2].lower() or " "))


@cache_app.command("check")
def cache_check(
    repair: Annotated[
        bool, typer.Option("--repair", help="Remove what is damaged: it is made anew when it is needed.")
    ] = False,
    cache: Cache = None,
) -> None:
    """Read every file and record of the cache through; exit 7 when something is damaged."""
    from report.engine.events import Progressed
    from report.engine.upkeep.check import check
    from report.workspace.places import cache_folder

    folder = cache_folder(cache)
    with console.display() as show:

        def show_read(done: int, total: int) -> None:
            show(Progressed("cache", done, total, "files read", {}))

        checked = check(folder, repair=repair, on_read=show_read)
    for damage in checked.damage:
        where = damage.path.relative_to(folder)
        console.say(f"{damage.what}: {where}: {', '.join(damage.stages)}")
    if checked.strays:
        console.say(
            f"{len(checked.strays):,} files of no result{' removed' if repair else ': report gc removes them'}"
        )
    console.table(["part", "size"], [[name, console.size(size)] for name, size in checked.sizes.items()])
    console.say(
        f"{checked.files:,} files and {checked.records:,} results read: {len(checked.damage) or 'nothing'} damaged"
    )
    _tell_others(cache)
    if checked.damage:
        raise typer.Exit(STAGE)


def _version(asked: bool) -> None:
    if asked:
        console.say(f"xray-report {__version__}")
        raise typer.Exit(OK)


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    """Build the reproducible report of a chest X-ray image-classification study."""
    if debug:
        os.environ["REPORT_DEBUG"] = "1"


STOPPING = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}


class Stopped(BaseException):
    """Somebody wants this program to end: Ctrl-C, or a system that shuts down."""

    def __init__(self, number: int) -> None:
        super().__init__(STOPPING[signal.Signals(number)])
        self.number = number


def _stop(number: int, frame: object) -> None:
    raise Stopped(number)


def main() -> None:
    """Run the command line; an error is one line and a hint, with the exit code of its kind."""
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")  # it would look through all that is installed
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # as standard error: a name may be no text here
    for number in STOPPING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stop)
    try:
        sys.exit(app(prog_name="report", standalone_mode=False))
    except typer.TyperException as error:
        misused(error)
        sys.exit(USAGE)
    except Stopped as stop:
        for number in STOPPING:
            signal.signal(number, signal.SIG_IGN)  # it ends already
        console.complain(f"{stop}, what is finished is kept", "the same command goes on where it was")
        sys.exit(128 + stop.number)
    except Exception as error:
        if os.environ.get("REPORT_DEBUG"):
            raise
        told = disk_error(error) or error
        complain(told)
        sys.exit(exit_code(told))


def misused(error: typer.TyperException) -> None:
    """Print what is wrong with the command line as a line and a hint: the nearest names, or where the help is."""
    message, _, nearest = error.format_message().partition(". Did you mean ")
    if options := getattr(error, "possibilities", None):
        message, nearest = error.message, " or ".join(options)
    if not message:
        return  # it was called without words, and has shown its help
    context = getattr(error, "ctx", None)
    hint = f"{context.command_path if context else 'report'} --help"
    console.complain(
        message[0].lower() + message[1:], f"did you mean {nearest.rstrip('?')}?" if nearest else hint
    )


def complain(error: Exception) -> None:
    """Print an error as a line and a hint; what is no user's error is called a fault of this program."""
    if isinstance(error, UserError):
        console.complain(error.message, error.hint)
    else:
        fault = f"a fault of this program: {type(error).__name__}: {error}"
        console.complain(fault, "report --debug COMMAND shows where; please tell the authors")


REFUSED = {errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOSPC, errno.EDQUOT}
"""What a disk answers that is full, or for reading only, or somebody else's."""


def disk_error(error: BaseException) -> EnvironmentProblem | None:
    """Return the error of a disk that refuses, in words and with the place; None for any other error."""
    if not isinstance(error, OSError):
        return None
    if _lacks_temporary_folder(error):
        return EnvironmentProblem(f"{error.strerror}", hint="set TMPDIR to a folder that is yours")
    if error.errno not in REFUSED:
        return None
    place = f"{error.filename}: " if error.filename else ""
    return EnvironmentProblem(
        f"{place}{error.strerror}",
        hint="use folders that are yours: --cache DIR, --out DIR, or a clone of your own",
    )


def _lacks_temporary_folder(error: OSError) -> bool:
    """Tell whether Python finds no folder for temporary files: then it names none in its error."""
    if not isinstance(error, FileNotFoundError) or error.filename:
        return False
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        return True
    return False


def exit_code(error: BaseException) -> int:
    """Return the exit code of the table in `report.errors` that belongs to ``error``."""
    match error:
        case ReportError():
            return error.code
        case WeightsError():
            return WEIGHTS
        case DataError():
            return DATA
        case AnalysisError():
            return STUDY
        case KeyboardInterrupt():
            return INTERRUPTED
        case _:
            return INTERNAL
