"""The stages of one network: its architecture, its training, and what it says of images and how well."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.vocabulary.splits import EVALUATED
from report.engine.stage import Input, Output, Stage
from report.pipeline import packages
from report.pipeline.data import RECORDS
from report.pipeline.weights import has_own_weights, make_beginning_stage
from report.study import trainings
from report.study.model_settings import Model
from report.study.study import Study
from report.study.trainings import list_evaluated, list_runs

RESULTS = ("results.json",)
DRAWN = ("confusion.csv", "bands.csv", "auroc.csv", "average_precision.csv")
"""Tables of an evaluation that figures of several models show; of several trainings there are means."""
PREDICTIONS = ("predictions.csv",)
COURSE = ("history.csv", "training.json")
"""What a training tells of itself; its network stays where it was trained."""


def make_architecture_stage(study: Study, model: Model) -> Stage:
    """Return the stage that describes an untrained network."""
    initial = f"architecture.{model.init_from}"
    precision = model.precision or study.training.precision
    return Stage(
        f"architecture.{model.id}",
        "analysis.models.architecture:describe",
        {"initial": Output(initial, ("architecture.json",))} if model.init_from else {},
        params={
            "architecture": model.architecture,
            "params": dict(model.params),
            "size": study.image.size,
            "channels": 3 if study.image.color == "rgb" else 1,
            "classes": len(study.classes),
            **({"precision": precision} if precision != "float32" else {}),
        },
        uses=(model.architecture,),
        packages=packages.NETWORKS,
        threads=study.training.threads,  # in the worker that trains: one import of TensorFlow
        early=True,
    )


def make_run_stages(study: Study, run: trainings.Run, pixels: dict[str, Input]) -> Iterator[Stage]:
    """Yield the stages that train a network, ask it about images, and evaluate it.

    ``pixels`` are records, images and split, as inputs.
    """
    yield from make_training_stages(study, run, pixels)
    training: Input = Output(f"train.{run.name}", COURSE)
    yield make_evaluation_stage(
        study, run.name, pixels["split"], {"training": training}, run.model.class_balance
    )


def make_training_stages(study: Study, run: trainings.Run, pixels: dict[str, Input]) -> Iterator[Stage]:
    """Yield the stages that train a network and ask it about images."""
    model = run.model
    if not has_own_weights(model):
        yield make_beginning_stage(study, run)
    yield make_training_stage(study, run, pixels)
    yield make_prediction_stage(study, run, pixels)


def make_training_stage(study: Study, run: trainings.Run, pixels: dict[str, Input]) -> Stage:
    """Return the stage that trains a network."""
    model = run.model
    module = "fine_tuning" if study.begins_elsewhere(model) else "training"
    return Stage(
        f"train.{run.name}",
        f"analysis.models.{module}:train",
        {
            "architecture": Output(f"architecture.{model.id}", ("architecture.json",)),
            **_initial(study, run),
            **pixels,
        },
        {
            "classes": [*study.class_ids],
            "seed": run.seed,
            **study.image.select("fit", "resample"),
            **model.select("input", "class_balance", "class_weights", "augmentation", "augmented"),
            **model.select("optimizer", "learning_rate", "weight_decay", "schedule", "label_smoothing"),
            **model.select("epochs", "batch_size", "callbacks", "averaged_over"),
        },
        packages=packages.NETWORKS,
        threads=study.training.threads,
        releases=COURSE,
        shared=True,
    )


def make_prediction_stage(
    study: Study, run: trainings.Run, pixels: dict[str, Input], trained: str = ""
) -> Stage:
    """Return the stage that asks a network about images: its own, or that of the training ``trained``, asked otherwise."""
    return Stage(
        f"predict.{run.name}",
        "analysis.models.prediction:predict",
        {"model": Output(f"train.{trained or run.name}", ("model.keras", "input.json")), **pixels},
        {
            "classes": [*study.class_ids],
            "seed": run.seed,
            "splits": [*list_evaluated(study)],
            **run.model.select("test_input", *(["averaged_over"] if trained else [])),
        },
        packages=packages.NETWORKS,
        threads=study.training.threads,
        releases=PREDICTIONS,
        shared=True,
    )


def _initial(study: Study, run: trainings.Run) -> dict[str, Input]:
    """Return whose weights a training begins with, if it begins with any: those of an earlier one, or learnt elsewhere."""
    if not has_own_weights(run.model):
        return {"initial": Output(f"pretrained.{run.name}", ("model.keras",))}
    for model in study.trained:
        if model.id == run.model.init_from:
            same = next(other for other in list_runs(study, model, run.analysis) if other.seed == run.seed)
            return {"initial": Output(f"train.{same.name}", ("model.keras",))}
    return {}


def make_evaluation_stage(
    study: Study, name: str, split: Input, more: dict[str, Input], class_balance: str
) -> Stage:
    """Return the stage that evaluates predictions, on validation images alone while the test set is locked."""
    if study.is_locked:
        return make_validation_stage(study, name)
    return Stage(
        trainings.name_evaluation(study, name),
        "analysis.evaluation.stages.evaluate:evaluate",
        {"predictions": Output(f"predict.{name}", PREDICTIONS), "records": RECORDS, "split": split, **more},
        {
            "model": name,
            "classes": [*study.class_ids],
            "normal": trainings.find_normal_class(study),
            "splits": [*EVALUATED],
            "class_balance": class_balance,
        },
        packages=packages.STATISTICS,
    )


def make_validation_stage(study: Study, name: str) -> Stage:
    """Return the stage that evaluates predictions on validation images alone."""
    return Stage(
        f"validate.{name}",
        "analysis.evaluation.stages.validate:validate",
        {"predictions": Output(f"predict.{name}", PREDICTIONS)},
        {"model": name, "classes": [*study.class_ids]},
        packages=packages.STATISTICS,
    )
