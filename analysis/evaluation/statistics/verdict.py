"""The declared rule by which a comparison is decided, and what it says of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from analysis.evaluation.results_file import Entry, Interval, Results, bounded, entry
from analysis.evaluation.statistics import significance
from analysis.evaluation.statistics.pairs import Pair
from analysis.evaluation.statistics.resampled import LEVEL

EQUIVALENCE_LEVEL = 0.90
Verdict = Literal["better", "worse", "equivalent", "underpowered", "not_distinguishable", "cannot_be_decided"]


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


@dataclass(frozen=True)
class Judged:
    """What the declared rule says of a pair, with the numbers that it rests on."""

    verdict: str | None
    results: Results


def judge(pairs: Sequence[Pair], primary: str, margin: float, alpha: float) -> list[Judged]:
    """Return the verdict of each declared comparison; they are one family, corrected by Holm."""
    steps = significance.holm([_p(pair, primary) for pair in pairs], alpha)
    return [
        _judged(pair, primary, step, len(pairs), margin, alpha)
        for pair, step in zip(pairs, steps, strict=True)
    ]


def _p(pair: Pair, primary: str) -> float:
    """Return the p of a comparison: none below what flipping the signs of the patients that tell it apart could give."""
    spread = pair.spread(primary, LEVEL)
    p = spread.p if spread else significance.p_value(pair.drawn(primary))
    return float(np.maximum(p, significance.smallest_p(pair.apart(primary))))


def _judged(
    pair: Pair, primary: str, step: significance.HolmStep, family: int, margin: float, alpha: float
) -> Judged:
    difference = pair.difference(primary)[primary]
    interval, narrow = (pair.interval(primary, level) for level in (step.level, EQUIVALENCE_LEVEL))
    if difference["value"] is None or np.isnan(step.p):
        return Judged(None, {})
    item = entry(difference["value"], f"difference b - a of {primary}", pair.basis)
    if interval.reason_null:
        return Judged("cannot_be_decided", _undecided(item, interval))
    mdd = significance.detectable_difference(interval.se, family, alpha)
    value = float(difference["value"])
    said = decide(value, step.adjusted, (narrow.low, narrow.high), mdd, margin, alpha)
    facts = {
        "p": (step.p, "two-sided, from the resampled differences"),
        "p_holm": (step.adjusted, f"adjusted by Holm, {family} declared"),
        "detectable_difference": (mdd, "found with 80 % power, from the standard error"),
        "false_better": (
            pair.false_better(primary),
            "share of Bayesian bootstrap draws that are not above 0",
        ),
    }
    if spread := pair.spread(primary, step.level):
        terms = {"patients": spread.variance_patients, "a": spread.variance_a, "b": spread.variance_b}
        facts |= {
            f"variance.{n}": (term, "part of the variance of the difference") for n, term in terms.items()
        }
    results: Results = {name: entry(number, method, pair.basis) for name, (number, method) in facts.items()}
    return Judged(said, results | {"primary": bounded(item, interval), "equivalence": bounded(item, narrow)})


def _undecided(item: Entry, interval: Interval) -> Results:
    """Return the numbers of a comparison that cannot be decided: its difference, and instead of all others the reason."""
    bare = bounded(item, interval)
    nothing: Entry = {**bare, "value": None, "method": "cannot be decided"}
    none = ("p", "p_holm", "detectable_difference", "false_better")
    return {"primary": bare, "equivalence": bare, **dict.fromkeys(none, nothing)}
