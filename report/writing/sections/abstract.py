"""Facts of the abstract: which measures it gives of each model."""

from __future__ import annotations

from analysis.vocabulary.measures import HEADLINES
from report.writing.sections.models import SETTINGS
from report.writing.study_facts import Section

CHANGED = {"layers": ("architecture", "params"), "training": SETTINGS}
FEW_PAIRS = 2
"""Of more declared comparisons than these the abstract has the verdicts alone."""


class Abstract(Section):
    """What the report says first."""

    few_pairs = FEW_PAIRS

    def is_borrowed(self, model: str) -> bool:
        """Tell whether a network is taken from elsewhere, and the one that it is compared with is not."""
        first = self.facts.declared["baseline"]
        return bool(self.facts.model(model)["source"] and not self.facts.model(first)["source"])

    def changed(self, model: str) -> list[str]:
        """Return which of its ``layers`` and its ``training`` a network has otherwise than that which it is compared with."""
        first, second = self.facts.model(self.facts.declared["baseline"]), self.facts.model(model)
        return [what for what, keys in CHANGED.items() if any(first[key] != second[key] for key in keys)]

    def measures(self) -> list[str]:
        """Return the measures that are given, the primary one among them."""
        return list(dict.fromkeys([*HEADLINES, self.facts.declared["primary"]]))

    def is_grouped(self, measure: str) -> bool:
        """Tell whether the result by patient stands beside a measure: the primary one has both, where there are two."""
        return self.facts.is_grouped and measure == self.facts.declared["primary"]
