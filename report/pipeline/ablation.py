"""The stages of the ablation: the networks that differ by one component, and what the components are worth."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.vocabulary.ablation import EFFECTS_TABLE
from analysis.vocabulary.results import ABLATION
from report.engine.stage import Input, Json, Output, Stage
from report.pipeline import packages
from report.pipeline.networks import (
    PREDICTIONS,
    make_architecture_stage,
    make_prediction_stage,
    make_training_stages,
    make_validation_stage,
)
from report.pipeline.splits import find_pixels
from report.study.study import Study
from report.study.trainings import list_variants

EFFECTS = (EFFECTS_TABLE,)


def make_variant_stages(study: Study) -> Iterator[Stage]:
    """Yield the stages that train the networks of an ablation that is to run, and evaluate them on validation images."""
    for variant in list_variants(study):
        yield make_architecture_stage(study, variant.model)
        for run, beside, _ in zip(*variant.list_runs(study), strict=True):
            pixels = find_pixels(run.analysis)
            if variant.is_trained:
                yield from make_training_stages(study, run, pixels)
            else:
                yield make_prediction_stage(study, run, pixels, beside.name)
            yield make_validation_stage(study, run.name)


def make_ablation_stages(study: Study) -> Iterator[Stage]:
    """Yield the stage that tells what the components are worth, if the ablation is to run."""
    declared, inputs, effects = study.comparison, dict[str, Input](), list[Json]()
    for variant in list_variants(study):
        own, beside, baseline = ([run.name for run in runs] for runs in variant.list_runs(study))
        inputs |= {name: Output(f"predict.{name}", PREDICTIONS) for name in (*own, *beside, *baseline)}
        trainings: dict[str, Json] = {"own": [*own], "beside": [*beside], "baseline": [*baseline]}
        effects.append({"component": variant.component, "effect": variant.effect, **trainings})
    if declared and effects:
        yield Stage(
            ABLATION,
            "analysis.evaluation.stages.ablate:ablate",
            inputs,
            {
                "classes": [*study.class_ids],
                "effects": effects,
                **declared.select("primary", "split", "margin", "alpha"),
            },
            packages=packages.STATISTICS,
        )


def find_ablation(study: Study, files: tuple[str, ...] = EFFECTS) -> dict[str, Input]:
    """Return the results of the ablation, or its effects, as an input of other stages; nothing where it is not to run."""
    return {ABLATION: Output(ABLATION, files)} if list_variants(study) else {}
