"""What a score is worth to one who must act on it: operating points, predictive values, net benefit.

An image is called positive when its score reaches the threshold. Thresholds are chosen on validation and
applied to test.

References
----------
Altman, Bland (1994), Diagnostic tests 2: predictive values, doi:10.1136/bmj.309.6947.102. Vickers, Elkin (2006),
Decision curve analysis: a novel method for evaluating prediction models, doi:10.1177/0272989X06295361.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from analysis.arrays import Floats, Mask
from analysis.evaluation.statistics.calibration import prior_corrected

NO_THRESHOLD = "no score lies above enough of the negatives: nothing would be called positive"


def threshold_for_specificity(positive: Mask, score: Floats, target: float) -> float:
    """Return the lowest of the scores, each (n,), at which specificity reaches ``target``.

    Infinity, at which nothing is called positive, if none does: the highest score is shared by too many
    negatives (``NO_THRESHOLD`` says so).

    Raises
    ------
    ValueError
        If there is no negative, so that there is no specificity.
    """
    negatives = np.sort(score[~positive])
    if not len(negatives):
        raise ValueError("no negative image to choose a threshold with")
    candidates = np.append(np.unique(score), np.inf)
    specificity = np.searchsorted(negatives, candidates) / len(negatives)
    return float(candidates[np.argmax(specificity >= target)])


def called_positive(score: Floats, threshold: float) -> Mask:
    """Return which images are called positive."""
    return np.asarray(score >= threshold)


def at_threshold(positive: Mask, score: Floats, threshold: float) -> tuple[float, float]:
    """Return sensitivity and specificity of ``score >= threshold``; NaN where a side is empty."""
    called = called_positive(score, threshold)
    return _share(called[positive]), _share(~called[~positive])


def _share(mask: Mask) -> float:
    return float(mask.mean()) if len(mask) else float("nan")


def predictive_values(
    sensitivity: ArrayLike, specificity: ArrayLike, prevalence: ArrayLike
) -> tuple[Floats, Floats]:
    """Return PPV and NPV by Bayes' theorem at ``prevalence``, 0 to 1; undefined (0 / 0) is NaN."""
    se, sp, pi = (np.asarray(part, np.float64) for part in (sensitivity, specificity, prevalence))
    tp, fn, tn, fp = pi * se, pi * (1 - se), (1 - pi) * sp, (1 - pi) * (1 - sp)
    with np.errstate(invalid="ignore"):
        return np.asarray(tp / (tp + fp)), np.asarray(tn / (tn + fn))


def re_priored(score: Floats, prevalence_from: float, prevalence_to: float) -> Floats:
    """Return the probabilities (n,) with their odds multiplied by the ratio of the prior odds."""
    priors = ([1 - p, p] for p in (prevalence_from, prevalence_to))
    return prior_corrected(np.stack([1 - score, score], axis=1), *priors)[:, 1]


def net_benefit(
    sensitivity: ArrayLike, specificity: ArrayLike, prevalence: ArrayLike, threshold: ArrayLike
) -> Floats:
    """Return prevalence * sensitivity - (1 - prevalence) * (1 - specificity) * t / (1 - t), for t below 1.

    In true positives an image: what is left of them when a false positive counts t / (1 - t) of one.
    """
    se, sp, pi, t = (
        np.asarray(part, np.float64) for part in (sensitivity, specificity, prevalence, threshold)
    )
    return np.asarray(pi * se - (1 - pi) * (1 - sp) * t / (1 - t))


def decision_curve(positive: Mask, score: Floats, prevalence: float, thresholds: Floats) -> Floats:
    """Return the net benefit of acting on ``score`` at each threshold probability, shape (T,).

    The scores must be probabilities at ``prevalence``, since they are held against threshold probabilities:
    give them through `re_priored`.
    """
    pairs = [at_threshold(positive, score, t) for t in thresholds]
    sensitivity, specificity = np.array(pairs).T
    return net_benefit(sensitivity, specificity, prevalence, thresholds)


def treat_all(prevalence: float, thresholds: Floats) -> Floats:
    """Return the net benefit of calling every image positive, shape (T,); that of calling none is 0."""
    return net_benefit(1, 0, prevalence, thresholds)
