"""A trained network that answers: of a study, with all that the study knows of it, or a file that somebody has."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError, model_validator

from analysis.errors import WeightsError
from analysis.vocabulary.external import EXTERNAL
from report.engine.store import Store, digest_files, input_files
from report.errors import UsageError
from report.pipeline.answers import make_answer_stages, make_description_stage, make_map_stage
from report.study import trainings
from report.study.complaints import describe_first
from report.workspace.cached_results import find_records, find_training

if TYPE_CHECKING:
    from report.engine.stage import Stage
    from report.engine.store import Record
    from report.workspace.plan import Plan

MEASURES = ("sensitivity", "specificity")
"""Of each class, what an answer says how far it can be relied on."""
SUFFIX, INPUT = ".keras", "input.json"
MOST_BYTES, MOST_INPUT_BYTES = 2**30, 2**20
EXPORTED = "report export DIR --model MODEL writes a network and its input.json"
Entry = Mapping[str, Any]


@dataclass(frozen=True)
class Trained:
    """A network and what is known of it.

    Attributes
    ----------
    name : str
        The training, such as ``residual@seed_42``, or the file.
    network : tuple of Path
        The ``.keras`` file and its ``input.json``.
    classes : mapping of str to str
        The label of each class by its id, in the order of the network's outputs.
    known : mapping of str to Path
        Files of the study that tell how its probabilities are calibrated, and what it was trained on; none of a file's.
    split : str
        The part of the study's images that it was evaluated on.
    group : str
        What the split of them keeps together.
    results : mapping
        Its results on them by measure and class, as ``sensitivity.covid_19``; none of a file's.
    external : mapping
        Its results on the images from elsewhere that the study has, if it was tried on any and that is in the cache.
    shown_otherwise : bool
        Whether the study has shown it the images of these results in another way than those of the training: a mistake
        of a published study, which is not made again here.
    """

    name: str
    network: tuple[Path, Path]
    classes: Mapping[str, str]
    known: Mapping[str, Path] = field(default_factory=dict)
    split: str = ""
    group: str = "none"
    results: Mapping[str, Entry] = field(default_factory=dict)
    external: Mapping[str, Entry] = field(default_factory=dict)
    shown_otherwise: bool = False

    def make_stages(self, images: Sequence[tuple[str, Path]]) -> list[Stage]:
        """Return the stages that answer about images, each called by a name."""
        first = [self.make_description()] if self.known else []
        return [
            *first,
            *make_answer_stages(self.network, [*self.classes], images, described=bool(self.known)),
        ]

    def make_map(self) -> Stage:
        """Return the stage that tells from where in these images the answers come."""
        return make_map_stage(self.network, [*self.classes])

    def make_description(self) -> Stage:
        """Return the stage that says what has to be known of a network of a study."""
        return make_description_stage(self.known, [*self.classes], self.split)

    def list_measures(self, class_id: str) -> dict[str, Entry]:
        """Return what the study has measured of its answers of a class; nothing where it has not."""
        found = {measure: self.results.get(f"{measure}.{class_id}") for measure in MEASURES}
        return {measure: entry for measure, entry in found.items() if entry}


def find_trained(plan: Plan, model: str) -> Trained:
    """Return a trained model of ``plan``, every file of it read through and found to be that of its digest.

    Raises
    ------
    UsageError
        As `report.workspace.cached_results.find_training`, or what the study knows of it is not in the cache.
    DamagedError
        A file is not what it was when it was made.
    """
    training, store = find_training(plan, model), Store(plan.cache)
    # The record has the name by which another study of the cache may have trained it.
    trained = f"train.{model}"
    stages = {stage.name: stage for stage in plan.stages}
    predict, evaluation = stages[f"predict.{model}"], trainings.name_evaluation(plan.study, model)
    made_by = {"predictions": predict.name, "training": trained}
    made_by |= {name: of.stage for name, of in predict.inputs.items() if name in FILES}  # type: ignore[union-attr]
    elsewhere = f"{EXTERNAL}.evaluate.{model}"
    names = [*made_by.values(), *([evaluation] if evaluation in stages else [])]
    records = find_records(plan, names) | {trained: training}
    if elsewhere in stages:
        records |= find_records(plan, [elsewhere])
    readers = [name for name in (predict.name, evaluation) if name in stages]
    if not records.keys() >= {*names} or not all(_reads(stages[name], records) for name in readers):
        raise UsageError(
            f"{model} of {plan.name}: what it said of the study's images is not in the cache",
            hint=plan.build_command(),
        )

    def find(stage: str, name: str) -> Path:
        return store.sound_path(records[stage].outputs[name], stage)

    def read(stage: str, split: str) -> dict[str, Entry]:
        if stage not in records:
            return {}
        start, results = f"{model}.{split}.", json.loads(find(stage, "results.json").read_bytes())
        return {name.removeprefix(start): item for name, item in results.items() if name.startswith(start)}

    split = trainings.list_evaluated(plan.study)[-1]
    return Trained(
        name=model,
        network=(find(trained, "model.keras"), find(trained, INPUT)),
        classes={c.id: c.label for c in plan.study.classes},
        known={name: find(stage, FILES[name]) for name, stage in made_by.items()},
        split=split,
        group=str(stages[made_by["split"]].params.get("group", plan.study.split.group)),
        results=read(evaluation, split),
        external=read(elsewhere, EXTERNAL),
        shown_otherwise=bool(predict.params.get("test_input")) or _is_interleaved(find(trained, INPUT)),
    )


FILES = {
    "predictions": "predictions.csv",
    "training": "training.json",
    "records": "records.csv",
    "split": "split.csv",
    "images": "images.npy",
}
"""The file of each kind that is known of a network."""


def _is_interleaved(seen: Path) -> bool:
    return bool(json.loads(seen.read_bytes())["pixels"] == "interleaved")


def _reads(stage: Stage, records: Mapping[str, Record]) -> bool:
    """Tell whether the result of a stage was made from the ``records`` that there are of those that it reads."""
    made_from = records[stage.name].recipe["inputs"]
    return all(made_from[name] == digest_files(files) for name, files in input_files(stage, records).items())


class _ClassOfFile(BaseModel):
    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
    label: Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f-\x9f]+$", max_length=200)]


class _Calibration(BaseModel):
    factors: list[Annotated[FiniteFloat, Field(gt=0, le=1e6)]]
    temperature: Annotated[FiniteFloat, Field(ge=0.01, le=100)]


class _Input(BaseModel):
    """What ``input.json`` beside an exported network says: as a training writes it, with classes and calibration."""

    model_config = ConfigDict(strict=True)

    size: Annotated[int, Field(ge=8, le=4096)]
    channels: Literal[1, 3]
    fit: Literal["squash", "pad", "crop"]
    resample: Literal["area", "nearest", "bilinear", "lanczos"]
    scale: FiniteFloat
    offset: FiniteFloat
    depth: Literal[0, 8, 10, 12, 14, 16] = 0
    averaged_over: list[Literal["horizontal_flip"]]
    classes: Annotated[list[_ClassOfFile], Field(min_length=2, max_length=1000)]
    calibration: _Calibration

    @model_validator(mode="after")
    def _is_of_its_classes(self) -> _Input:
        if len({c.id for c in self.classes}) != len(self.classes):
            raise ValueError("a class is there twice")
        if len(self.calibration.factors) != len(self.classes):
            raise ValueError("there is not one factor for each class")
        return self


def is_file_name(model: str) -> bool:
    """Tell whether a model is named by a file, and not by its name in a study."""
    return model.endswith(SUFFIX)


def open_file(path: Path) -> Trained:
    """Return the network in a ``.keras`` file, which is not looked into here, by the ``input.json`` beside it.

    Raises
    ------
    WeightsError
        There is no such file, it is too large, or there is no ``input.json`` that can be used.
    """
    network = path.absolute(), path.absolute().parent / INPUT
    for file, most in zip(network, (MOST_BYTES, MOST_INPUT_BYTES), strict=True):
        if not file.is_file():
            raise WeightsError(f"{file}: no such file", hint=EXPORTED)
        if (size := file.stat().st_size) > most:
            raise WeightsError(
                f"{file}: a file of {size / 2**20:.0f} MiB, more than the limit of {most >> 20}"
            )
    try:
        given = _Input.model_validate_json(network[1].read_bytes())
    except ValidationError as error:
        raise WeightsError(f"{network[1]}: {describe_first(error)}", hint=EXPORTED) from error
    return Trained(str(path), network, {c.id: c.label for c in given.classes})
