"""Facts of the appendix on further draws of training, validation and test images."""

from __future__ import annotations

from analysis.vocabulary.audit import AUDIT, DRAWS, OVER_DRAWS
from analysis.vocabulary.measures import pair_name
from report.writing.study_facts import Section
from report.writing.values import unbroken


class Draws(Section):
    """What the report says of measures over draws."""

    measures = OVER_DRAWS

    @property
    def is_known(self) -> bool:
        """Whether the images are drawn several times."""
        return bool(self.study["split"]["seeds"])

    @property
    def seeds(self) -> list[str]:
        """The seeds of all draws, the study's own first."""
        split = self.study["split"]
        return [str(seed) for seed in (split["seed"], *split["seeds"])]

    def name(self, end: str, owner: str, measure: str) -> str:
        """Return the name of a result over draws; ``end`` is mean, lowest or highest."""
        return f"{AUDIT}.{DRAWS}.{end}.{owner}.{measure}"

    def pairs(self) -> list[tuple[str, str]]:
        """Return the models that are compared, each with the baseline."""
        return [(model, self.study["comparison"]["baseline"]) for model in self.facts.compared]

    def cells(self, owner: str) -> list[str]:
        """Return the mean over draws of each measure with its interval; ``owner`` is a model."""
        return [unbroken(self.values.cell(self.name("mean", owner, m))) for m in self.measures]

    def difference(self, b: str, a: str) -> list[str]:
        """Return the mean difference over draws of each measure with its interval."""
        return self.cells(pair_name(b, a))
