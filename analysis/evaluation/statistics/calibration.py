"""Whether probabilities mean what they say, and how to correct them.

Bins have equal mass: each border is the score of a rank, so that equal scores are never parted; bins that ties
leave empty are left out. Nothing here may see the test set before it is fitted: priors and temperature come
from the training and validation sets.

References
----------
Naeini, Cooper, Hauskrecht (2015), Obtaining well calibrated probabilities using Bayesian binning,
doi:10.1609/aaai.v29i1.9602. Nixon et al. (2019), Measuring calibration in deep learning, arXiv:1904.01685.
Bröcker, Smith (2007), Increasing the reliability of reliability diagrams, doi:10.1175/WAF993.1.
Saerens, Latinne, Decaestecker (2002), Adjusting the outputs of a classifier to new a priori probabilities,
doi:10.1162/089976602753284446. Guo, Pleiss, Sun, Weinberger (2017), On calibration of modern neural networks,
arXiv:1706.04599.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import softmax

from analysis.arrays import Floats, Indices, Labels, Mask, dense
from analysis.evaluation import settings


def top_label(y_true: Indices, y_score: Floats) -> tuple[Mask, Floats]:
    """Return whether the most probable class (the first of equals) is the true one, and its probability."""
    return y_score.argmax(axis=1) == y_true, y_score.max(axis=1)


def top_label_ece(y_true: Indices, y_score: Floats, bins: int = settings.BINS) -> float:
    """Return the expected calibration error of the most probable class, 0 to 1.

    It is biased upwards and has no interval: hold it against `expected_ece`.
    """
    return ece(*top_label(y_true, y_score), bins)


def classwise_ece(y_true: Indices, y_score: Floats, bins: int = settings.BINS) -> Floats:
    """Return the expected calibration error of each class's probability, shape (K,)."""
    return np.array([ece(y_true == k, score, bins) for k, score in enumerate(y_score.T)])


def ece(positive: Mask, score: Floats, bins: int = settings.BINS) -> float:
    """Return sum_bin n_bin / n |mean score - share positive| of ``positive`` and ``score``, each (n,)."""
    return float(_eces(positive[None], score, bins)[0])


def _eces(positive: Mask, score: Floats, bins: int) -> Floats:
    """Return the expected calibration error of each row of ``positive``, shape (draws, n)."""
    place = _bin(score, bins)
    gaps = np.bincount(place, score) - positive @ _members(place)
    return np.asarray(np.abs(gaps).sum(axis=1) / len(score))


def _bin(score: Floats, bins: int) -> Indices:
    """Return the bin of each score, shape (n,), counted without empty ones; one on a border lies below it."""
    ranks = -(-len(score) * np.arange(1, bins) // bins)  # rounded up, in whole numbers
    borders = np.sort(score)[ranks - 1]
    return np.unique(np.searchsorted(borders, score), return_inverse=True)[1]


def _members(place: Indices) -> Floats:
    """Return the bins of the images one-hot, shape (n, bins)."""
    return np.eye(place.max() + 1)[place]


def class_reliability(positive: Mask, score: Floats, bins: int = settings.BINS) -> pd.DataFrame:
    """Return the reliability table, a row for each bin: bin (from 1), n, confidence (mean score) and accuracy (share positive).

    Parameters
    ----------
    positive : (n,) array of bool
        Whether what the score is the probability of is so.
    score : (n,) array of float
        The probability of one class, or any other.
    """
    place = _bin(score, bins)
    n = np.bincount(place)
    return pd.DataFrame(
        {
            "bin": np.arange(1, len(n) + 1),
            "n": n,
            "confidence": np.bincount(place, score) / n,
            "accuracy": np.bincount(place, positive) / n,
        }
    )


def expected_ece(
    y_score: Floats,
    patient_id: Labels | None = None,
    *,
    bins: int = settings.BINS,
    draws: int = settings.CALIBRATION_DRAWS,
    seed: int = settings.SEED,
    level: float = settings.LEVEL,
) -> tuple[float, float]:
    """Return the range of `top_label_ece` that calibrated probabilities would give.

    Parameters
    ----------
    y_score : (n, K) array of float
        The probabilities; true classes are drawn from them, ``draws`` times.
    patient_id : (n,) array of str, optional
        The images of a patient share one random number, as they share their class; without it each has its own.
    level : float
        Share of the draws inside the range, which leaves out as many below as above.
    """
    hits = _draw_labels(y_score, patient_id, draws, seed) == y_score.argmax(axis=1)
    low, high = _range(_eces(hits, y_score.max(axis=1), bins), level)
    return float(low), float(high)


def consistency_bars(
    score: Floats,
    patient_id: Labels | None = None,
    *,
    bins: int = settings.BINS,
    draws: int = settings.CALIBRATION_DRAWS,
    seed: int = settings.SEED,
    level: float = settings.LEVEL,
) -> tuple[Floats, Floats]:
    """Return the range of each accuracy in `class_reliability` that calibrated scores (n,) would give.

    Two arrays as long as the table. The scores stay as they are (Bröcker and Smith resample them too).
    """
    positive = _draw_labels(np.stack([score, 1 - score], axis=1), patient_id, draws, seed) == 0
    place = _bin(score, bins)
    return _range(positive @ _members(place) / np.bincount(place), level)


def _draw_labels(y_score: Floats, patient_id: Labels | None, draws: int, seed: int) -> Indices:
    """Return true classes, shape (draws, n), drawn from the probabilities of each image."""
    patient = np.arange(len(y_score)) if patient_id is None else dense(patient_id)
    place = np.random.default_rng(seed).random((draws, patient.max() + 1))[:, patient]
    return np.asarray((place[..., None] >= y_score.cumsum(axis=1)[:, :-1]).sum(axis=-1))


def _range(values: Floats, level: float) -> tuple[Floats, Floats]:
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high


def effective_priors(counts: ArrayLike, class_balance: str, class_weights: Sequence[float] | None) -> Floats:
    """Return the shares of the classes that training saw, shape (K,).

    Parameters
    ----------
    counts : (K,) array of int
        Training images of each class.
    class_balance : {"none", "oversample", "square-root"}
        Oversampling fills every class up to the largest, so all are equal; else they are as the square roots of their numbers.
    class_weights : sequence of K floats or None
        Weights of the classes in the loss, which shift what is learnt as so many more images would.
    """
    seen = np.asarray(counts, np.float64)
    if class_balance == "oversample":
        seen = (seen > 0).astype(np.float64)
    elif class_balance == "square-root":
        seen = np.sqrt(seen)
    if class_weights is not None:
        seen = seen * np.asarray(class_weights)
    return np.asarray(seen / seen.sum())


def prior_corrected(y_score: Floats, train_priors: ArrayLike, target_priors: ArrayLike) -> Floats:
    """Return probabilities (n, K) as they are where classes have ``target_priors``, not those of training.

    Each is multiplied by the ratio of the priors, then all are made to sum to one (Saerens et al. 2002).

    Raises
    ------
    ValueError
        If a prior is not positive.
    """
    train, target = np.asarray(train_priors, np.float64), np.asarray(target_priors, np.float64)
    if (train <= 0).any() or (target <= 0).any():
        raise ValueError(f"priors must be positive, not {train} and {target}")
    weighted = y_score * (target / train)
    return np.asarray(weighted / weighted.sum(axis=1, keepdims=True))


def fit_temperature(y_true: Indices, y_score: Floats) -> float:
    """Return the temperature from .05 to 20 that minimises the log loss of `tempered` on a validation set.

    The loss is convex in 1 / T, so the root of its slope is the only minimum; without one inside, the nearer
    limit is returned.
    """
    logits = _log(y_score)
    true_logits = logits[np.arange(len(y_true)), y_true]

    def slope(inverse: float) -> float:
        return float(((softmax(inverse * logits, axis=1) * logits).sum(axis=1) - true_logits).mean())

    coldest, hottest = settings.TEMPERATURES
    if slope(1 / hottest) >= 0:
        return hottest
    if slope(1 / coldest) <= 0:
        return coldest
    return 1 / float(brentq(slope, 1 / hottest, 1 / coldest, xtol=1e-12))


def tempered(y_score: Floats, temperature: float) -> Floats:
    """Return softmax(ln p / T) of probabilities (n, K), clipped at 1e-12; above 1 they become less certain."""
    return np.asarray(softmax(_log(y_score) / temperature, axis=1))


def _log(y_score: Floats) -> Floats:
    return np.log(np.clip(y_score, settings.LOG_LOSS_CLIP, 1.0))
