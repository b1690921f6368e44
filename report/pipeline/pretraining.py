"""The stages of a pretraining: other X-rays without those that the study validates or tests on, and a network trained on them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from analysis.vocabulary.pretraining import PRETRAINING
from report.engine.stage import Input, Json, Output, Stage
from report.pipeline import packages
from report.pipeline.data import IMAGES, RECORDS, Place
from report.pipeline.external import make_reading_stages
from report.pipeline.networks import COURSE, make_architecture_stage, make_training_stage
from report.pipeline.splits import list_splits
from report.study.study import Study
from report.study.trainings import Run

READ, PREPARED, GROUPS, SPLIT, TRAINED, FACTS = (
    f"{PRETRAINING}.{name}" for name in ("read", "images", "duplicates", "split", "train", "facts")
)
RESULTS = ("results.json",)
PACKAGES = tuple(sorted({*packages.STATISTICS, *packages.IMAGES}))


def make_pretraining_stages(study: Study, place: Place) -> Iterator[Stage]:
    """Yield the stages of a study that has a pretraining; they read every split of the study, to learn from no image there."""
    first = study.pretraining
    if first is None:
        return
    classes: list[Json] = [*first.class_ids]
    found = place.pretraining_kind or "sample"
    yield from make_reading_stages(study, PRETRAINING, first, found, place.pretraining)
    records: Input = Output(READ, ("records.csv",))
    yield Stage(
        GROUPS,
        "analysis.audit.pretraining:find",
        {
            "records": records,
            "images": Output(PREPARED, ("images.npy",)),
            "study_records": RECORDS,
            "study_images": IMAGES,
        },
        packages=PACKAGES,
        releases=("groups.csv",),
    )
    splits = [*list_splits(study)]
    yield from splits
    yield Stage(
        SPLIT,
        "analysis.audit.pretraining:split",
        {
            "records": records,
            "groups": Output(GROUPS, ("groups.csv",)),
            "study_records": RECORDS,
            **{stage.name: Output(stage.name, ("split.csv",)) for stage in splits},
        },
        {"classes": classes, **first.select("val", "seed")},
        packages=PACKAGES,
    )
    learnt = study.model_copy(update={"classes": first.classes})
    yield make_architecture_stage(learnt, first.model)
    pixels: dict[str, Input] = {
        "records": records,
        "images": Output(PREPARED),
        "split": Output(SPLIT, ("split.csv",)),
    }
    run = Run(first.model, "", first.seed, PRETRAINING)
    yield replace(make_training_stage(learnt, run, pixels), name=TRAINED)
    yield Stage(
        FACTS,
        "analysis.audit.pretraining:describe",
        {
            "records": records,
            "groups": Output(GROUPS, ("groups.csv",)),
            "split": Output(SPLIT),
            "training": Output(TRAINED, COURSE),
        },
        {"classes": classes},
        packages=PACKAGES,
    )


def find_pretraining_results(study: Study) -> dict[str, Input]:
    """Return the results of a pretraining, as inputs of the stage of all results."""
    return {f"evaluate_{PRETRAINING}": Output(FACTS, RESULTS)} if study.pretraining else {}


def find_pretraining_network(study: Study) -> dict[str, Input]:
    """Return the description of the network that is trained first, as an input of the document."""
    first = study.pretraining
    return {f"architecture_{first.model.id}": Output(f"architecture.{first.model.id}")} if first else {}
