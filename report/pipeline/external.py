"""The stages of the external test, after the trainings: nothing that is trained or chosen reads any of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from analysis.datasets.reader import function_of
from analysis.vocabulary.pretraining import PRETRAINING
from report.engine.stage import ALL_FILES, Input, Json, Output, Stage
from report.pipeline import packages
from report.pipeline.data import (
    IMAGES,
    RECORDS,
    DataKind,
    Place,
    describe_reading,
    make_archive_stage,
    make_xrays,
    name_in_data,
)
from report.study import readers
from report.study.external import External
from report.study.model_settings import Model
from report.study.pretraining import Pretraining
from report.study.study import Study
from report.study.trainings import Run, list_analyses, list_runs

KIND = "external"
"""What the names of these stages begin with."""
READ, PREPARED, TWINS, FACTS = (f"{KIND}.{name}" for name in ("read", "images", "duplicates", "facts"))
PREDICTIONS, RESULTS, DUPLICATES = ("predictions.csv",), ("results.json",), ("duplicates.csv",)
TABLES = ("confusion.csv", "groups.csv")
SAMPLE = {"table": "analysis.datasets.sample.external_sample:write"}
"""What writes the sample of an external set for a reader; for the others their own sample does."""
ANOTHER = {KIND: 1000, PRETRAINING: 2000}
"""Added to the seed of the sample, so that a further set has other bodies."""


@dataclass(frozen=True)
class Training:
    """Where a trained network and the study's own images lie: the inputs of the test of one network."""

    name: str
    model: Model
    seed: int
    network: Input
    seen: Input


def make_external_stages(study: Study, place: Place) -> Iterator[Stage]:
    """Yield the stages of the external test of a study that has one and whose images are there."""
    if study.external is None or not place.external_kind:
        return
    known: dict[str, Input] = {
        "study_records": RECORDS,
        "study_images": IMAGES,
        "study_split": Output("split"),
        **_find_first(study),
    }
    yield from make_set_stages(study, study.external, place, known)
    for model in study.trained:
        for analysis in list_analyses(study):
            runs = list_runs(study, model, analysis)
            for run in runs:
                yield from make_test_stages(study, study.external, _of_run(run))
            if len(runs) > 1:
                yield _average(f"{model.id}{analysis}", runs)


def _find_first(study: Study) -> dict[str, Input]:
    """Return the images that a network learns from before those of the study, which it knows as well as these."""
    first = {"first_records": "read", "first_images": "images"} if study.pretraining else {}
    files = {"read": ("records.csv",), "images": ("images.npy",)}
    return {name: Output(f"{PRETRAINING}.{of}", files[of]) for name, of in first.items()}


def find_external_results(study: Study, place: Place) -> dict[str, Input]:
    """Return the results of the external test, of the set and of each network, as inputs of the stage of all results."""
    if study.external is None or not place.external_kind:
        return {}
    evaluated = {
        f"evaluate_{KIND}_{n}": Output(f"{KIND}.evaluate.{n}", RESULTS) for n in list_test_names(study)
    }
    return {f"evaluate_{KIND}": Output(FACTS, RESULTS), **evaluated}


def find_external_tables(models: Iterable[Model]) -> dict[str, Input]:
    """Return the tables of the external test of each model that the report shows: of several trainings the means."""
    return {f"{KIND}_{model.id}": Output(f"{KIND}.evaluate.{model.id}", TABLES) for model in models}


def list_test_names(study: Study) -> list[str]:
    """Return the names of all trainings, and those that trainings with several seeds have together."""
    return [
        name
        for model in study.trained
        for analysis in list_analyses(study)
        for name in dict.fromkeys(
            (f"{model.id}{analysis}", *(run.name for run in list_runs(study, model, analysis)))
        )
    ]


def _of_run(run: Run) -> Training:
    network = Output(f"train.{run.name}", ("model.keras",))
    return Training(run.name, run.model, run.seed, network, Output(f"train.{run.name}", ("input.json",)))


def make_set_stages(
    study: Study, external: External, place: Place, known: dict[str, Input]
) -> Iterator[Stage]:
    """Yield the stages from the external images to what is known of them; ``known`` is what the study has itself."""
    assert place.external_kind
    yield from make_reading_stages(study, KIND, external, place.external_kind, place.external)
    yield Stage(
        TWINS,
        "analysis.audit.external.duplicates:find",
        {"records": Output(READ, ("records.csv",)), "images": Output(PREPARED), **known},
        packages=tuple(sorted({*packages.STATISTICS, *packages.IMAGES})),
        releases=DUPLICATES,
    )
    yield Stage(
        FACTS,
        "analysis.audit.external.facts:describe",
        {
            "records": Output(READ, ("records.csv", "excluded.csv")),
            "duplicates": Output(TWINS, DUPLICATES),
            "study_records": known["study_records"],
        },
        {"classes": [*external.class_ids]},
        packages=packages.STATISTICS,
    )


def make_reading_stages(
    study: Study, kind: str, further: External | Pretraining, found: DataKind, path: Path | None
) -> Iterator[Stage]:
    """Yield the stages that read and prepare a further set of images, called ``kind``, that was ``found`` at ``path``."""
    made = Output(f"{kind}.{found}")
    data: Input = made
    pixels: Input = made
    if found == "sample":
        yield _sample(study, kind, further)
    else:
        assert path is not None
        if found == "archive":
            yield make_archive_stage(made.stage, path, further)
        else:
            data, pixels = make_xrays(path), make_xrays(path, keyed=False)
    yield Stage(
        f"{kind}.read",
        function_of(further.reader),
        {"data": data},
        {**describe_reading(further, further.classes), **further.select("max_excluded")},
        packages=packages.IMAGES,
        releases=ALL_FILES,  # tables of the images, none of their pixels
    )
    yield Stage(
        f"{kind}.images",
        "analysis.preparation:prepare",
        {"records": Output(f"{kind}.read", ("records.csv", "depth.json")), "data": pixels},
        study.image.select("size", "fit", "resample"),
        packages=packages.IMAGES,
    )


def _sample(study: Study, kind: str, further: External | Pretraining) -> Stage:
    """Return the stage that writes a small generated set of another hospital."""
    reader = readers.look_up(further.reader)
    params: dict[str, Json] = {
        **({} if further.reader in SAMPLE else reader.sample_params),
        "pictures": further.pictures,
        "seed": study.sample.seed + ANOTHER[kind],
    }
    for key in reader.sample_keys:
        classes = name_in_data(further, further.classes)
        params |= {"classes": classes} if key == "classes" else further.select(key)
    function, inputs = reader.sample, dict[str, Input]()
    if further.reader in SAMPLE:
        function, inputs = SAMPLE[further.reader], {"data": Output("sample")}
    return Stage(f"{kind}.sample", function, inputs, params, packages=packages.IMAGES, private=True)


def make_test_stages(study: Study, external: External, training: Training) -> Iterator[Stage]:
    """Yield the stages that ask one trained network about the external images and say what it found."""
    yield Stage(
        f"{KIND}.predict.{training.name}",
        "analysis.models.external_prediction:predict",
        {
            "records": Output(READ, ("records.csv",)),
            "images": Output(PREPARED),
            "model": training.network,
            "input": training.seen,
        },
        {"classes": [*study.class_ids], "seed": training.seed, **training.model.select("test_input")},
        packages=packages.NETWORKS,
        threads=study.training.threads,
        releases=PREDICTIONS,
    )
    yield Stage(
        f"{KIND}.evaluate.{training.name}",
        "analysis.audit.external.evaluate:evaluate",
        {
            "predictions": Output(f"{KIND}.predict.{training.name}", PREDICTIONS),
            "records": Output(READ, ("records.csv",)),
            "duplicates": Output(TWINS, DUPLICATES),
        },
        {
            "run": training.name,
            "classes": [*study.class_ids],
            "external": [c.select("id", "matches") for c in external.classes],
        },
        packages=packages.STATISTICS,
    )


def _average(name: str, runs: list[Run]) -> Stage:
    return Stage(
        f"{KIND}.evaluate.{name}",
        "analysis.evaluation.stages.average:average",
        {run.name: Output(f"{KIND}.evaluate.{run.name}", (*RESULTS, *TABLES)) for run in runs},
        {"model": name, "tables": [*TABLES]},
        packages=packages.STATISTICS,
    )
