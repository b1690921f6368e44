"""The stages that train networks on parts of the training images, and tell what more images would do."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.vocabulary.measures import DEFAULT_PRIMARY
from analysis.vocabulary.subsets import SUBSETS, TABLE, TRAININGS_TABLE
from report.engine.stage import Input, Json, Output, Stage
from report.pipeline import packages
from report.pipeline.data import IMAGES, RECORDS
from report.pipeline.networks import PREDICTIONS, make_run_stages
from report.study.study import Study
from report.study.trainings import Run, list_analyses, list_subset_runs

TABLES = (TABLE, TRAININGS_TABLE)


def make_subset_training_stages(study: Study) -> Iterator[Stage]:
    """Yield the draws of the training images, and of each model its trainings on them; none if the study has no subsets.

    They are measured by the stage of all of them; only while the test set is locked is each evaluated by itself.
    """
    drawn: set[str] = set()
    for model in study.subset_models:
        for share, runs in list_subset_runs(study, model).items():
            for run in runs if share < 1 else ():
                if run.analysis not in drawn:
                    yield _draw(study, run, share)
                    drawn.add(run.analysis)
                pixels: dict[str, Input] = {
                    "records": RECORDS,
                    "images": IMAGES,
                    "split": Output(f"split{run.analysis}"),
                }
                stages = make_run_stages(study, run, pixels)
                yield from (stage for stage in stages if stage.kind != "evaluate")


def _draw(study: Study, run: Run, share: float) -> Stage:
    return Stage(
        f"split{run.analysis}",
        "analysis.training_subsets:draw",
        {"records": RECORDS, "split": Output(f"split{_find_analysis(study)}")},
        {"share": share, "seed": run.seed, "classes": [*study.class_ids]},
        packages=packages.STATISTICS,
        early=True,
    )


def _find_analysis(study: Study) -> str:
    return list(list_analyses(study))[-1]


def make_subsets_stage(study: Study) -> Iterator[Stage]:
    """Yield the stage that tells what networks reach on each share, if there are any."""
    if not study.subset_models:
        return
    by_model = {m.id: list_subset_runs(study, m) for m in study.subset_models}
    first, *_ = by_model.values()
    draws = [[run.analysis for run in runs] for runs in first.values()]
    runs = {model: [[r.name for r in of] for of in shares.values()] for model, shares in by_model.items()}
    trained = [name for shares in runs.values() for names in shares for name in names]
    params: dict[str, Json] = {
        "analysis": _find_analysis(study),
        "classes": [*study.class_ids],
        "split": study.comparison.split if study.comparison else "test",
        "measure": study.comparison.primary if study.comparison else DEFAULT_PRIMARY,
        "shares": [*first],
        "draws": [[*names] for names in draws],
        "runs": {model: [[*names] for names in shares] for model, shares in runs.items()},
    }
    yield Stage(
        SUBSETS,
        "analysis.evaluation.stages.subsets:collect",
        {
            **{f"split_{name}": Output(f"split{name}") for names in draws for name in names},
            **{f"predict_{name}": Output(f"predict.{name}", PREDICTIONS) for name in trained},
        },
        params,
        packages=packages.STATISTICS,
    )


def find_subsets(study: Study, *files: str) -> dict[str, Input]:
    """Return files of the stage as an input of others; nothing where the study has no subsets."""
    return {SUBSETS: Output(SUBSETS, files)} if study.subset_models else {}
