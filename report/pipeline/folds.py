"""The stages of a cross-validation: of each fold its split and networks, and of all folds together what they give."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.vocabulary.run_names import FOLDS
from report.engine.stage import Json, Output, Stage
from report.pipeline import packages
from report.pipeline.networks import PREDICTIONS, make_training_stages
from report.pipeline.splits import find_pixels, make_split_stage
from report.study.study import Study
from report.study.trainings import list_fold_models, list_fold_pairs, list_folds, list_runs


def make_fold_stages(study: Study) -> Iterator[Stage]:
    """Yield the stages of each fold, in which it is the test set, and the one over all folds; none without folds."""
    folds, models = list_folds(study), list_fold_models(study)
    for number, fold in enumerate(folds, start=1):
        how: dict[str, Json] = {"protocol": "folds", "folds": len(folds), "fold": number}
        yield make_split_stage(study, fold, "patient", study.split.seed, **how)
        for model in models:
            (run,) = list_runs(study, model, fold)
            yield from make_training_stages(study, run, find_pixels(fold))
    if folds:
        yield Stage(
            FOLDS,
            "analysis.evaluation.stages.folds:collect",
            {
                **{f"split{fold}": Output(f"split{fold}") for fold in folds},
                **{
                    f"{m.id}{fold}": Output(f"predict.{m.id}{fold}", PREDICTIONS)
                    for m in models
                    for fold in folds
                },
            },
            {
                "classes": [*study.class_ids],
                "folds": len(folds),
                "models": [m.id for m in models],
                "pairs": [[b, a] for b, a in list_fold_pairs(study)],
            },
            packages=packages.STATISTICS,
        )
