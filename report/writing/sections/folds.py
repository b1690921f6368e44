"""Facts of the appendix on the cross-validation, and on which side of zero its differences lie."""

from __future__ import annotations

from typing import Literal

from analysis.vocabulary.folds import MEAN, OVER_FOLDS, name_all_folds, name_folds
from analysis.vocabulary.measures import pair_name
from report.writing.study_facts import Section
from report.writing.values import unbroken

Side = Literal["above", "below", "within", "unknown"]


class Folds(Section):
    """What the report says of networks that were trained on each fold of the patients.

    Methods that are about ``models`` are of one, or of the difference of two, the first minus the second.
    """

    measures = OVER_FOLDS

    @property
    def count(self) -> int:
        """How many folds there are, 0 without a cross-validation."""
        return int(self.study["split"]["folds"])

    @property
    def primary(self) -> str:
        """The measure that is told of each fold."""
        return str(self.facts.declared["primary"])

    @property
    def models(self) -> list[str]:
        """The models that were trained on each fold."""
        return [m for m in self.facts.trained if f"{name_all_folds(m)}.test.n" in self.values.results]

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The models that are compared, each before the one that it is compared with, where both were trained on each fold."""
        declared = self.study["comparison"]
        if not declared:
            return []
        with_baseline = ((b, declared["baseline"]) for b in declared["against"])
        between = ((b, a) for a, b in declared["between"])
        return [pair for pair in (*with_baseline, *between) if {*pair} <= {*self.models}]

    @property
    def shown(self) -> list[tuple[str, ...]]:
        """The models and pairs that tables show."""
        return [*((model,) for model in self.models), *self.pairs]

    def cells(self, *models: str) -> list[str]:
        """Return each measure over all folds with its interval."""
        owner = name_all_folds(_owner(*models))
        return [unbroken(self.values.cell(f"{owner}.test.{m}")) for m in self.measures]

    def mean(self, *models: str) -> str:
        """Return the name of the mean of the primary measure over folds."""
        return f"{name_all_folds(_owner(*models))}.test.{MEAN}.{self.primary}"

    def means(self) -> list[str]:
        """Return the means over folds of the primary measure with their intervals."""
        return [unbroken(self.values.cell(self.mean(*models))) for models in self.shown]

    def each(self) -> list[list[str]]:
        """Return a row for each fold: its number, how many images it has, and the primary measure."""
        first = self.models[0]
        return [
            [
                str(number),
                self.values.text(f"{first}{fold}.test.n"),
                *(self.values.text(f"{_owner(*models)}{fold}.test.{self.primary}") for models in self.shown),
            ]
            for number, fold in enumerate(name_folds(self.count), start=1)
        ]

    def side(self, b: str, a: str) -> Side:
        """Return on which side of zero the interval of the mean difference lies."""
        item = self.values.entry(self.mean(b, a))
        if item["low"] is None:
            return "unknown"
        return "above" if item["low"] > 0 else "below" if item["high"] < 0 else "within"


def _owner(*models: str) -> str:
    return pair_name(*models) if len(models) > 1 else models[0]
