"""Measures of one model on one split in every resample, and the percentile intervals that follow from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from analysis.arrays import Floats, Weights
from analysis.evaluation import settings
from analysis.evaluation.predictions import Predictions
from analysis.evaluation.results_file import Interval
from analysis.evaluation.statistics import metrics
from analysis.evaluation.statistics.resampling import confusion_matrices, percentile, weighted_auroc
from analysis.vocabulary.measures import MEASURES

BLOCK = 1_000
PERCENTILE = "percentile bootstrap over patients"
TOO_OFTEN = f"undefined in more than {100 * settings.MOST_UNDEFINED:.0f} % of the resamples"
NO_VARIATION = "the same in every resample: no variation to judge by"
POINT = 1e-12
Draws = Mapping[str, Floats]
"""Values in every resample, each of shape (B,), under the names ``<measure>[.<class or average>]``."""


def measure_resamples(predictions: Predictions, weights: Weights, *, areas: bool = True) -> dict[str, Floats]:
    """Return every measure in every resample.

    Parameters
    ----------
    predictions : Predictions
        Of n images.
    weights : (B, n) array
        How often each image counts in each resample.
    areas : bool
        Whether AUROCs, which take most of the time, and losses are wanted.

    Returns
    -------
    dict of str to (B,) array of float
    """
    blocks = []
    for start in range(0, len(weights), BLOCK):
        block = weights[start : start + BLOCK]
        scored = _score_measures(predictions, block) if areas else {}
        blocks.append(_class_measures(predictions, block) | scored)
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


def _class_measures(predictions: Predictions, weights: Weights) -> dict[str, Floats]:
    """Return the measures that follow from true and predicted classes."""
    classes = predictions.classes
    matrices = confusion_matrices(weights, predictions.y_true, predictions.y_pred, len(classes))
    found = {name: measure(matrices) for name, measure in metrics.OF_ALL.items()}
    for name, measure in metrics.OF_CLASS.items():
        values = measure(matrices)
        found |= {f"{name}.{c}": values[:, k] for k, c in enumerate(classes)}
        found |= {
            f"{name}.{of}": metrics.macro(values[:, ks]) for of, ks in MEASURES[name].means(classes).items()
        }
    return found


def _score_measures(predictions: Predictions, weights: Weights) -> dict[str, Floats]:
    """Return areas under ROC curves, and losses."""
    classes, y_score = predictions.classes, predictions.y_score
    truth = np.eye(len(classes), dtype=bool)[predictions.y_true]
    areas = [weighted_auroc(weights, truth[:, k], y_score[:, k]) for k in range(len(classes))]
    found = {f"auroc.{c}": area for c, area in zip(classes, areas, strict=True)}
    found["auroc.macro"] = np.mean(areas, axis=0)
    entry_weights = np.repeat(weights, len(classes), axis=1)
    found["auroc.micro"] = weighted_auroc(entry_weights, truth.ravel(), y_score.ravel())
    total = weights.sum(axis=1)
    for name, scores in image_losses(predictions).items():
        found[name] = weights.astype(np.float64) @ scores / total
    return found


def image_losses(predictions: Predictions) -> dict[str, Floats]:
    """Return what each image adds to the Brier score and to the log loss, shape (n,)."""
    return {
        name: loss(predictions.y_true, predictions.y_score) for name, loss in metrics.IMAGE_LOSSES.items()
    }


def percentile_interval(draws: Floats, level: float = settings.LEVEL) -> Interval:
    """Return the percentile interval of resampled values, shape (B,); none if too many are undefined."""
    low, high = percentile(draws, level)
    known = draws[np.isfinite(draws)]
    se = float(known.std(ddof=1)) if len(known) > 1 and np.isfinite(low) else float("nan")
    return Interval(float(low), float(high), level, se, PERCENTILE, "" if np.isfinite(low) else TOO_OFTEN)


def refuse_point(interval: Interval) -> Interval:
    """Return an interval as it is, or none and the reason if it is a point: no measure is that sure."""
    if not abs(interval.high - interval.low) < POINT:
        return interval
    nan = float("nan")
    return replace(interval, low=nan, high=nan, se=nan, reason_null=NO_VARIATION)


def mean_over_trainings(parts: Sequence[Draws]) -> dict[str, Floats]:
    """Return the mean over several trainings of each measure in each resample."""
    return {name: np.mean([part[name] for part in parts], axis=0) for name in parts[0]}
