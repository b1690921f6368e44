"""Facts of the section on probabilities: how well they are calibrated, and what they find at chosen thresholds."""

from __future__ import annotations

from typing import Literal

from analysis.evaluation.settings import SPECIFICITIES
from analysis.vocabulary.measures import ABNORMAL, SCALED, in_percent
from report.writing.study_facts import Section

Place = Literal["above", "within", "below"]
AT = in_percent("at", SPECIFICITIES[0])
"""What ends the names of results at the threshold that the report gives."""


class Probabilities(Section):
    """What the report says of the probabilities that networks give."""

    @property
    def score(self) -> str:
        """The score that tells disease: that of the reported class, or of any class but the normal one."""
        return self.facts.reported_class or ABNORMAL

    @property
    def rebalanced(self) -> dict[str, bool]:
        """Whether any model learns from other shares of classes than there are, ``drawn`` so or ``weighted``."""
        models = self.study["models"]
        return {
            "drawn": any(m["class_balance"] != "none" for m in models),
            "weighted": any(m["class_weights"] != "none" for m in models),
        }

    def place(self, model: str, analysis: str = "") -> Place | None:
        """Return where a model's calibration error lies beside the range of calibrated probabilities.

        None where there is no range, as of a mean over seeds.
        """
        test = f"{model}{analysis}.test"
        error, expected = self.values.value(f"{test}.ece"), self.values.entry(f"{test}.ece_expected")
        if expected["low"] is None:
            return None
        return "above" if error > expected["high"] else "below" if error < expected["low"] else "within"

    def places(self, analysis: str) -> dict[str, int]:
        """Return how many networks lie in each place, ``above`` first; nothing where one has no range."""
        found = [self.place(model, analysis) for model in self.facts.trained]
        order: tuple[Place, ...] = ("above", "within", "below")
        counts = {place: found.count(place) for place in order}
        return {} if None in found else {p: n for p, n in counts.items() if n or p == "above"}

    def raised_by_scaling(self, model: str) -> list[dict[str, str]]:
        """Return each ``analysis`` in which scaling raises a model's Brier score, with its names ``before`` and ``after``."""
        return [
            {"analysis": analysis, "before": before, "after": f"{before}{SCALED}"}
            for analysis in self.facts.analyses
            if self._is_raised(before := f"{model}{analysis}.test.brier")
        ]

    def not_helped(self, analysis: str) -> list[str]:
        """Return the models whose Brier score scaling raises in one analysis."""
        return [m for m in self.facts.trained if self._is_raised(f"{m}{analysis}.test.brier")]

    def _is_raised(self, name: str) -> bool:
        before, after = (self.values.results.get(n, {}).get("value") for n in (name, f"{name}{SCALED}"))
        return before is not None and after is not None and after > before

    def better_than_chance(self) -> list[str]:
        """Return the models that find more at their threshold than an answer by chance of the same specificity would."""
        names = {m: f"{m}.test.{{}}_{AT}.{self.score}" for m in self.facts.trained}
        return [
            model
            for model, name in names.items()
            if (low := self.values.entry(name.format("sensitivity"))["low"]) is not None
            and low > 1 - self.values.value(name.format("specificity"))
        ]
