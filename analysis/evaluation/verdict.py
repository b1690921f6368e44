"""The declared rule by which a comparison is decided."""

from __future__ import annotations

from typing import Literal

Verdict = Literal["better", "worse", "equivalent", "underpowered", "not_distinguishable"]


def decide(
    difference: float,
    p_holm: float,
    equivalence: tuple[float, float],
    mdd: float,
    margin: float,
    alpha: float,
) -> Verdict:
    """Return what may be said of a difference B - A; the first rule that holds decides.

    Parameters
    ----------
    difference : float
        B - A in the primary measure.
    p_holm : float
        Its p adjusted by Holm; at most ``alpha``: "better" or "worse", by the sign.
    equivalence : tuple of float
        Its 90 % interval, two one-sided tests at 5 % (Schuirmann 1987, doi:10.1007/BF01068419). Inside
        (-margin, margin): "equivalent".
    mdd : float
        Smallest detectable difference; larger than ``margin``: "underpowered".
    margin : float
        Largest difference that does not matter, declared before the test set was read.
    alpha : float
        Chance of a false "better" or "worse" in the whole family.
    """
    if p_holm <= alpha and difference != 0:
        return "better" if difference > 0 else "worse"
    if -margin < equivalence[0] and equivalence[1] < margin:
        return "equivalent"
    return "underpowered" if mdd > margin else "not_distinguishable"
