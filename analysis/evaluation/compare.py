"""The ``compare`` stage: how the models differ on the same pictures, and what may be said of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.errors import DataError
from analysis.evaluation import intervals, paired
from analysis.evaluation.entries import Basis, Interval, Results, bounded, entry, owned, pair_name, write_json
from analysis.evaluation.evaluate import resamples
from analysis.evaluation.metrics import Floats
from analysis.evaluation.predictions import Predictions, read_predictions
from analysis.evaluation.resampling import bayesian, clusters
from analysis.evaluation.uncertainty import (
    LEVEL,
    Draws,
    area_influences,
    from_draws,
    mean_of,
    resampled,
)
from analysis.evaluation.verdict import decide
from analysis.progress import Progress

RESAMPLES, FEWER = 10_000, 2_000
"""For the declared comparisons, and on the other split."""
EQUIVALENCE_LEVEL = 0.90
MOVES = {
    "fixed": "a_wrong_b_right",
    "broken": "a_right_b_wrong",
    "both_right": "both_right",
    "both_wrong": "both_wrong",
}
DISCORDANCES = (0.05, 0.1, 0.2, 0.3)
Moves = dict[str, NDArray[np.int64]]


@dataclass(frozen=True)
class Model:
    """A model on one split: the predictions of each of its trainings, its measures, and these in each resample."""

    name: str
    trainings: list[Predictions]
    each: dict[str, list[float]]
    draws: Draws

    @classmethod
    def of(cls, name: str, trainings: list[Predictions], weights: NDArray[Any]) -> Model:
        """Return the model with what each of its trainings reaches, and the mean of them in each resample."""
        once = np.ones((1, len(trainings[0].y_true)))
        single = [resampled(p, once) for p in trainings]
        each = {key: [float(of[key][0]) for of in single] for key in single[0]}
        return cls(name, trainings, each, mean_of([resampled(p, weights) for p in trainings]))

    @property
    def values(self) -> dict[str, float]:
        """Each measure, the mean over the trainings."""
        return {key: float(np.mean(values)) for key, values in self.each.items()}


def compare(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    analysis: str,
    classes: Sequence[str],
    splits: Sequence[str],
    networks: Mapping[str, Sequence[str]],
    floor: str,
    baseline: str | None,
    against: Sequence[str],
    primary: str,
    split: str,
    margin: float,
    alpha: float,
    declared_late: bool,
    corrections: Sequence[Sequence[str]],
) -> None:
    """Write the differences b - a of every measure, which pictures changed sides, and the verdicts.

    Parameters
    ----------
    inputs : mapping of str to Path
        The predictions of each training, by its name.
    analysis : str
        What names of models end with, such as ``@patient``.
    networks : mapping of str to sequence of str
        The trainings of each model.
    floor : str
        The low-detail baseline, with which every model is compared too.
    baseline, against
        The declared comparisons: ``against`` with ``baseline`` by ``primary`` on ``split``.
    margin : float
        Largest difference that does not matter.
    alpha : float
        Chance of a false "better" or "worse" in the family of declared comparisons.
    declared_late : bool
        Whether test predictions had been read when this was declared.
    corrections : sequence of (str, str)
        Models with a mistake and without it: how they differ is told as well, and decided by no rule.
    """
    trainings = {**networks, floor: [f"{floor}{analysis}"]}
    given = {
        name: read_predictions(inputs[name] / "predictions.csv", classes, splits)
        for names in trainings.values()
        for name in names
    }
    results: Results = {}
    verdicts: list[dict[str, Any]] = []
    differences: dict[str, list[dict[str, object]]] = {b: [] for b in against}
    moved: dict[str, list[dict[str, object]]] = {b: [] for b in against}
    for done, of in enumerate(splits):
        progress(done, len(splits), "splits")
        models = _models(trainings, given, of, RESAMPLES if of == split else FEWER)
        for name in networks:
            pair = Pair(models[floor], models[name], f"compare{analysis}/results.json")
            results |= owned(pair.difference(primary), f"{pair_name(name, floor)}{analysis}", of)
        for a, b in corrections:
            pair = Pair(models[a], models[b], f"compare{analysis}/results.json")
            results |= owned(pair.differences(), f"{pair_name(b, a)}{analysis}", of)
        pairs = {
            b: Pair(models[baseline], models[b], f"compare{analysis}/differences.{b}.csv")
            for b in against
            if baseline is not None
        }
        judged = judge(list(pairs.values()), primary, margin, alpha) if of == split else []
        said_of = dict(zip(pairs, judged, strict=False))
        for b, pair in pairs.items():
            found = pair.differences() | pair.moves(f"compare{analysis}/moved.{b}.csv") | pair.test()
            if b in said_of and "primary" in said_of[b].results:  # at the level at which it was decided
                found[primary] = said_of[b].results["primary"]
            results |= owned(found, f"{pair_name(b, str(baseline))}{analysis}", of)
            differences[b] += pair.rows(found, of)
            moved[b] += _moved_rows(count_moves(pair.a.trainings[0], pair.b.trainings[0]), of, classes)
        for b, said in said_of.items():
            name = f"{pair_name(b, str(baseline))}{analysis}"
            results |= owned(said.results, name, of)
            facts: dict[str, Any] = {
                "pair": name,
                "a": baseline,
                "b": b,
                "analysis": analysis,
                "measure": primary,
                "split": split,
                "verdict": said.verdict,
                "margin": margin,
                "alpha": alpha,
                "seeds": pairs[b].seeds,
                "declared_late": declared_late,
            }
            verdicts.append(facts)
        if of == split and baseline is not None:
            planned = planning(models[baseline].trainings[0], f"split{analysis}/split.csv")
            results |= owned(planned, f"planning{analysis}", of)
    write_json(out / "results.json", results)
    write_json(out / "verdicts.json", verdicts)
    for b in against:
        for name, rows in (("differences", differences[b]), ("moved", moved[b])):
            pd.DataFrame(rows).to_csv(out / f"{name}.{b}.csv", index=False, lineterminator="\n")


def _models(
    trainings: Mapping[str, Sequence[str]],
    given: Mapping[str, Mapping[str, Predictions]],
    split: str,
    number: int,
) -> dict[str, Model]:
    """Return every model on one split, all with the same resamples."""
    first_name = next(iter(given))
    first = given[first_name][split]
    for name, predictions in given.items():
        _require_same_pictures(first, predictions[split], f"{first_name} and {name}, split {split}")
    weights = resamples(first, number)
    return {
        model: Model.of(model, [given[name][split] for name in names], weights)
        for model, names in trainings.items()
    }


@dataclass(frozen=True)
class Pair:
    """Model b beside model a on the same pictures."""

    a: Model
    b: Model
    artifact: str

    @property
    def _predictions(self) -> Predictions:
        return self.a.trainings[0]

    @property
    def basis(self) -> Basis:
        """What the differences rest on."""
        return Basis(self.artifact, len(self._predictions.y_true), len(set(self._predictions.patient_id)))

    @property
    def seeds(self) -> int:
        """How many trainings of each there are; the fewer, if one of them is a floor."""
        return min(len(self.a.trainings), len(self.b.trainings))

    def differences(self) -> Results:
        """Return the difference b - a of every measure with its interval."""
        return {name: item for measure in self.a.values for name, item in self.difference(measure).items()}

    def difference(self, measure: str) -> Results:
        """Return the difference b - a of one measure with its 95 % interval."""
        a, b = self.a.values[measure], self.b.values[measure]
        undefined = " and ".join(side for side, value in (("a", a), ("b", b)) if np.isnan(value))
        item = entry(b - a, "difference b - a", self.basis, reason_null=f"undefined for {undefined}")
        return {measure: bounded(item, self._interval(measure))}

    def _interval(self, measure: str) -> Interval:
        if self.seeds > 1:
            return _declared(self, measure, LEVEL)
        if measure.startswith("auroc.") and measure != "auroc.micro":
            influences = [
                np.mean([area_influences(p)[measure] for p in side.trainings], axis=0)
                for side in (self.a, self.b)
            ]
            value = self.b.values[measure] - self.a.values[measure]
            phi = influences[1] - influences[0]
            return intervals.auroc_difference(value, phi, self._predictions.patient_id, LEVEL)
        return from_draws(self.drawn(measure))

    def drawn(self, measure: str) -> Floats:
        """Return the difference b - a in each resample."""
        return np.asarray(self.b.draws[measure] - self.a.draws[measure])

    def rows(self, found: Results, split: str) -> list[dict[str, object]]:
        """Return the table of differences."""
        return [
            {
                "split": split,
                "measure": name.partition(".")[0],
                "class": name.partition(".")[2],
                "a": _known(self.a.values[name]),
                "b": _known(self.b.values[name]),
                "difference": found[name]["value"],
                "low": found[name]["low"],
                "high": found[name]["high"],
                "level": found[name]["level"],
            }
            for name in self.a.values
        ]

    def moves(self, artifact: str) -> Results:
        """Return how many pictures changed sides, of the first training of each."""
        predictions = self._predictions
        basis = Basis(artifact, self.basis.n, self.basis.clusters)
        results: Results = {}
        for move, counts in count_moves(predictions, self.b.trainings[0]).items():
            method = f"count; {MOVES[move].replace('_', ' ')}"
            results[move] = entry(counts.sum(), method, basis)
            for k, name in enumerate(predictions.classes):
                results[f"{move}.{name}"] = entry(counts[k], method, Basis(basis.artifact))
        return results

    def test(self) -> Results:
        """Return the sign-flip test of equal accuracy, of the first training of each."""
        a, b = self._predictions, self.b.trainings[0]
        found = paired.sign_flip(a.y_pred == a.y_true, b.y_pred == b.y_true, a.patient_id)
        return {
            "sign_flip_p": entry(found.p, "patient sign-flip test of accuracy, exact", self.basis),
            "sign_flip_deff": entry(
                found.deff,
                "design effect: sum of squared differences by patient over discordant pictures",
                self.basis,
                reason_null="no picture that only one of the models gets right",
            ),
        }

    def false_better(self, measure: str) -> float:
        """Return the share of Bayesian bootstrap draws in which the difference is not in favour of b."""
        predictions = self._predictions
        weights = bayesian(clusters(predictions.patient_id, predictions.y_true), RESAMPLES)
        areas = measure.startswith("auroc")
        sides = [
            mean_of([resampled(p, weights, areas=areas) for p in side.trainings]) for side in (self.a, self.b)
        ]
        return float(np.mean(sides[1][measure] - sides[0][measure] <= 0))


@dataclass(frozen=True)
class Judged:
    """What the declared rule says of a pair, with the numbers that it rests on."""

    verdict: str | None
    results: Results


def judge(pairs: Sequence[Pair], primary: str, margin: float, alpha: float) -> list[Judged]:
    """Return the verdict of each declared comparison; they are one family, corrected by Holm."""
    steps = paired.holm([_p(pair, primary) for pair in pairs], alpha)
    return [
        _judged(pair, primary, step, len(pairs), margin, alpha)
        for pair, step in zip(pairs, steps, strict=True)
    ]


def _p(pair: Pair, primary: str) -> float:
    spread = _spread(pair, primary, LEVEL)
    return spread.p if spread else paired.p_value(pair.drawn(primary))


def _spread(pair: Pair, primary: str, level: float) -> paired.SeedSpread | None:
    """Return the variance over patients and over seeds; None if each model was trained once."""
    if pair.seeds < 2:
        return None
    variance = from_draws(pair.drawn(primary)).se ** 2
    return paired.of_recipes(pair.a.each[primary], pair.b.each[primary], variance, level)


def _judged(
    pair: Pair, primary: str, step: paired.HolmStep, family: int, margin: float, alpha: float
) -> Judged:
    difference = pair.difference(primary)[primary]
    if difference["value"] is None or np.isnan(step.p):
        return Judged(None, {})
    interval, narrow = (_declared(pair, primary, level) for level in (step.level, EQUIVALENCE_LEVEL))
    mdd = paired.detectable_difference(interval.se, family, alpha)
    value = float(difference["value"])
    said = decide(value, step.adjusted, (narrow.low, narrow.high), mdd, margin, alpha)
    basis = pair.basis

    def fact(number: float, method: str) -> Any:
        return entry(number, method, basis)

    results: Results = {
        "primary": bounded(entry(value, f"difference b - a of {primary}", basis), interval),
        "equivalence": bounded(entry(value, f"difference b - a of {primary}", basis), narrow),
        "p": fact(step.p, "two-sided, from the resampled differences"),
        "p_holm": fact(step.adjusted, f"adjusted by Holm, {family} declared"),
        "detectable_difference": fact(mdd, "found with 80 % power, from the standard error"),
        "false_better": fact(
            pair.false_better(primary), "share of Bayesian bootstrap draws that are not above 0"
        ),
    }
    spread = _spread(pair, primary, step.level)
    if spread:
        terms = {"patients": spread.variance_patients, "a": spread.variance_a, "b": spread.variance_b}
        results |= {
            f"variance.{name}": fact(term, "part of the variance of the difference")
            for name, term in terms.items()
        }
    return Judged(said, results)


def _declared(pair: Pair, primary: str, level: float) -> Interval:
    """Return the interval by which a declared comparison is decided: over patients, and over seeds if there are any."""
    spread, of_patients = _spread(pair, primary, level), from_draws(pair.drawn(primary), level)
    if spread is None or of_patients.reason_null:
        return of_patients
    total = spread.variance_patients + spread.variance_a + spread.variance_b
    return Interval(spread.low, spread.high, level, float(np.sqrt(total)), "t, over patients and seeds")


def planning(predictions: Predictions, artifact: str) -> Results:
    """Return the gain in accuracy that could be found at all, by how often two models disagree."""
    n = len(predictions.y_true)
    return {
        f"detectable_gain.discordance_{100 * discordance:.0f}": entry(
            paired.detectable_gain(n, discordance),
            "found by McNemar's test with 80 % power at 5 %",
            Basis(artifact, n),
            reason_null="not even if one model is right wherever they disagree",
        )
        for discordance in DISCORDANCES
    }


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value


def count_moves(a: Predictions, b: Predictions) -> Moves:
    """Return per true class, shape (K,), how many pictures each of ``MOVES`` holds for."""
    right_a, right_b = a.y_pred == a.y_true, b.y_pred == b.y_true
    rows = {
        "fixed": ~right_a & right_b,
        "broken": right_a & ~right_b,
        "both_right": right_a & right_b,
        "both_wrong": ~right_a & ~right_b,
    }
    k = len(a.classes)
    return {name: np.bincount(a.y_true[which], minlength=k).astype(np.int64) for name, which in rows.items()}


def _moved_rows(moves: Moves, split: str, classes: Sequence[str]) -> list[dict[str, object]]:
    columns = ("broken", "fixed", "both_right", "both_wrong")
    return [
        {"split": split, "y_true": name, **{MOVES[move]: int(moves[move][k]) for move in columns}}
        for k, name in enumerate(classes)
    ]


def _require_same_pictures(a: Predictions, b: Predictions, where: str) -> None:
    if np.array_equal(a.image_id, b.image_id) and np.array_equal(a.y_true, b.y_true):
        return
    raise DataError(
        f"{where}: the models were not given the same pictures in the same order",
        hint="both must come from one study: build it again",
    )
