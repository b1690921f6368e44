"""``report studies``, ``new`` and ``models``: which studies there are, one of one's own, and what a study trains."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from analysis.errors import AnalysisError
from report.commands.options import AsJson, Cache, Set, StudyArgument, request_plan_without_data
from report.terminal import console
from report.terminal.quantities import format_training_time

if TYPE_CHECKING:
    from report.study.model_settings import Model
    from report.study.study import Study
    from report.workspace.plan import Plan


def studies() -> None:
    """List the studies, where their data are had, and which are found."""
    from report.study.loading import load
    from report.study.trainings import list_fold_models
    from report.workspace.data import fetch_command
    from report.workspace.places import find_study_folder, list_studies

    for name in list_studies():
        study = load(find_study_folder(name) / "study.toml")
        console.say(f"{name}: {study.about.title}")
        console.say(f"  models: {', '.join(model.id for model in study.trained)}")
        if study.untrained:
            console.say(f"  described only: {', '.join(model.id for model in study.untrained)}")
        repeats = len(study.split.groups) * len(study.training.seeds)
        minutes = [model.minutes for model in study.trained] * repeats
        minutes += [model.minutes for model in list_fold_models(study)] * study.split.folds
        parts = len(study.training.subsets) * len(study.training.seeds)
        minutes += [model.minutes for model in study.subset_models] * parts
        minutes += [study.pretraining.model.minutes] if study.pretraining else []
        console.say(f"  trains: {format_training_time(minutes)}")
        console.say(f"  data:   {_describe_data(name, study)}")
        console.say(f"  get:    {fetch_command(study)}")
        if study.pretraining:
            console.say(f"  learns first from: {study.pretraining.source} (--pretraining DIR)")


def _describe_data(name: str, study: Study) -> str:
    from report.workspace.data import find_data
    from report.workspace.request import Request

    try:
        return console.shorten_path(find_data(Request(name), study))
    except AnalysisError as error:
        return f"not found ({error.message})"


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The new study's name, such as my-study.")],
) -> None:
    """Write a skeleton for a study of your own into studies/NAME."""
    from report.commands.skeleton import create_study

    for path in create_study(name):
        console.say(console.shorten_path(path))
    console.say(f"report build {name} --sample  builds it on generated images")
    console.say("its study.toml and README.md tell what a study file can say")


def models(
    study: StudyArgument = "assignment",
    as_json: AsJson = False,
    overrides: Set = None,
    cache: Cache = None,
) -> None:
    """Tell the parameters and input of a study's models; nothing is trained."""
    summaries = _summarise_models(request_plan_without_data(study, None, False, overrides, cache))
    if as_json:
        console.say(json.dumps(summaries, indent=1, ensure_ascii=False))
        return
    rows = [
        [
            name,
            summary["title"],
            f"{summary['parameters']:,}",
            f"{summary['trainable_parameters']:,}",
            " x ".join(map(str, summary["input_shape"])),
            summary["weights"],
        ]
        for name, summary in summaries.items()
    ]
    console.print_table(["model", "title", "parameters", "trainable", "input", "first weights"], rows)


def _summarise_models(plan: Plan) -> dict[str, dict[str, Any]]:
    """Return title, first weights and the summary of its architecture for each model, by its id."""
    from report.commands.execution import build_plan

    stages = {model.id: f"architecture.{model.id}" for model in plan.study.models}
    built = build_plan(plan, [*stages.values()])
    return {
        model.id: {
            "title": model.title,
            "weights": _first_weights(model),
            **json.loads(built[stages[model.id]].path("summary.json").read_text()),
        }
        for model in plan.study.models
    }


def _first_weights(model: Model) -> str:
    return f"those of {model.init_from}" if model.init_from else model.weights
