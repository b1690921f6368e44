"""Two models on the same pictures: how far each measure differs, and which pictures changed sides."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.evaluation.predictions import Predictions
from analysis.evaluation.results_file import Basis, Interval, Results, bounded, entry
from analysis.evaluation.statistics import intervals, significance
from analysis.evaluation.statistics.metrics import Floats
from analysis.evaluation.statistics.resampled import (
    LEVEL,
    Draws,
    area_influences,
    contributions,
    from_draws,
    mean_of,
    resampled,
    varying,
)
from analysis.evaluation.statistics.resampling import bayesian, clusters

RESAMPLES = 10_000
"""For the declared comparisons."""
MOVES = {
    "fixed": "a_wrong_b_right",
    "broken": "a_right_b_wrong",
    "both_right": "both_right",
    "both_wrong": "both_wrong",
}
NONE = Interval(np.nan, np.nan, np.nan, np.nan, "")
ROUNDING = 1e-9
OF_SCORES = ("auroc", "brier", "log_loss")
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
    def constant(self) -> bool:
        """Whether each training calls all pictures one class: then its measures tell of the pictures alone."""
        return all(len(set(p.y_pred)) == 1 for p in self.trainings)

    @property
    def values(self) -> dict[str, float]:
        """Each measure, the mean over the trainings."""
        return {key: float(np.mean(values)) for key, values in self.each.items()}


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

    def apart(self, measure: str) -> int:
        """Return how many patients have pictures on which the models differ in what ``measure`` counts."""
        sides = [
            np.mean([contributions(p, measure) for p in side.trainings], axis=0) for side in (self.a, self.b)
        ]
        patient = np.unique(self._predictions.patient_id, return_inverse=True)[1]
        gain = np.zeros((patient.max() + 1, sides[0].shape[1]))
        np.add.at(gain, patient, sides[1] - sides[0])
        return int((np.abs(gain) > ROUNDING).any(axis=1).sum())

    def differences(self) -> Results:
        """Return the difference b - a of every measure with its interval."""
        return {name: item for measure in self.a.values for name, item in self.difference(measure).items()}

    def difference(self, measure: str) -> Results:
        """Return the difference b - a of one measure with its 95 % interval."""
        a, b = self.a.values[measure], self.b.values[measure]
        undefined = " and ".join(side for side, value in (("a", a), ("b", b)) if np.isnan(value))
        item = entry(b - a, "difference b - a", self.basis, reason_null=f"undefined for {undefined}")
        by_influence = self.seeds == 1 and measure.startswith("auroc.") and measure != "auroc.micro"
        interval = self._by_influence(measure) if by_influence else self.interval(measure, LEVEL)
        return {measure: bounded(item, interval)}

    def interval(self, measure: str, level: float) -> Interval:
        """Return the interval of a difference by the resamples: over patients, and over seeds if there are any.

        There is none, with the reason, if so few patients tell the models apart that no test of theirs could reach
        1 - ``level``, or if nothing varies.
        """
        spread, of_patients = self.spread(measure, level), from_draws(self.drawn(measure), level)
        if few := self._few(measure, level):
            return replace(NONE, level=level, reason_null=few)
        if spread is None or of_patients.reason_null:
            return varying(of_patients)
        total = spread.variance_patients + spread.variance_a + spread.variance_b
        over = Interval(spread.low, spread.high, level, float(np.sqrt(total)), "t, over patients and seeds")
        return varying(over)

    def spread(self, measure: str, level: float) -> significance.SeedSpread | None:
        """Return the variance over patients and over seeds; None if each model was trained once."""
        if self.seeds < 2:
            return None
        variance = from_draws(self.drawn(measure)).se ** 2
        return significance.of_recipes(self.a.each[measure], self.b.each[measure], variance, level)

    def _by_influence(self, measure: str) -> Interval:
        if few := self._few(measure, LEVEL):
            return replace(NONE, level=LEVEL, reason_null=few)
        sides = (self.a.trainings[0], self.b.trainings[0])
        phi = [area_influences(p)[measure] for p in sides]
        value = self.b.values[measure] - self.a.values[measure]
        return intervals.auroc_difference(value, phi[1] - phi[0], self._predictions.patient_id, LEVEL)

    def _few(self, measure: str, level: float) -> str:
        """Return why so few patients cannot decide at ``level``; "" if there are enough."""
        apart, needed = self.apart(measure), significance.fewest_patients(1 - level)
        if not apart:
            return f"the models do not differ on any picture: {intervals.SAME}"
        if measure.partition(".")[0] not in OF_SCORES and self.a.constant and self.b.constant:
            return f"each model calls all pictures one class: {intervals.SAME}"
        patients = f"{apart} patient{'s' * (apart > 1)}"
        few = f"the models differ on pictures of {patients}, and fewer than {needed} cannot decide at {1 - level:.3g}"
        return few if apart < needed else ""

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
        found = significance.sign_flip(a.y_pred == a.y_true, b.y_pred == b.y_true, a.patient_id)
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
