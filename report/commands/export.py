"""``report export``: a trained network as files that need none of this program."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from analysis.errors import WeightsError
from report.commands.options import Cache, Sample, Set, StudyOption, request_plan_without_data
from report.errors import UsageError
from report.terminal import console
from report.terminal.quantities import format_size

if TYPE_CHECKING:
    from report.workspace.plan import Plan
    from report.workspace.trained import Trained


def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
    model: Annotated[str, typer.Option("--model", metavar="MODEL", help="A model of the study.")],
    study: StudyOption = "assignment",
    licence: Annotated[
        str,
        typer.Option(
            "--license", metavar="ID", help="What the card says: cc-by-4.0, as model hubs write it."
        ),
    ] = "other",
    sample: Sample = False,
    overrides: Set = None,
    cache: Cache = None,
) -> None:
    """Write a trained model with a card, and a script that uses it without this program."""
    from report.engine.system.files import explain_refusals, write_atomically
    from report.workspace.trained import find_trained, is_file_name

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder}: not an empty folder", hint="name a new folder")
    if is_file_name(model):
        raise WeightsError(
            f"{model}: a file, of which no study tells anything", hint="name a model of a study"
        )
    plan = request_plan_without_data(study, None, sample, overrides, cache)
    files = make_files(plan, find_trained(plan, model), licence)
    with explain_refusals(folder, "name a folder that is yours, on a disk with room"):
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            write_atomically(folder / name, content, durable=False)
            console.say(f"{console.shorten_path(folder / name)}  {format_size(len(content))}")


def make_files(plan: Plan, trained: Trained, licence: str) -> dict[str, bytes]:
    """Return the contents of the files of an exported network by their names."""
    from analysis.image_files import digest
    from analysis.vocabulary.run_names import split_run
    from report.commands.execution import build_stages, local_options
    from report.commands.predict import name_in_cache
    from report.study.trainings import list_variants
    from report.workspace.data import fetch_command
    from report.writing.model_card import CardFacts, write_files

    options = local_options(name_in_cache(plan))
    built = build_stages([trained.make_description()], plan.cache, options, plan.log_command)
    description = json.loads(built["describe"].path("model.json").read_text(encoding="utf-8"))
    network, seen = (path.read_bytes() for path in trained.network)
    about = {
        **json.loads(seen),
        "classes": [{"id": c, "label": label} for c, label in trained.classes.items()],
        "calibration": description["calibration"],
    }
    study = plan.study
    models = (*study.models, *(variant.model for variant in list_variants(study)))
    model = next(m for m in models if m.id == split_run(trained.name)[0])
    facts = CardFacts(
        study=study.about.title,
        source=fetch_command(study),
        title=model.title,
        name=trained.name,
        digest=digest(network),
        group=trained.group,
        generated=plan.request.sample,
        weights=study.first_of(model).weights,
        pretraining=study.pretraining.title if study.pretraining else "",
        license=licence,
        split=trained.split,
        results=trained.results,
        external=trained.external,
        elsewhere={c.id: c.label for c in study.external.classes} if study.external else {},
        shown_otherwise=trained.shown_otherwise,
        where=study.external.title if study.external else "",
        description=description,
    )
    text = json.dumps(about, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    texts = {"input.json": text, **write_files(facts, about)}
    return {"model.keras": network, **{name: text.encode() for name, text in texts.items()}}
