"""Facts of the appendix on networks that were trained on parts of the training images."""

from __future__ import annotations

from analysis.vocabulary.subsets import ALL, SUBSETS, TRAININGS_TABLE, count_name, gain_name, measure_name
from report.writing.study_facts import Section, read_rows
from report.writing.values import decimal, unbroken


class Subsets(Section):
    """What the report says of what more training images would do."""

    @property
    def shares(self) -> list[float]:
        """The shares of the training images, the last being all; none if the study has no subsets."""
        subsets = self.study["training"]["subsets"]
        return [*subsets, ALL] if subsets else []

    @property
    def models(self) -> list[str]:
        """The models that were trained on each share."""
        known = self.values.results
        return [m for m in self.facts.trained if self.shares and self._name(m, ALL) in known]

    @property
    def analysis(self) -> str:
        """What names of the analysis end with that the subsets are of."""
        return list(self.facts.analyses)[-1]

    def _name(self, model: str, share: float) -> str:
        return measure_name(f"{model}{self.analysis}", share, self.split, self.measure)

    @property
    def split(self) -> str:
        """The set on which networks are measured."""
        return str(self.facts.declared["split"])

    @property
    def measure(self) -> str:
        """By what they are measured."""
        return str(self.facts.declared["primary"])

    def gain(self, model: str) -> str:
        """Return the name of what all training images give more than the largest part of them."""
        return gain_name(f"{model}{self.analysis}", self.shares[-2], self.split, self.measure)

    def helps(self, model: str) -> bool:
        """Tell whether the interval of that gain lies above 0."""
        low = self.values.entry(self.gain(model))["low"]
        return low is not None and low > 0

    def rows(self, model: str) -> list[list[str]]:
        """Return of each share its number of images, the measure with its interval, and that of each training."""
        table = read_rows(self.facts.inputs[SUBSETS] / TRAININGS_TABLE)
        found: dict[float, list[str]] = {}
        for row in table:
            if row["model"] == model:
                found.setdefault(float(row["share"]), []).append(decimal(float(row["value"])))
        return [
            [
                self.values.text(count_name(self.analysis, share)),
                unbroken(self.values.cell(self._name(model, share))),
                ", ".join(found.get(share, [])),
            ]
            for share in self.shares
        ]
