"""The stages of weights that were learnt elsewhere: where they come from, and the network that begins with them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from analysis.models.backbones import BACKBONES
from report.engine.stage import Input, Output, Source, Stage
from report.pipeline import packages
from report.pipeline.data import Place
from report.study.model_settings import Model
from report.study.study import Study
from report.study.trainings import Run, list_variants
from report.study.value_types import IMAGENET, PRETRAINING, RANDOM

PRETRAINED = ("pretrained.json",)
"""What is told of the weights; neither they nor the network is handed over."""


def has_own_weights(model: Model) -> bool:
    """Tell whether a training begins with random weights, or with those of an earlier one of the study."""
    return model.weights == RANDOM or bool(model.init_from)


def name_weights(model: Model) -> str:
    """Return the stage of the weights that a model begins with."""
    name = f"{IMAGENET}_{model.backbone}" if model.weights == IMAGENET else model.weights
    return f"weights.{re.sub(r'[^a-z0-9_]+', '_', name.lower())}"


def make_weights_stages(study: Study, place: Place) -> Iterator[Stage]:
    """Yield the stages of the weights that the models of a study begin with, each once."""
    models = (*study.trained, *(variant.model for variant in list_variants(study)))
    found = {name_weights(m): m for m in models if not has_own_weights(m)}
    for name, model in found.items():
        function, inputs, params = "fetch", dict[str, Input](), {"backbone": model.backbone}
        if model.weights == PRETRAINING:
            assert study.pretraining is not None
            function, params = "take", {"study": place.study.name, "model": PRETRAINING}
            inputs["network"] = Output(f"{PRETRAINING}.train", ("model.keras",))
        elif model.weights == IMAGENET and place.weights:
            inputs["file"] = Source(place.weights / BACKBONES[model.backbone].file, private=True)
        elif model.weights != IMAGENET:
            study_name, trained = model.study_of_weights
            function, params = "take", {"study": study_name, "model": trained}
            inputs["network"] = Source(place.networks.get(model.weights, place.study), private=True)
        yield Stage(
            name,
            f"analysis.models.pretrained:{function}",
            inputs,
            {**params},
            packages=packages.NETWORKS,
            threads=study.training.threads,
            early=model.weights != PRETRAINING,  # of those there are any only after a training
            private=True,
        )


def make_beginning_stage(study: Study, run: Run) -> Stage:
    """Return the stage of the network that a training begins with."""
    return Stage(
        f"pretrained.{run.name}",
        "analysis.models.pretrained:begin",
        {
            "architecture": Output(f"architecture.{run.model.id}", ("architecture.json",)),
            "weights": Output(name_weights(run.model)),
        },
        {"seed": run.seed},
        packages=packages.NETWORKS,
        threads=study.training.threads,
        releases=PRETRAINED,
    )
