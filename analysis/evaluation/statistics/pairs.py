"""Two models on the same images: by how much each measure differs, and on which images they do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analysis.arrays import Floats, Weights, dense
from analysis.evaluation import settings
from analysis.evaluation.predictions import Predictions
from analysis.evaluation.results_file import Interval
from analysis.evaluation.statistics import intervals, significance
from analysis.evaluation.statistics.resampled import (
    Draws,
    image_losses,
    mean_over_trainings,
    measure_resamples,
    percentile_interval,
    refuse_point,
)
from analysis.evaluation.statistics.resampling import bayesian, clusters
from analysis.vocabulary.measures import MICRO, Kind, parse

NONE = Interval(np.nan, np.nan, np.nan, np.nan, "")
ROUNDING = 1e-9
OVER_SEEDS = "t, over patients and seeds"
Moves = dict[str, NDArray[np.int64]]


@dataclass(frozen=True)
class Model:
    """A model on one split: the predictions of each of its trainings, its measures, and these in each resample."""

    name: str
    trainings: list[Predictions]
    each: dict[str, list[float]]
    draws: Draws

    @classmethod
    def from_trainings(
        cls, name: str, trainings: list[Predictions], weights: Weights, *, areas: bool = True
    ) -> Model:
        """Return the model with what each of its trainings reaches, and the mean of them in each resample.

        ``areas`` and losses take most of the time, and may be left out.
        """
        once = np.ones((1, len(trainings[0].y_true)))
        single = [measure_resamples(p, once, areas=areas) for p in trainings]
        each = {key: [float(found[key][0]) for found in single] for key in single[0]}
        draws = mean_over_trainings([measure_resamples(p, weights, areas=areas) for p in trainings])
        return cls(name, trainings, each, draws)

    @property
    def constant(self) -> bool:
        """Whether each training calls all images one class: then its measures tell of the images alone."""
        return all(len(set(p.y_pred)) == 1 for p in self.trainings)

    @cached_property
    def values(self) -> dict[str, float]:
        """Each measure, the mean over the trainings."""
        return {key: float(np.mean(values)) for key, values in self.each.items()}


@dataclass(frozen=True)
class Pair:
    """Model b beside model a on the same images."""

    a: Model
    b: Model

    @property
    def images(self) -> Predictions:
        """The images, with what the first training of a says of them."""
        return self.a.trainings[0]

    @property
    def seeds(self) -> int:
        """How many trainings of each there are; the fewer, if one of them is a reference classifier."""
        return min(len(self.a.trainings), len(self.b.trainings))

    def differing_patients(self, measure: str) -> int:
        """Return how many patients have images on which the models differ in what ``measure`` counts."""
        sides = [
            np.mean([image_contributions(p, measure) for p in side.trainings], axis=0)
            for side in (self.a, self.b)
        ]
        patient = dense(self.images.patient_id)
        gain = np.zeros((patient.max() + 1, sides[0].shape[1]))
        np.add.at(gain, patient, sides[1] - sides[0])
        return int((np.abs(gain) > ROUNDING).any(axis=1).sum())

    def interval(self, measure: str) -> Interval:
        """Return the 95 % interval of the difference b - a: DeLong's of an AUROC, else by the resamples."""
        declared, average = parse(measure)
        if self.seeds == 1 and declared.kind is Kind.AREA and average != MICRO:
            return self._by_influence(measure)
        return self.resampled_interval(measure, settings.LEVEL)

    def resampled_interval(self, measure: str, level: float) -> Interval:
        """Return the interval of a difference by the resamples: over patients, and over seeds if there are several.

        There is none, with the reason, if so few patients tell the models apart that no test of theirs could reach
        1 - ``level``, or if nothing varies.
        """
        spread, over_patients = self.spread(measure, level), percentile_interval(self.draws(measure), level)
        if reason := self._too_few(measure, level):
            return replace(NONE, level=level, reason_null=reason)
        if spread is None or over_patients.reason_null:
            return refuse_point(over_patients)
        return refuse_point(Interval(spread.low, spread.high, level, spread.se, OVER_SEEDS))

    def spread(self, measure: str, level: float) -> significance.SeedSpread | None:
        """Return the variance over patients and over seeds; None if each model was trained once."""
        if self.seeds < 2:
            return None
        variance = percentile_interval(self.draws(measure)).se ** 2
        return significance.compare_recipes(self.a.each[measure], self.b.each[measure], variance, level)

    def _by_influence(self, measure: str) -> Interval:
        if reason := self._too_few(measure, settings.LEVEL):
            return replace(NONE, level=settings.LEVEL, reason_null=reason)
        phi = [intervals.auroc_influences(side.trainings[0])[measure] for side in (self.a, self.b)]
        value = self.b.values[measure] - self.a.values[measure]
        return intervals.auroc_difference(value, phi[1] - phi[0], self.images.patient_id, settings.LEVEL)

    def _too_few(self, measure: str, level: float) -> str:
        """Return why so few patients cannot decide at ``level``; "" if there are enough."""
        apart, needed = self.differing_patients(measure), significance.fewest_patients(1 - level)
        if not apart:
            return f"the models do not differ on any image: {intervals.SAME}"
        if not parse(measure)[0].of_scores and self.a.constant and self.b.constant:
            return f"each model predicts one class for all images: {intervals.SAME}"
        patients = f"{apart} patient{'s' * (apart > 1)}"
        few = f"the models differ on images of {patients}, and fewer than {needed} cannot decide at {1 - level:.3g}"
        return few if apart < needed else ""

    def draws(self, measure: str) -> Floats:
        """Return the difference b - a in each resample, shape (B,)."""
        return np.asarray(self.b.draws[measure] - self.a.draws[measure])

    def p_value(self, measure: str) -> float:
        """Return the two-sided p of the difference.

        It is none below what flipping the signs of the patients that tell the models apart could give.
        """
        spread = self.spread(measure, settings.LEVEL)
        p = spread.p if spread else significance.p_value(self.draws(measure))
        return float(np.maximum(p, significance.smallest_p(self.differing_patients(measure))))

    def share_not_better(self, measure: str) -> float:
        """Return the share of Bayesian bootstrap draws in which the difference is not in favour of b."""
        weights = bayesian(clusters(self.images.patient_id, self.images.y_true), settings.DECLARED_RESAMPLES)
        areas = parse(measure)[0].of_scores
        a, b = (
            mean_over_trainings([measure_resamples(p, weights, areas=areas) for p in side.trainings])
            for side in (self.a, self.b)
        )
        return float(np.mean(b[measure] - a[measure] <= 0))


def interact(first: Pair, second: Pair, measure: str) -> tuple[float, Interval]:
    """Return by how much the difference of one pair exceeds that of another on the same images, and its 95 % interval.

    It is over patients, and where all networks were trained with the same several seeds over those, too: each seed has
    its two differences.
    """
    gains = [
        [b - a for a, b in zip(pair.a.each[measure], pair.b.each[measure], strict=True)]
        for pair in (second, first)
    ]
    value = float(np.mean(gains[1]) - np.mean(gains[0]))
    for pair in (first, second):
        if reason := pair._too_few(measure, settings.LEVEL):  # it is of this module
            return value, replace(NONE, level=settings.LEVEL, reason_null=reason)
    over_patients = percentile_interval(first.draws(measure) - second.draws(measure))
    if min(map(len, gains)) < 2 or over_patients.reason_null:
        return value, refuse_point(over_patients)
    spread = significance.compare_recipes(gains[0], gains[1], over_patients.se**2)
    return value, refuse_point(Interval(spread.low, spread.high, spread.level, spread.se, OVER_SEEDS))


def image_contributions(predictions: Predictions, measure: str) -> Floats:
    """Return what each image adds to what ``measure`` is computed from, shape (n, m).

    Models for which this is the same cannot differ in the measure: right or wrong for accuracy, scores for an AUROC,
    what is called this class for a measure of a class, and for a mean of classes what is called each of them.
    """
    declared, class_id = parse(measure)
    classes, y_true, y_pred = predictions.classes, predictions.y_true, predictions.y_pred
    one_class = [classes.index(class_id)] if class_id in classes else None
    ks = np.array(one_class or declared.means(classes).get(class_id, [*range(len(classes))]))
    if declared.kind is Kind.LOSS:
        return np.asarray(image_losses(predictions)[declared.id][:, None])
    if declared.kind is Kind.AREA:
        return np.asarray(predictions.y_score[:, ks])
    if not declared.of_class:
        return np.asarray(y_pred == y_true, np.float64)[:, None]
    called, true = y_pred[:, None] == ks, y_true[:, None] == ks
    one_side = {"sensitivity": [called & true], "specificity": [called & ~true]}
    return np.asarray(np.hstack(one_side.get(declared.id, [called & true, called & ~true])), np.float64)


def count_moves(a: Predictions, b: Predictions) -> Moves:
    """Return per true class, shape (K,), how many images are ``fixed``, ``broken``, ``both_right`` and ``both_wrong``."""
    right_a, right_b = a.y_pred == a.y_true, b.y_pred == b.y_true
    rows = {
        "fixed": ~right_a & right_b,
        "broken": right_a & ~right_b,
        "both_right": right_a & right_b,
        "both_wrong": ~right_a & ~right_b,
    }
    k = len(a.classes)
    return {name: np.bincount(a.y_true[which], minlength=k).astype(np.int64) for name, which in rows.items()}
