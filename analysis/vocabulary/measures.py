"""The measures of a classifier, and how results are named by them.

A result is called ``<owner>.<split>.<measure>[.<class or average>]``, its owner being a model, a pair of models or
``data``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Literal

MACRO, MICRO, WEIGHTED = "macro", "micro", "weighted"
"""The mean of the classes, all one-hot entries pooled, and the mean weighted by the images of the classes."""
WITHOUT = f"{MACRO}_without_"
"""Before the class that a mean of the other classes leaves out: ``f1.macro_without_covid_19``."""
ABNORMAL = "abnormal"
"""The score 1 - p(normal class): any class but the normal one."""


class Kind(Enum):
    """What a measure is computed from, which settles how its interval is made."""

    PROPORTION = "a share of images that are right: of all, of a class, or of those called one"
    MATRIX = "another number that follows from the confusion matrix"
    AREA = "an area under a curve of scores"
    LOSS = "a mean over images of how wrong their probabilities are"
    CALIBRATION = "a distance between probabilities and observed shares"


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A measure of a classifier: what it is called wherever it is printed, and what it is a measure of.

    Parameters
    ----------
    id : str
        As in the names of results.
    name, head : str
        In a sentence, and over a column of a table.
    panel, panel_of_all : str
        Over the panel of a figure that shows it by class, or for all images; "" where none does.
    of_all, of_class : bool
        Whether it has a value for all images, and one for each class against the rest.
    averages : tuple of str
        Averages of the classes that it has.
    without_each : bool
        Whether it has the mean of all classes but one too, for each class, where there are more than two.
    column : bool
        Whether tables by class have a column for it.
    compared : bool
        Whether the difference between two models is computed.
    method, method_of_class : str
        How ``results.json`` says that the value for all images, and that of a class, is formed.
    undefined, undefined_of_class : str
        Where there is no such value: what ``results.json`` gives as the reason.
    mirror : str
        The measure that has, with two classes, the same value for the other class; itself if it is the same for both.
    """

    id: str
    kind: Kind
    name: str
    head: str
    panel: str = ""
    panel_of_all: str = ""
    of_all: bool = False
    of_class: bool = True
    averages: tuple[str, ...] = ()
    without_each: bool = False
    column: bool = False
    compared: bool = True
    method: str = ""
    method_of_class: str = "one class against the rest"
    undefined: str = ""
    undefined_of_class: str = ""
    mirror: str = ""

    @property
    def of_scores(self) -> bool:
        """Whether it depends on the probabilities, and not only on the most probable class."""
        return self.kind not in {Kind.PROPORTION, Kind.MATRIX}

    @property
    def higher_is_better(self) -> bool:
        """Whether more of it is better; of losses and calibration errors less is."""
        return self.kind not in {Kind.LOSS, Kind.CALIBRATION}

    @property
    def symmetric(self) -> bool:
        """Whether it is, with two classes, the same for both, and so for their mean."""
        return self.mirror == self.id

    def names(self, classes: Sequence[str]) -> Iterator[str]:
        """Yield the names of its results: ``f1.covid_19``, ``f1.macro``; for all images its id alone."""
        yield from (self.id,) if self.of_all else ()
        ends = (*(classes if self.of_class else ()), *dict.fromkeys((*self.averages, *self.means(classes))))
        yield from (f"{self.id}.{of}" for of in ends)

    def means(self, classes: Sequence[str]) -> dict[str, list[int]]:
        """Return the unweighted means of classes that it has, by name, each with the indices of its classes."""
        every = range(len(classes))
        found = {MACRO: [*every]} if MACRO in self.averages else {}
        if self.without_each and len(classes) > 2:
            found |= {f"{WITHOUT}{c}": [j for j in every if j != k] for k, c in enumerate(classes)}
        return found


MEASURES: dict[str, Measure] = {
    measure.id: measure
    for measure in (
        Measure(
            id="accuracy",
            kind=Kind.PROPORTION,
            name="accuracy",
            head="Accuracy",
            panel_of_all="Accuracy",
            of_all=True,
            of_class=False,
            method="share of images classified correctly",
            undefined="no images",
        ),
        Measure(
            id="mcc",
            kind=Kind.MATRIX,
            name="MCC",
            head="MCC",
            panel_of_all="Correlation (MCC)",
            of_all=True,
            method="Gorodkin's R_K",
            undefined="truths or predictions are all of one class",
            undefined_of_class="truths or predictions are all on one side",
            mirror="mcc",
        ),
        Measure(
            id="sensitivity",
            kind=Kind.PROPORTION,
            name="sensitivity",
            head="Sensitivity",
            panel="Sensitivity",
            averages=(MACRO,),
            column=True,
            undefined_of_class="no image of this class",
            mirror="specificity",
        ),
        Measure(
            id="specificity",
            kind=Kind.PROPORTION,
            name="specificity",
            head="Specificity",
            panel="Specificity",
            averages=(MACRO,),
            column=True,
            undefined_of_class="no image of another class",
            mirror="sensitivity",
        ),
        Measure(
            id="ppv",
            kind=Kind.PROPORTION,
            name="precision",
            head="Precision",
            panel="Precision (PPV)",
            averages=(MACRO,),
            column=True,
            undefined_of_class="class never predicted",
            mirror="npv",
        ),
        Measure(
            id="npv",
            kind=Kind.PROPORTION,
            name="negative predictive value",
            head="Negative predictive value",
            panel="NPV",
            averages=(MACRO,),
            undefined_of_class="no other class ever predicted",
            mirror="ppv",
        ),
        Measure(
            id="f1",
            kind=Kind.MATRIX,
            name="F1",
            head="F1",
            panel="F1",
            averages=(MACRO,),
            without_each=True,
            column=True,
            undefined_of_class="class neither present nor predicted",
        ),
        Measure(
            id="auroc",
            kind=Kind.AREA,
            name="AUC",
            head="AUC",
            panel="AUC, one against the rest",
            panel_of_all="AUC, all pooled",
            averages=(MACRO, MICRO),
            column=True,
            undefined_of_class="images all on one side",
            mirror="auroc",
        ),
        Measure(
            id="average_precision",
            kind=Kind.AREA,
            name="average precision",
            head="Average precision",
            compared=False,
            method_of_class="mean of precision over the steps of recall",
            undefined_of_class="no image of this class",
        ),
        Measure(
            id="brier",
            kind=Kind.LOSS,
            name="Brier score",
            head="Brier",
            of_all=True,
            of_class=False,
            method="mean squared error summed over classes, 0 to 2",
        ),
        Measure(
            id="log_loss",
            kind=Kind.LOSS,
            name="log loss",
            head="Log loss",
            of_all=True,
            of_class=False,
            method="mean of -ln of the true class's probability, clipped at 1e-12",
        ),
        Measure(
            id="ece",
            kind=Kind.CALIBRATION,
            name="expected calibration error",
            head="ECE",
            of_all=True,
            compared=False,
        ),
    )
}
FROM_MATRIX = tuple(m for m in MEASURES.values() if not m.of_scores)
"""The measures that follow from true and predicted classes alone."""
BY_CLASS = tuple(m for m in FROM_MATRIX if m.averages)
"""Those of them that are measured by class and averaged: sensitivity, specificity, PPV, NPV and F1."""
COLUMNS = tuple(m for m in MEASURES.values() if m.column)
"""The measures that tables by class have."""
OF_PROBABILITIES = tuple(m for m in MEASURES.values() if not m.higher_is_better)
"""Losses and calibration error: of the probabilities as they are, and of the corrected ones."""
COMPARED = tuple(m for m in MEASURES.values() if m.compared)
"""The measures of which the difference between two models is computed."""
MIRRORED = {m.mirror for first, m in enumerate(MEASURES.values()) if m.mirror in list(MEASURES)[first + 1 :]}
"""With two classes their means are those of the measures that they mirror, which come before them."""
REPORTED = ("ppv", "sensitivity", "f1")
"""What a classification report has of each class."""

Primary = Literal["accuracy", "f1.macro", "sensitivity.macro", "auroc.macro"]
"""What a comparison can be declared by."""
DEFAULT_PRIMARY: Primary = "f1.macro"
DEFAULT_ALPHA = 0.05
"""The chance of a false "better" or "worse" that a study allows if it says nothing else."""
HEADLINES = ("accuracy", "f1.macro", "auroc.macro")
"""What tables and text of all models give of each."""


def parse(name: str) -> tuple[Measure, str]:
    """Return the measure of ``f1.macro`` and the class or average, "" for all images."""
    measure, _, of = name.partition(".")
    return MEASURES[measure], of


def in_text(name: str) -> str:
    """Return what ``f1.macro`` is called in a sentence, of an average or of all images: ``macro F1``."""
    measure, average = parse(name)
    return f"{average} {measure.name}".lstrip()


def as_head(name: str) -> str:
    """Return what ``f1.macro`` is called over a column beside others: ``Macro F1``."""
    text = in_text(name)
    return text[:1].upper() + text[1:]


def as_average(name: str) -> str:
    """Return what ``f1.macro`` is called in a table of averages: ``F1``; with its average if it has several."""
    measure, average = parse(name)
    return f"{measure.head} ({average})" if len(measure.averages) > 1 else measure.head


PRIOR, SCALED = "_prior", "_scaled"
"""Behind measures of probabilities that were corrected for the classes' shares, and with a temperature too."""
BETWEEN = "_vs_"
"""Between the names of two models that are compared."""
LEARNING_CURVES = ("loss", "accuracy", "val_loss", "val_accuracy")
"""What a training measures in each epoch."""
CURVE_PREFIXES = {"train": "", "val": "val_"}
"""What the columns of each split begin with."""


def pair_name(b: str, a: str) -> str:
    """Return the owner of the results that compare model ``b`` with model ``a``."""
    return f"{b}{BETWEEN}{a}"


def round_counts(means: Sequence[float]) -> list[int]:
    """Return whole numbers that add up to the rounded sum of ``means``: those of the largest remainders are rounded up.

    So a row of a confusion matrix that is a mean of trainings has as many images as its class.
    """
    whole = [math.floor(mean) for mean in means]
    by_remainder = sorted(range(len(whole)), key=lambda i: (whole[i] - means[i], i))
    for i in by_remainder[: round(sum(means)) - sum(whole)]:
        whole[i] += 1
    return whole


def in_percent(word: str, share: float) -> str:
    """Return a share as part of a result's name: ``at_90``, ``prevalence_10``, ``discordance_5``."""
    return f"{word}_{100 * share:.0f}"
