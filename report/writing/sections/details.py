"""Facts of the appendix with the results in detail: counts, averages, calibration and what is found at thresholds."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.evaluation.settings import PREVALENCES, SPECIFICITIES
from analysis.vocabulary.measures import ABNORMAL, MIRRORED, SCALED, in_percent, parse
from analysis.vocabulary.splits import ALL_IMAGES, EVALUATED, SPLITS
from report.writing.study_facts import Section
from report.writing.values import MISSING, decimal, unbroken

AVERAGES = ("accuracy", "sensitivity.macro", "specificity.macro", "f1.macro", "auroc.macro", "auroc.micro")
LOSSES = ("brier", "log_loss", "ece")
AT = in_percent("at", SPECIFICITIES[0])
SMALLEST_PRINTED = 0.0005
"""A threshold below it would be printed as 0."""


@dataclass(frozen=True)
class Part:
    """A split in one analysis, as averages are given for."""

    split: str
    analysis: str

    @property
    def name(self) -> str:
        """What stands behind the name of a model in the names of results."""
        return f"{self.analysis}.{self.split}"


class Details(Section):
    """What the report's appendix has of the results."""

    def counts(self, of: str = "") -> list[str]:
        """Return how many images there are in each split and in all, of a class where one is named."""
        suffix = f".{of}" if of else ""
        return [self.values.text(f"data.{split}.count{suffix}") for split in (*SPLITS, ALL_IMAGES)]

    def parts(self) -> list[Part]:
        """Return for what averages are given: validation, and the test set in each analysis."""
        validation, test = EVALUATED
        return [Part(validation, ""), *(Part(test, analysis) for analysis in self.facts.analyses)]

    def averages(self) -> list[str]:
        """Return the averages that are given; of many models, those that two classes always share once."""
        return [
            name
            for name in AVERAGES
            if not (self.facts.many and self.facts.reported_class and parse(name)[0].id in MIRRORED)
        ]

    def averages_of(self, classifier: str, part: Part) -> list[str]:
        """Return the averages of one classifier."""
        return [self._optional(f"{classifier}{part.name}.{name}") for name in self.averages()]

    def averages_beside(self, classifier: str) -> list[str]:
        """Return the averages of one classifier, those of all parts beside each other."""
        of_parts = zip(*(self.averages_of(classifier, part) for part in self.parts()), strict=True)
        return [unbroken(" / ".join(cells)) for cells in of_parts]

    def _optional(self, name: str) -> str:
        return self.values.text(name) if name in self.values.results else MISSING

    def calibration(self, classifier: str) -> list[str]:
        """Return losses, what calibrated probabilities would give by chance, the temperature, and losses corrected."""
        raw, corrected = (
            [self.values.text(f"{classifier}.test.{loss}{suffix}") for loss in LOSSES]
            for suffix in ("", SCALED)
        )
        by_chance = unbroken(self.values.interval(f"{classifier}.test.ece_expected", to="–"))
        return [*raw, by_chance, self.values.text(f"{classifier}.val.temperature"), *corrected]

    def scores(self) -> list[str]:
        """Return the scores that have a threshold: any class but the normal one, and each class; of two classes one."""
        if self.facts.reported_class:
            return [self.facts.reported_class]
        return [*[ABNORMAL] * bool(self.facts.normal_class), *self.facts.classes]

    def threshold(self, model: str, score: str) -> tuple[str, bool]:
        """Return the threshold of a score as text, and whether it is so low that its decimals would all be 0."""
        value = self.values.value(f"{model}.val.threshold_{AT}.{score}")
        if value is None:
            return MISSING, False
        return decimal(value), 0 < value < SMALLEST_PRINTED

    def operating(self, model: str, score: str) -> list[str]:
        """Return sensitivity and specificity on test at the threshold of a score, with intervals."""
        return [
            unbroken(self.values.cell(f"{model}.test.{measure}_{AT}.{score}"))
            for measure in ("sensitivity", "specificity")
        ]

    def predictive(self, model: str) -> list[str]:
        """Return positive and negative predictive value at each prevalence."""
        return [
            self.values.text(f"{model}.test.{measure}_{AT}.{in_percent('prevalence', prevalence)}")
            for prevalence in PREVALENCES
            for measure in ("ppv", "npv")
        ]
