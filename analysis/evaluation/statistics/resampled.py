"""How far the measures of one model on one split could be off: an interval for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.evaluation.predictions import Predictions
from analysis.evaluation.results_file import Entry, Interval, Results, bounded
from analysis.evaluation.statistics import intervals, metrics
from analysis.evaluation.statistics.resampling import confusion_matrices, percentile, weighted_auroc
from analysis.evaluation.tables.classification import PER_CLASS, Labelled, denominator

LEVEL = 0.95
BLOCK = 1_000
PERCENTILE = "percentile bootstrap over patients"
TOO_OFTEN = "undefined in more than 5 % of the resamples"
NO_VARIATION = "the same in every resample: no variation to judge by"
POINT = 1e-12
PROPORTIONS = ("sensitivity", "specificity", "ppv", "npv")
Weights = NDArray[np.number[Any]]
Draws = Mapping[str, metrics.Floats]


def resampled(predictions: Predictions, weights: Weights, *, areas: bool = True) -> dict[str, metrics.Floats]:
    """Return every measure in every resample, shape (B,), under the names ``<measure>[.<class or average>]``.

    Parameters
    ----------
    weights : (B, n) array
        How often each picture counts in each resample.
    areas : bool
        Whether AUROCs, which take most of the time, are wanted.
    """
    blocks = []
    for start in range(0, len(weights), BLOCK):
        block = weights[start : start + BLOCK]
        blocks.append(_of_classes(predictions, block) | (_of_scores(predictions, block) if areas else {}))
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


def _of_classes(predictions: Predictions, weights: Weights) -> dict[str, metrics.Floats]:
    classes = predictions.classes
    matrices = confusion_matrices(weights, predictions.y_true, predictions.y_pred, len(classes))
    found = {"accuracy": metrics.accuracy(matrices), "mcc": metrics.mcc(matrices)}
    for name, measure in {**PER_CLASS, "mcc": metrics.class_mcc}.items():
        values = measure(matrices)
        found |= {f"{name}.{c}": values[:, k] for k, c in enumerate(classes)}
        if name in PER_CLASS:
            found[f"{name}.macro"] = metrics.macro(values)
    return found


def _of_scores(predictions: Predictions, weights: Weights) -> dict[str, metrics.Floats]:
    classes, y_score = predictions.classes, predictions.y_score
    truth = np.eye(len(classes), dtype=bool)[predictions.y_true]
    areas = [weighted_auroc(weights, truth[:, k], y_score[:, k]) for k in range(len(classes))]
    found = {f"auroc.{c}": area for c, area in zip(classes, areas, strict=True)}
    found["auroc.macro"] = np.mean(areas, axis=0)
    each_entry = np.repeat(weights, len(classes), axis=1)
    found["auroc.micro"] = weighted_auroc(each_entry, truth.ravel(), y_score.ravel())
    total = weights.sum(axis=1)
    for name, scores in losses(predictions).items():
        found[name] = weights.astype(np.float64) @ scores / total
    return found


def losses(predictions: Predictions) -> dict[str, metrics.Floats]:
    """Return what each picture adds to the Brier score and to the log loss, shape (n,)."""
    return {
        "brier": metrics.brier_scores(predictions.y_true, predictions.y_score),
        "log_loss": metrics.log_losses(predictions.y_true, predictions.y_score),
    }


def contributions(predictions: Predictions, measure: str) -> metrics.Floats:
    """Return what each picture adds to what ``measure`` is computed from, shape (n, m).

    Models for which this is the same cannot differ in the measure: right or wrong for accuracy, scores for an AUROC,
    what is called this class for a measure of a class, and for a macro average what is called each of them.
    """
    name, _, of = measure.partition(".")
    classes, y_true, y_pred = predictions.classes, predictions.y_true, predictions.y_pred
    ks = np.array([classes.index(of)] if of in classes else range(len(classes)))
    if name in (lost := losses(predictions)):
        return np.asarray(lost[name][:, None])
    if name == "auroc":
        return np.asarray(predictions.y_score[:, ks])
    if name == "accuracy":
        return np.asarray(y_pred == y_true, np.float64)[:, None]
    called, true = y_pred[:, None] == ks, y_true[:, None] == ks
    sides = {"sensitivity": [called & true], "specificity": [called & ~true]}
    return np.asarray(np.hstack(sides.get(name, [called & true, called & ~true])), np.float64)


def from_draws(draws: metrics.Floats, level: float = LEVEL) -> Interval:
    """Return the percentile interval of resampled values, shape (B,)."""
    low, high = percentile(draws, level)
    known = draws[np.isfinite(draws)]
    se = float(known.std(ddof=1)) if len(known) > 1 and np.isfinite(low) else float("nan")
    return Interval(float(low), float(high), level, se, PERCENTILE, "" if np.isfinite(low) else TOO_OFTEN)


def varying(interval: Interval) -> Interval:
    """Return an interval as it is, or none and the reason if it is a point: no measure is that sure."""
    if not abs(interval.high - interval.low) < POINT:
        return interval
    nan = float("nan")
    return replace(interval, low=nan, high=nan, se=nan, reason_null=NO_VARIATION)


def with_intervals(results: Results, predictions: Predictions, draws: Draws) -> Results:
    """Return the results of one model on one split with the interval that each kind of measure has."""
    labelled = Labelled.of(predictions, "")
    influences = area_influences(predictions)
    return {
        name: bounded(item, _interval(name, item, labelled, influences, draws)) if name in draws else item
        for name, item in results.items()
    }


def _interval(
    name: str,
    item: Entry,
    labelled: Labelled,
    influences: Mapping[str, metrics.Floats],
    draws: Draws,
) -> Interval:
    measure, _, of = name.partition(".")
    if name == "accuracy" or (measure in PROPORTIONS and of in labelled.classes):
        k = labelled.classes.index(of) if of else -1
        counted = denominator(labelled, measure, k)
        right = _successes(labelled, measure, k)[counted]
        return intervals.proportion(right, labelled.patient_id[counted], LEVEL)
    if name in influences and item["value"] is not None:
        return intervals.auroc(float(item["value"]), influences[name], labelled.patient_id, LEVEL)
    return varying(from_draws(draws[name]))


def _successes(labelled: Labelled, measure: str, k: int) -> NDArray[np.bool_]:
    """Return whether each picture of the denominator counts as one that the measure wants, shape (n,)."""
    if measure in {"specificity", "npv"}:
        return np.asarray((labelled.y_pred != k) & (labelled.y_true != k))
    return np.asarray(labelled.y_pred == labelled.y_true)


def area_influences(predictions: Predictions) -> dict[str, metrics.Floats]:
    """Return the influence of each picture on the AUROC of each class and on their mean, shape (n,)."""
    influences = {
        f"auroc.{name}": intervals.auroc_influence(predictions.y_true == k, predictions.y_score[:, k])
        for k, name in enumerate(predictions.classes)
    }
    return {**influences, "auroc.macro": np.mean(list(influences.values()), axis=0)}


def mean_of(parts: Sequence[Draws]) -> dict[str, metrics.Floats]:
    """Return the mean over several trainings of each measure in each resample."""
    return {name: np.mean([part[name] for part in parts], axis=0) for name in parts[0]}
