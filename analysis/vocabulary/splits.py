"""The parts of the data, and the analyses that part them in different ways."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from analysis.vocabulary.run_names import join_run


@dataclass(frozen=True)
class Split:
    """A part of the data: its id, its name in a sentence and in a table, and what its images are for."""

    id: str
    name: str
    title: str
    purpose: str


SPLITS: dict[str, Split] = {
    split.id: split
    for split in (
        Split("train", "training", "Training", "training"),
        Split("val", "validation", "Validation", "validation"),
        Split("test", "test", "Test", "testing"),
    )
}
EvaluatedSplit = Literal["val", "test"]
EVALUATED: tuple[str, ...] = get_args(EvaluatedSplit)
"""The splits on which models are evaluated."""
VALIDATION: EvaluatedSplit = "val"
"""The one on which they are chosen."""
ALL_IMAGES = "all"
"""Where names of results have a split: all of them together."""


@dataclass(frozen=True)
class Analysis:
    """A way to split the images, for which everything from split to comparison is there once.

    ``suffix`` ends the names of models; ``name`` is for sentences and tables, ``key`` for tables of figures and ``legend``
    for what is drawn.
    """

    suffix: str
    name: str
    key: str
    legend: str


PRESCRIBED = Analysis("", "by image", "prescribed", "split by image")
GROUPED = Analysis("@patient", "by patient", "grouped", "split by patient")
ANALYSES: dict[str, Analysis] = {analysis.suffix: analysis for analysis in (PRESCRIBED, GROUPED)}


def suffix(group: str) -> str:
    """Return what the analysis that keeps each ``group`` together, such as ``patient``, adds to names."""
    return join_run("", group)
