"""Resample patients, and compute measures of all resamples at once.

A resample is a row of weights, one per image: how often the image was drawn, or in the Bayesian
bootstrap how much it counts. Draw once and use the same weights for every model: then the models stay
paired.

References
----------
Efron and Tibshirani (1993), An introduction to the bootstrap, doi:10.1201/9780429246593. Davison and
Hinkley (1997), Bootstrap methods and their application, doi:10.1017/CBO9780511802843. Rubin (1981), The
Bayesian bootstrap, doi:10.1214/aos/1176345338.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.arrays import Floats, Indices, Labels, Mask, Weights, dense
from analysis.evaluation import settings
from analysis.evaluation.predictions import Predictions

Draws = NDArray[np.uint16]
_BLOCK = 500


@dataclass(frozen=True)
class Clusters:
    """Which patient each of n images is of, and which stratum each of G patients is in.

    Parameters
    ----------
    patient : (n,) array of int
        Index of the patient of each image.
    stratum : (G,) array of int
        Index of the stratum of each patient.
    """

    patient: Indices
    stratum: Indices

    @property
    def size(self) -> int:
        """G, the number of patients."""
        return len(self.stratum)

    @property
    def strata(self) -> list[Indices]:
        """The patients of each stratum."""
        return [np.flatnonzero(self.stratum == s) for s in range(self.stratum.max() + 1)]


def clusters(patient_id: Labels, y_true: Indices) -> Clusters:
    """Return patients and strata of n images; a stratum is the patients with images of the same classes.

    A patient who is alone in a stratum would be drawn exactly once every time and seem to vary by nothing.
    So the smallest stratum is joined to the next smallest until each has ``settings.SMALLEST_STRATUM`` patients.
    """
    names, patient = np.unique(patient_id, return_inverse=True)
    seen = np.zeros((len(names), int(y_true.max()) + 1), dtype=bool)
    seen[patient, y_true] = True
    stratum = np.unique(seen, axis=0, return_inverse=True)[1].reshape(-1)
    while (sizes := np.bincount(stratum)).min() < settings.SMALLEST_STRATUM and len(sizes) > 1:
        smallest, next_smallest = np.argsort(sizes, kind="stable")[:2]
        stratum[stratum == smallest] = next_smallest
        stratum = dense(stratum)
    return Clusters(patient, stratum)


def bootstrap(clusters: Clusters, resamples: int, seed: int = settings.SEED) -> Draws:
    """Return how often each image is drawn, (B, n): whole patients, with replacement, within strata."""
    rng = np.random.default_rng(seed)
    drawn = np.empty((resamples, clusters.size), dtype=np.uint16)
    for members in clusters.strata:
        g = len(members)
        for rows in _blocks(resamples):
            b = len(drawn[rows])
            cells = rng.integers(g, size=(b, g)) + g * np.arange(b)[:, None]
            drawn[rows, members] = np.bincount(cells.ravel(), minlength=b * g).reshape(b, g)
    return drawn.take(clusters.patient, axis=1)


def resamples(predictions: Predictions, number: int = settings.RESAMPLES) -> Draws:
    """Return how often each image counts in each resample of patients: the same for every model."""
    return bootstrap(clusters(predictions.patient_id, predictions.y_true), number)


def bayesian(clusters: Clusters, resamples: int, seed: int = settings.SEED) -> Floats:
    """Return weights of Rubin's Bayesian bootstrap, (B, n): Exp(1) per patient, of mean 1 in each stratum."""
    weights = np.random.default_rng(seed).standard_exponential((resamples, clusters.size))
    in_stratum = np.eye(clusters.stratum.max() + 1)[clusters.stratum]
    scale: Floats = in_stratum.sum(axis=0) / (weights @ in_stratum)
    weights *= scale[:, clusters.stratum]
    return weights.take(clusters.patient, axis=1)


def confusion_matrices(weights: Weights, y_true: Indices, y_pred: Indices, classes: int) -> Floats:
    """Return the weighted confusion matrix of each resample, (B, K, K), rows true, from weights (B, n)."""
    in_cell = np.eye(classes * classes)[y_true * classes + y_pred]
    found = np.empty((len(weights), classes * classes))
    for rows in _blocks(len(weights)):
        found[rows] = weights[rows].astype(np.float64) @ in_cell
    return found.reshape(-1, classes, classes)


def weighted_auroc(weights: Weights, positive: Mask, score: Floats) -> Floats:
    """Return the AUROC of each resample, (B,): the weighted share of pairs in the right order, ties half.

    It is NaN in a resample without positive or without negative images. For the micro average give the
    one-hot entries of all images, and ``np.repeat(weights, K, axis=1)``.
    """
    negative = np.flatnonzero(~positive)
    negative = negative[np.argsort(score[negative], kind="stable")]
    below = np.searchsorted(score[negative], score[positive], side="left")
    not_above = np.searchsorted(score[negative], score[positive], side="right")
    areas = np.full(len(weights), np.nan)
    for rows in _blocks(len(weights)):
        of_positive = weights[rows].take(np.flatnonzero(positive), axis=1).astype(np.float64)
        passed = np.zeros((len(of_positive), len(negative) + 1))
        np.cumsum(weights[rows].take(negative, axis=1), axis=1, out=passed[:, 1:])
        in_order = (of_positive * (passed[:, below] + passed[:, not_above])).sum(axis=1) / 2
        pairs = of_positive.sum(axis=1) * passed[:, -1]
        np.divide(in_order, pairs, out=areas[rows], where=pairs > 0)
    return areas


def percentile(values: Floats, level: float) -> tuple[Floats, Floats]:
    """Return the percentile interval of ``values`` (B, ...), each end of shape (...).

    With m defined resamples its ends are the k-th smallest and k-th largest value, k = (m + 1)(1 - level)/2
    rounded down (Davison and Hinkley 1997). So it leaves out 0 exactly when
    ``significance.p_value`` is at most 1 - level. Resamples where the value is NaN are left out; where they are
    more than 5 %, or so few are left that k is 0, both ends are NaN.
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64), axis=0)
    defined = len(ordered) - np.isnan(ordered).sum(axis=0)
    k = np.floor((defined + 1) * (1 - level) / 2 + 1e-9).astype(np.intp)
    refused = (k < 1) | (defined < (1 - settings.MOST_UNDEFINED) * len(ordered))
    low, high = (
        np.take_along_axis(ordered, np.where(refused, 0, rank)[None], axis=0)[0]
        for rank in (k - 1, defined - k)
    )
    return np.where(refused, np.nan, low), np.where(refused, np.nan, high)


def _blocks(rows: int) -> Iterator[slice]:
    return (slice(start, min(start + _BLOCK, rows)) for start in range(0, rows, _BLOCK))
