"""Results and rows of two models on the same images: differences, images that changed sides, and the verdict."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.evaluation import settings
from analysis.evaluation.predictions import Predictions
from analysis.evaluation.results_file import Basis, Entry, Interval, Results, bounded, entry
from analysis.evaluation.statistics.pairs import Pair, count_moves
from analysis.evaluation.statistics.power import detectable_difference, detectable_gain
from analysis.evaluation.statistics.significance import HolmStep, holm, sign_flip
from analysis.evaluation.statistics.verdict import Evidence, Rule, decide
from analysis.vocabulary.measures import in_percent
from analysis.vocabulary.results import DETECTABLE_GAIN, MOVES, WITHOUT_DECISION
from analysis.vocabulary.verdicts import CANNOT_BE_DECIDED, Verdict

POWER = f"{100 * settings.POWER:.0f} % power"


@dataclass(frozen=True)
class Judged:
    """What the declared rule says of a pair, with the numbers that it rests on."""

    verdict: Verdict | None
    results: Results


def pair_basis(pair: Pair, artifact: str) -> Basis:
    """Return what the differences of two models rest on."""
    return Basis(artifact, len(pair.images.y_true), len(set(pair.images.patient_id)))


def difference_results(pair: Pair, artifact: str, measures: Iterable[str] | None = None) -> Results:
    """Return the differences b - a of some measures, or of all, each with its 95 % interval."""
    basis = pair_basis(pair, artifact)
    return {
        measure: bounded(_difference(pair, measure, basis), pair.interval(measure))
        for measure in measures or pair.a.values
    }


def _difference(pair: Pair, measure: str, basis: Basis) -> Entry:
    a, b = pair.a.values[measure], pair.b.values[measure]
    undefined = " and ".join(side for side, value in (("a", a), ("b", b)) if np.isnan(value))
    return entry(b - a, "difference b - a", basis, reason_null=f"undefined for {undefined}")


def difference_rows(pair: Pair, results: Results, split: str) -> list[dict[str, object]]:
    """Return the rows of ``differences.<b>.csv``, a measure each."""
    return [
        {
            "split": split,
            "measure": name.partition(".")[0],
            "class": name.partition(".")[2],
            "a": _known(pair.a.values[name]),
            "b": _known(pair.b.values[name]),
            "difference": results[name]["value"],
            "low": results[name]["low"],
            "high": results[name]["high"],
            "level": results[name]["level"],
        }
        for name in pair.a.values
    ]


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value


def move_results(pair: Pair, artifact: str) -> Results:
    """Return how many images changed sides between the first trainings of both, of all and of each class."""
    basis = pair_basis(pair, artifact)
    results: Results = {}
    for move, counts in count_moves(pair.images, pair.b.trainings[0]).items():
        method = f"count; {MOVES[move].replace('_', ' ')}"
        results[move] = entry(counts.sum(), method, basis)
        for k, name in enumerate(pair.images.classes):
            results[f"{move}.{name}"] = entry(counts[k], method, Basis(artifact))
    return results


def move_rows(pair: Pair, split: str) -> list[dict[str, object]]:
    """Return the rows of ``moved.<b>.csv``, a true class each."""
    moves = count_moves(pair.images, pair.b.trainings[0])
    return [
        {"split": split, "y_true": name, **{column: int(moves[move][k]) for move, column in MOVES.items()}}
        for k, name in enumerate(pair.images.classes)
    ]


def sign_flip_results(pair: Pair, artifact: str) -> Results:
    """Return the sign-flip test of equal accuracy, of the first training of each."""
    basis, a, b = pair_basis(pair, artifact), pair.images, pair.b.trainings[0]
    found = sign_flip(a.y_pred == a.y_true, b.y_pred == b.y_true, a.patient_id)
    return {
        "sign_flip_p": entry(found.p, "patient sign-flip test of accuracy, exact", basis),
        "sign_flip_deff": entry(
            found.deff,
            "design effect: sum of squared differences by patient over discordant images",
            basis,
            reason_null="no image that only one of the models gets right",
        ),
    }


def judge(pairs: Sequence[tuple[Pair, str]], rule: Rule) -> list[Judged]:
    """Return the verdict on each declared comparison; they are one family, corrected by Holm.

    Parameters
    ----------
    pairs : sequence of (Pair, str)
        The pairs with the files that their results rest on.
    """
    steps = holm([pair.p_value(rule.primary) for pair, _ in pairs], rule.alpha)
    return [
        _judged(pair, pair_basis(pair, artifact), rule, step, len(pairs))
        for (pair, artifact), step in zip(pairs, steps, strict=True)
    ]


def _judged(pair: Pair, basis: Basis, rule: Rule, step: HolmStep, family: int) -> Judged:
    difference = _difference(pair, rule.primary, basis)["value"]
    if difference is None or np.isnan(step.p):
        return Judged(None, {})
    item = entry(difference, f"difference b - a of {rule.primary}", basis)
    interval = pair.resampled_interval(rule.primary, step.level)
    if interval.reason_null:
        return Judged(CANNOT_BE_DECIDED, _undecided(item, interval))
    narrow = pair.resampled_interval(rule.primary, settings.EQUIVALENCE_LEVEL)
    detectable = detectable_difference(interval.se, family, rule.alpha)
    evidence = Evidence(float(difference), step.adjusted, (narrow.low, narrow.high), detectable)
    facts = {
        "p": (step.p, "two-sided, from the resampled differences"),
        "p_holm": (step.adjusted, f"adjusted by Holm, {family} declared"),
        "detectable_difference": (detectable, f"found with {POWER}, from the standard error"),
        "false_better": (
            pair.share_not_better(rule.primary),
            "share of Bayesian bootstrap draws that are not above 0",
        ),
        **_variance_terms(pair, rule.primary, step.level),
    }
    results: Results = {name: entry(number, method, basis) for name, (number, method) in facts.items()}
    bounds = {"primary": bounded(item, interval), "equivalence": bounded(item, narrow)}
    return Judged(decide(evidence, rule), results | bounds)


def _variance_terms(pair: Pair, primary: str, level: float) -> dict[str, tuple[float, str]]:
    """Return the terms of the variance of a difference over seeds; none if each model was trained once."""
    spread = pair.spread(primary, level)
    if spread is None:
        return {}
    terms = {"patients": spread.variance_patients, "a": spread.variance_a, "b": spread.variance_b}
    return {
        f"variance.{name}": (term, "part of the variance of the difference") for name, term in terms.items()
    }


def _undecided(item: Entry, interval: Interval) -> Results:
    """Return the numbers of a comparison that cannot be decided: its difference, and instead of all others the reason."""
    bare = bounded(item, interval)
    nothing: Entry = {**bare, "value": None, "method": "cannot be decided"}
    return {"primary": bare, "equivalence": bare, **dict.fromkeys(WITHOUT_DECISION, nothing)}


def planning_results(predictions: Predictions, artifact: str) -> Results:
    """Return the gain in accuracy that could be found at all, by how often two models disagree.

    As `detectable_gain` says, images count as independent here: with several of a patient, less is found.

    Parameters
    ----------
    predictions : Predictions
        Of the images on which models are compared; only their number counts.
    artifact : str
        The file that the results name as their origin.
    """
    n = len(predictions.y_true)
    return {
        f"{DETECTABLE_GAIN}.{in_percent('discordance', discordance)}": entry(
            detectable_gain(n, discordance),
            f"found by McNemar's test with {POWER} at {100 * settings.PLANNING_ALPHA:.0f} %",
            Basis(artifact, n),
            reason_null="not even if one model is right wherever they disagree",
        )
        for discordance in settings.DISCORDANCES
    }
