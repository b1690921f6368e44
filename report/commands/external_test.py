"""``report test``: a trained model tried on a folder of labelled images that no training has read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from analysis.datasets.tables.labels import plain
from analysis.vocabulary.external import EXTERNAL
from report.commands.options import AsJson, Cache, Sample, Set, StudyOption, request_plan_without_data
from report.errors import UsageError, did_you_mean, list_first, nearest
from report.terminal import console

if TYPE_CHECKING:
    from report.engine.stage import Input
    from report.pipeline.external import Training
    from report.study.external import External
    from report.study.study import Study
    from report.study.trainings import Run
    from report.workspace.plan import Plan

Results = Mapping[str, Mapping[str, Any]]
SHOWN = ("sensitivity", "specificity", "auroc")


def test(
    model: Annotated[str, typer.Option("--model", metavar="MODEL", help="A model of the study.")],
    data: Annotated[
        Path, typer.Option("--data", metavar="DIR", help="Labelled images: a folder or an archive.")
    ],
    study: StudyOption = "assignment",
    match: Annotated[
        list[str] | None,
        typer.Option(
            "--match",
            metavar="LABEL=CLASS",
            help="Which class of the study a label is, or may be: NORMAL=healthy, PNEUMONIA=bacterial,viral",
        ),
    ] = None,
    sample: Sample = False,
    as_json: AsJson = False,
    overrides: Set = None,
    cache: Cache = None,
) -> None:
    """Try a trained, cached model on labelled images from elsewhere. Nothing is trained or chosen on them."""
    plan = request_plan_without_data(study, None, sample, overrides, cache)
    external = describe_folder(data, plan.study, match or (), cache)
    results = try_model(plan, model, data.resolve(), external)
    if as_json:
        console.say(json.dumps(results, indent=1, ensure_ascii=False))
        return
    for line in _describe_set(results, external, plan.study):
        console.say(line)
    _print_confusion(results, model, external, plan.study)
    for line in _describe_measures(results, model, plan.study):
        console.say(line)
    console.say("Not for clinical use." + (" This model was trained on generated images." if sample else ""))


def describe_folder(data: Path, study: Study, match: Sequence[str], cache: Path | None) -> External:
    """Return how a folder is read and which classes of the study its labels match: those called alike, and ``match``.

    Raises
    ------
    DataError
        No reader fits the folder.
    UsageError
        ``match`` names no label or no class.
    """
    from report.commands.data import examine
    from report.study.external import External

    found = examine(data, None, cache)
    alike = {plain(name): c.id for c in study.classes for name in (c.id, c.label)}
    matches = {
        c["id"]: [alike[name] for name in (plain(c["label"]), plain(c["id"])) if name in alike][:1]
        for c in found["classes"]
    }
    labels = {plain(name): c["id"] for c in found["classes"] for name in (c["label"], c["id"])}
    for text in match:
        label, equals, classes = text.partition("=")
        if not equals or plain(label) not in labels:
            known = [c["label"] for c in found["classes"]]
            hint = did_you_mean(nearest(label, known), f"labels there: {list_first(known, 12)}")
            raise UsageError(f"--match {text}: no label of {data} before a =", hint=hint)
        names = [name.strip() for name in classes.split(",") if name.strip()]
        for name in names:
            if name not in study.class_ids:
                raise UsageError(
                    f"--match {text}: no class is called {name!r}",
                    hint=f"there are: {', '.join(study.class_ids)}",
                )
        matches[labels[plain(label)]] = names
    settings = {**found["keys"], **({"folders": found["folders"]} if found["folders"] else {})}
    given = {
        "title": data.name or str(data),
        "reader": found["reader"],
        "root": str(data),
        "classes": [
            {"id": c["id"], "label": c["label"], "matches": matches[c["id"]]} for c in found["classes"]
        ],
        **settings,
    }
    return External.model_validate_json(json.dumps(given))


def try_model(plan: Plan, model: str, data: Path, external: External) -> Results:
    """Return the results of a trained model on external images, and what these are.

    Raises
    ------
    UsageError
        There is no such trained model, or the images of the study that it was trained with are not in the cache.
    DataError
        The folder cannot be read, or has nothing that is not the study's own.
    """
    from report.commands.execution import build_stages, local_options
    from report.engine.stage import Source
    from report.engine.store import Store
    from report.pipeline.data import Place, find_kind
    from report.pipeline.external import Training, make_set_stages, make_test_stages
    from report.workspace.cached_results import find_training

    store = Store(plan.cache)
    with store.locks.register_reader():
        record = find_training(plan, model)
        network, seen = (
            Source(store.sound_path(record.outputs[name], record.stage))
            for name in ("model.keras", "input.json")
        )
        run = _find_run(plan.study, model)
        training: Training = Training(run.name, run.model, run.seed, network, seen)
        place = Place(plan.out, "folder", None, external_kind=find_kind(data), external=data)
        stages = [
            *make_set_stages(plan.study, external, place, _find_study_images(plan, store, run.analysis)),
            *make_test_stages(plan.study, external, training),
        ]
        name = f"{plan.cache_name}-test"
        built = build_stages(stages, plan.cache, local_options(name), plan.log_command)
    found: dict[str, Any] = {}
    for stage in (f"{EXTERNAL}.facts", f"{EXTERNAL}.evaluate.{run.name}"):
        found |= json.loads(built[stage].path("results.json").read_text(encoding="utf-8"))
    return found


def _find_run(study: Study, name: str) -> Run:
    from report.study.trainings import list_analyses, list_runs

    runs = (
        r for m in study.trained for analysis in list_analyses(study) for r in list_runs(study, m, analysis)
    )
    return next(run for run in runs if run.name == name)


def _find_study_images(plan: Plan, store: Any, analysis: str) -> dict[str, Input]:
    """Return the study's own images as the last build has left them, by which duplicates are found."""
    from report.engine.stage import Source

    found: dict[str, Input] = {}
    files = [
        ("study_records", "read", "records.csv"),
        ("study_images", "images", "images.npy"),
        ("study_split", f"split{analysis}", "split.csv"),
    ]
    if plan.study.pretraining:
        files += [
            ("first_records", "pretraining.read", "records.csv"),
            ("first_images", "pretraining.images", "images.npy"),
        ]
    for key, stage, file in files:
        record = store.read(store.latest(plan.cache_name).get(stage, ""))
        if record is None:
            raise UsageError(
                f"{plan.name}: its images are not in the cache, so duplicates of them could not be left out",
                hint=plan.build_command(),
            )
        found[key] = Source(store.sound_path(record.outputs[file], stage), private=True)
    return found


def _describe_set(results: Results, external: External, study: Study) -> Iterator[str]:
    """Yield what is tried, what was left out of it, and which label is taken for which class."""

    def number(name: str) -> int:
        return int(results[f"{EXTERNAL}.{name}"]["value"])

    yield f"{number('count'):,} images of {number('patients'):,} patients"
    if twins := number("duplicates"):
        training = number("duplicates.train")
        yield f"left out: {twins:,} that the study has too, {training:,} of them for training"
    if shared := number("same_patient_in_study"):
        yield f"{shared:,} images are of patients who have other images in the study"
    labels = {c.id: c.label for c in study.classes}
    for c in external.classes:
        taken = (
            " or ".join(labels[name] for name in c.matches) or "no class of the study (--match LABEL=CLASS)"
        )
        yield f"{c.label}: {taken}"


def _print_confusion(results: Results, model: str, external: External, study: Study) -> None:
    of, rows = f"{model}.{EXTERNAL}", []
    for c in external.classes:
        cells = [
            f"{results[f'{of}.confusion.{c.id}.{name}']['value']:,}"
            + _in_percent(results, f"{of}.confusion_share.{c.id}.{name}")
            for name in study.class_ids
        ]
        rows.append([c.label, f"{results[f'{of}.support.{c.id}']['value']:,}", *cells])
    console.print_table(["label", "images", *(f"called {c.label}" for c in study.classes)], rows)


def _in_percent(results: Results, name: str) -> str:
    share = results[name]["value"]
    return "" if share is None else f" ({100 * share:.0f} %)"


def _describe_measures(results: Results, model: str, study: Study) -> Iterator[str]:
    """Yield every measure that is defined, with its interval and what it is computed on."""
    of = f"{model}.{EXTERNAL}"
    for name in ("accuracy", *(f"{measure}.{c}" for measure in SHOWN for c in study.class_ids)):
        item = results[f"{of}.{name}"]
        if item["value"] is not None:
            ends = "" if item["low"] is None else f" ({item['low']:.3f} to {item['high']:.3f})"
            yield f"{name} {item['value']:.3f}{ends}, {item['n']:,} images"
