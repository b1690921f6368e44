"""The ablation: what its effects and cases are called, and what its results are named.

A network is trained again without each of its components, and the baseline with each that it can bear. An effect is what
the component adds to the primary measure, there and here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from analysis.vocabulary.results import ABLATION, P_HOLM
from analysis.vocabulary.verdicts import BETTER, EQUIVALENT, WORSE, Verdict

Effect = Literal["leave", "add"]
LEAVE: Effect = "leave"
ADD: Effect = "add"
SYNERGY = "synergy"
"""By how much the effect of leaving out exceeds that of adding."""
EQUIVALENCE = "equivalence"
REMAINING = "remaining"
"""Of a component that is left out: by how much the network without it still exceeds the baseline."""
RANGE = LOWEST, HIGHEST = "lowest", "highest"
"""Of a component that is left out: what single trainings of the network without it reach in the primary measure."""
EFFECTS_TABLE = "effects.csv"

Case = Literal["contributes", "harms", "negligible", "undetermined"]
UNDETERMINED: Case = "undetermined"
CASES: dict[Verdict, Case] = {BETTER: "contributes", WORSE: "harms", EQUIVALENT: "negligible"}
"""What is said of a component, by the verdict on the network with it against that without; of all others `UNDETERMINED`."""
Joint = Literal["synergy", "redundancy", "neither"]
"""What is said of a component that is worth more where the others are there, less there, or for which neither is shown."""


def join_effect(component: str, effect: str, number: str = "") -> str:
    """Return the name of a result: ``ablation.augmentation.leave``, ``ablation.augmentation.leave.p_holm``."""
    return ".".join(filter(None, (ABLATION, component, effect, number)))


def names(components: Mapping[str, bool]) -> Iterator[str]:
    """Yield the names of all results; ``components`` tells of each whether the baseline can bear it."""
    for component, is_added in components.items():
        for effect in (LEAVE, *([ADD] if is_added else [])):
            yield from (join_effect(component, effect, number) for number in ("", P_HOLM, EQUIVALENCE))
        yield from (join_effect(component, LEAVE, number) for number in (REMAINING, *RANGE))
        if is_added:
            yield join_effect(component, SYNERGY)


def name_joint(low: float | None, high: float | None) -> Joint:
    """Return what is said of the interval of the effect of leaving out less that of adding; None where there is none."""
    if low is not None and low > 0:
        return "synergy"
    return "redundancy" if high is not None and high < 0 else "neither"
