"""Plans to look at: the assignment's, its sample, and some under other settings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from report import PROJECT
from report.engine.stage import Output, Stage
from report.pipeline.data import Place
from report.pipeline.stages import make_stages
from report.study.loading import load
from report.study.study import Study
from tests.specimen import TWO_NETWORKS

ASSIGNMENT = TWO_NETWORKS


STUDY = load(ASSIGNMENT / "study.toml")


MODELS = ("baseline", "improved")


def changed_study(*overrides: str) -> Study:
    return load(ASSIGNMENT / "study.toml", overrides)


def planned(*overrides: str, **place: Any) -> list[Stage]:
    return make_stages(changed_study(*overrides), Place(ASSIGNMENT, "folder", Path("/data"), **place))


ABLATED = (
    "ablation.run=true",
    "ablation.model=improved",
    """ablation.components=[
        { id = "augmentation", title = "augmentation", without = { augmentation = [] },
          with = { augmentation = [{ kind = "horizontal_flip" }] } },
        { id = "dropout", title = "dropout", without = { params = { dropout = 0.0 } } },
    ]""".replace("\n", " "),
)
"""An ablation of two components, the second of which the baseline cannot bear."""


SAMPLE = make_stages(STUDY.for_sample(), Place(ASSIGNMENT, "sample"))


REAL = planned()


SEEDS = planned("training.seeds=[42,43,44]", "split.also=none")


OFFICIAL = PROJECT / "studies" / "pediatric-official"


def fine_tuned(*overrides: str, **place: Any) -> list[Stage]:
    """Return the stages of a study with networks that begin with weights learnt elsewhere."""
    study = load(OFFICIAL / "study.toml", overrides, has_imagenet=True)
    return make_stages(study, Place(OFFICIAL, "folder", Path("/data"), **place))


FROM_STUDY = "models.transfer_first.weights=radiography/simple_cnn"
TRANSFER = PROJECT / "studies" / "assignment-transfer"


def pretrained(*overrides: str, kind: str = "folder", **place: Any) -> list[Stage]:
    """Return the stages of a study with networks that begin with what one has learnt on other images."""
    study = load(TRANSFER / "study.toml", overrides)
    study = study.for_sample() if kind == "sample" else study
    where = {"pretraining_kind": kind, "pretraining": Path("/first"), **place}
    return make_stages(study, Place(TRANSFER, "folder", Path("/data"), **where))


PLANS = {
    "pretrained": pretrained(),
    "pretrained on an archive, three draws": pretrained("split.seeds=[43, 44]", kind="archive"),
    "pretrained, locked": pretrained('evaluation.test="locked"'),
    "pretrained on a sample": pretrained(kind="sample"),
    "fine-tuned": fine_tuned(weights=Path("/weights")),
    "fine-tuned, fetched, three seeds": fine_tuned("training.seeds=[1,2,3]"),
    "fine-tuned from a study": fine_tuned(
        FROM_STUDY, networks={"radiography/simple_cnn": Path("/model.keras")}
    ),
    "sample": SAMPLE,
    "real": REAL,
    "three seeds": SEEDS,
    "three seeds by patient": planned("training.seeds=[1,2,3]"),
    "by patient alone": planned("split.group=patient"),
    "no comparison": make_stages(
        STUDY.model_copy(update={"comparison": None}), Place(ASSIGNMENT, "folder", Path("/data"))
    ),
    "three draws": planned("split.seeds=[43, 44]"),
    "three draws of three seeds": planned("split.seeds=[43, 44]", "training.seeds=[1, 2, 3]"),
    "three folds": planned("split.folds=3"),
    "five folds of three seeds": planned("split.folds=5", "training.seeds=[1, 2, 3]"),
    "three folds without duplicates": planned("split.folds=3", "split.exclude_duplicates=true"),
    "locked": planned('evaluation.test="locked"'),
    "locked, three folds": planned('evaluation.test="locked"', "split.folds=3"),
    "locked, three seeds": planned('evaluation.test="locked"', "training.seeds=[1, 2, 3]"),
    "ablation": planned(*ABLATED),
    "ablation, three seeds": planned(*ABLATED, "training.seeds=[1, 2, 3]"),
    "ablation, locked": planned(*ABLATED, 'evaluation.test="locked"'),
    "subsets": planned("training.seeds=[1, 2, 3]", "training.subsets=[0.25, 0.5]"),
    "locked, subsets": planned(
        'evaluation.test="locked"', "training.seeds=[1, 2, 3]", "training.subsets=[0.5]", "split.also=none"
    ),
    "lungs": planned("dataset.lung_masks=true"),
    "lungs in an archive": make_stages(
        changed_study("dataset.lung_masks=true"), Place(ASSIGNMENT, "archive", Path("/data.zip"))
    ),
    "without duplicates": planned("split.exclude_duplicates=true"),
    "external sample": make_stages(STUDY.for_sample(), Place(ASSIGNMENT, "sample", external_kind="sample")),
    "external": planned(external_kind="folder", external=Path("/elsewhere")),
    "external archive, three seeds": planned(
        "training.seeds=[1,2,3]", external_kind="archive", external=Path("/elsewhere.zip")
    ),
}


def keys(plan: Iterable[Stage]) -> dict[str, Any]:
    """Return by stage all that its key is made of but its code: what it reads stands for itself, not for its name."""
    made: dict[str, Any] = {}
    for stage in plan:
        inputs = {
            name: (made[given.stage], given.include) if isinstance(given, Output) else given
            for name, given in stage.inputs.items()
        }
        made[stage.name] = (
            stage.function, inputs, dict(stage.params), stage.uses, stage.packages, stage.threads
        )  # fmt: skip
    return made


def changed(one: Sequence[Stage], other: Sequence[Stage]) -> set[str]:
    """Return the stages of both plans whose keys differ."""
    first, second = keys(one), keys(other)
    return {name for name in first.keys() & second.keys() if first[name] != second[name]}


def names(plan: Iterable[Stage]) -> list[str]:
    return [stage.name for stage in plan]


def named(plan: Iterable[Stage], name: str) -> Stage:
    return next(stage for stage in plan if stage.name == name)
