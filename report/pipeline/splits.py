"""The stages that share out the images, and what a network reads of images that are shared out."""

from __future__ import annotations

from collections.abc import Iterator

from report.engine.stage import Input, Json, Output, Stage
from report.pipeline import packages
from report.pipeline.audit import find_split_inputs
from report.pipeline.data import IMAGES, RECORDS
from report.study.study import Study
from report.study.trainings import list_analyses, list_draws


def make_split_stage(study: Study, suffix: str, group: str, seed: int, **fold: Json) -> Stage:
    """Return the stage of a split; ``suffix`` ends its name, and ``group`` says what is kept together."""
    repeated = find_split_inputs(study)
    return Stage(
        f"split{suffix}",
        "analysis.audit.split_without_copies:split" if repeated else "analysis.splitting:split",
        {"records": RECORDS, **repeated},
        {
            "classes": [*study.class_ids],
            **study.split.select("protocol", "test", "val", "draw", "official_val", "subset"),
            "seed": seed,
            "group": group,
            **fold,
        },
        packages=packages.STATISTICS,
        early=True,
    )


def list_splits(study: Study) -> Iterator[Stage]:
    """Yield the split of each analysis, and that of each further draw of the images."""
    for analysis, group in list_analyses(study).items():
        yield make_split_stage(study, analysis, group, study.split.seed)
    for draw, seed in list_draws(study).items():
        yield make_split_stage(study, draw, study.split.group, seed)


def find_pixels(suffix: str) -> dict[str, Input]:
    """Return records, images and the split that ``suffix`` names, as inputs."""
    return {"records": RECORDS, "images": IMAGES, "split": Output(f"split{suffix}")}
