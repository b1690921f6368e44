"""The declared rule by which a comparison is decided.

References
----------
Schuirmann (1987), A comparison of the two one-sided tests procedure and the power approach for assessing the equivalence
of average bioavailability, doi:10.1007/BF01068419.
"""

from __future__ import annotations

from dataclasses import dataclass

from analysis.vocabulary.verdicts import (
    BETTER,
    EQUIVALENT,
    NOT_DISTINGUISHABLE,
    UNDERPOWERED,
    WORSE,
    Verdict,
)


@dataclass(frozen=True)
class Rule:
    """What was declared before the test set was read.

    Parameters
    ----------
    primary : str
        The measure that decides, such as ``f1.macro``.
    margin : float
        Largest difference in it that does not matter.
    alpha : float
        Chance of a false "better" or "worse" in the whole family of declared comparisons.
    """

    primary: str
    margin: float
    alpha: float


@dataclass(frozen=True)
class Evidence:
    """What the rule looks at: a difference B - A in the primary measure, and what is known of it.

    Parameters
    ----------
    difference : float
    p_holm : float
        Its p adjusted by Holm.
    equivalence : tuple of float
        Its 90 % interval: two one-sided tests at 5 % (Schuirmann 1987).
    detectable : float
        The smallest difference that would be found with 80 % power.
    """

    difference: float
    p_holm: float
    equivalence: tuple[float, float]
    detectable: float


def decide(evidence: Evidence, rule: Rule) -> Verdict:
    """Return what may be said of a difference; the first rule that holds decides.

    "better" or "worse", by the sign, if the adjusted p is at most alpha; "equivalent" if the 90 % interval lies inside
    (-margin, margin); "underpowered" if only a difference larger than the margin would be found.
    """
    if evidence.p_holm <= rule.alpha and evidence.difference != 0:
        return BETTER if evidence.difference > 0 else WORSE
    if -rule.margin < evidence.equivalence[0] and evidence.equivalence[1] < rule.margin:
        return EQUIVALENT
    return UNDERPOWERED if evidence.detectable > rule.margin else NOT_DISTINGUISHABLE
