"""``report predict``: what a trained model says of images."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from analysis.errors import DataError
from report.commands.options import AsJson, Cache, Sample, Set, StudyOption, request_plan_without_data
from report.terminal import console

if TYPE_CHECKING:
    from report.workspace.plan import Plan


def predict(
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE...", help="Picture files.")],
    model: Annotated[str, typer.Option("--model", metavar="MODEL", help="A model of the study.")],
    study: StudyOption = "assignment",
    sample: Sample = False,
    as_json: AsJson = False,
    overrides: Set = None,
    cache: Cache = None,
) -> None:
    """Ask a trained, cached model about pictures. Not for clinical use."""
    plan = request_plan_without_data(study, None, sample, overrides, cache)
    answers = classify(plan, model, images)
    if as_json:
        report = {"study": plan.name, "model": model, "pictures": answers}
        console.say(json.dumps(report, indent=1, ensure_ascii=False))
        return
    labels = {c.id: c.label for c in plan.study.classes}
    rows = [
        [row["picture"], labels[row["predicted"]], *(f"{row['probabilities'][c]:.3f}" for c in labels)]
        for row in answers
    ]
    console.print_table(["image", "predicted", *labels], rows)
    console.say("Not for clinical use." + (" This model was trained on generated images." if sample else ""))


def classify(plan: Plan, model: str, images: list[Path]) -> list[dict[str, Any]]:
    """Return for each image its name, the predicted class and the probability of each class.

    Raises
    ------
    UsageError
        As `report.workspace.cached_results.find_training`.
    DataError
        A file is missing or is no image.
    """
    from report.commands.execution import build_stages, local_options
    from report.engine.store import Store
    from report.pipeline.stages import make_classify_stage
    from report.workspace.cached_results import find_training

    _require_files(images)
    store = Store(plan.cache)
    with store.locks.register_reader():
        training = find_training(plan, model)
        files = [
            store.sound_path(training.outputs[name], training.stage) for name in ("model.keras", "input.json")
        ]
        stage = make_classify_stage((files[0], files[1]), images, [c.id for c in plan.study.classes])
        built = build_stages([stage], plan.cache, local_options(name_in_cache(plan)), plan.log_command)
    answers: list[dict[str, Any]] = json.loads(
        built["classify"].path("probabilities.json").read_text(encoding="utf-8")
    )
    return answers


def name_in_cache(plan: Plan) -> str:
    """Return the name under which the cache remembers the last images that a model of ``plan`` was asked about."""
    return f"{plan.cache_name}-classify"


def _require_files(images: list[Path]) -> None:
    for path in images:
        if not path.is_file():
            problem = "is a folder" if path.is_dir() else "no such file"
            raise DataError(f"{path}: {problem}", hint="name image files")
