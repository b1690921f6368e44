"""Intervals of proportions and of areas under ROC curves, when a patient may have several pictures.

References
----------
Wilson (1927), Probable inference, the law of succession, and statistical inference,
doi:10.1080/01621459.1927.10502953. DeLong, DeLong and Clarke-Pearson (1988), Comparing the areas under two
or more correlated receiver operating characteristic curves, doi:10.2307/2531595. Obuchowski (1997),
Nonparametric analysis of clustered ROC curve data, doi:10.2307/2533958. Rao and Scott (1992), A simple
method for the analysis of clustered binary data, doi:10.2307/2532311.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import norm

from analysis.evaluation.entries import Interval

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
NAN = float("nan")


def proportion(correct: Mask, patient_id: NDArray[Any], level: float = 0.95) -> Interval:
    """Return Wilson's interval for the share of True among n pictures, with n/deff in the place of n.

    deff is the variance of the share over patients as a multiple of that of n pictures of different
    patients, and at least 1 (Rao and Scott 1992, with n - 1 for n: it is then 1 when every patient has one
    picture). Where the pictures tell nothing of it, as all are right, all wrong, or all of one patient, it
    is what it would be if those of a patient were always alike: sum m_g^2 / sum m_g.
    """
    method = "Wilson, effective n by patients"
    if not len(correct):
        return Interval(NAN, NAN, level, NAN, method, "no pictures")
    share = float(np.mean(correct))
    n = len(correct) / _design_effect(correct, share, patient_id)
    z = norm.ppf((1 + level) / 2)
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    low = 0.0 if share == 0 else float(middle - half)
    high = 1.0 if share == 1 else float(middle + half)
    return Interval(low, high, level, math.sqrt(share * (1 - share) / n), method)


def _design_effect(correct: Mask, share: float, patient_id: NDArray[Any]) -> float:
    n, pictures = len(correct), np.unique(patient_id, return_counts=True)[1]
    if share in {0.0, 1.0} or len(pictures) == 1:
        return float((pictures**2).sum() / n)
    clustered = clustered_variance((correct - share) / n, patient_id)
    return max(1.0, clustered * (n - 1) / (share * (1 - share)))


def auroc_influence(positive: Mask, score: Floats) -> Floats:
    """Return what each picture adds to the error of the AUROC of ``score``, (n,); the sum is 0.

    These are DeLong's placements less the area, over the number of pictures of their side. They are scaled
    so that ``clustered_variance`` is DeLong's (1988) when every patient has one picture: DeLong divides by
    pictures of the side less one. NaN if a side has fewer than two pictures.
    """
    sides = positive.sum(), (~positive).sum()
    if min(sides) < 2:
        return np.full(len(score), np.nan)
    n = len(score)
    phi = np.empty(n)
    for side, m, sign in ((positive, sides[0], 1), (~positive, sides[1], -1)):
        others = np.sort(score[~side])
        ranks = [np.searchsorted(others, score[side], side=end) for end in ("left", "right")]
        placement = sign * np.mean(ranks, axis=0) / len(others)
        phi[side] = (placement - placement.mean()) / math.sqrt(m * (m - 1)) * math.sqrt((n - 1) / n)
    return phi


def clustered_variance(phi: Floats, patient_id: NDArray[Any]) -> float:
    """Return G/(G-1) sum_g (sum of ``phi`` over the pictures of g)^2, the variance of the sum of ``phi``.

    NaN if all pictures are of one patient.
    """
    names, patient = np.unique(patient_id, return_inverse=True)
    g = len(names)
    if g < 2:
        return NAN
    return float(g / (g - 1) * (np.bincount(patient, weights=phi) ** 2).sum())


def auroc(area: float, phi: Floats, patient_id: NDArray[Any], level: float = 0.95) -> Interval:
    """Return the interval of one AUROC, or of a mean of some, on the logit scale.

    Parameters
    ----------
    area : float
        The AUROC; NaN, 0 and 1 have no interval.
    phi : (n,) array of float
        Its influence values, those of a mean being the mean of theirs.
    patient_id : (n,) array
    level : float
    """
    method = "DeLong by patients, logit scale"
    if area in {0.0, 1.0}:
        reason = f"AUROC is {area:.0f} on {len(phi)} pictures: no variation to judge by"
        return Interval(NAN, NAN, level, NAN, method, reason)
    se = math.sqrt(clustered_variance(phi, patient_id))
    if math.isnan(area + se):
        return Interval(NAN, NAN, level, NAN, method, TOO_FEW)
    half = norm.ppf((1 + level) / 2) * se / (area * (1 - area))
    return Interval(float(expit(logit(area) - half)), float(expit(logit(area) + half)), level, se, method)


def auroc_difference(d: float, phi: Floats, patient_id: NDArray[Any], level: float = 0.95) -> Interval:
    """Return the normal interval of a difference ``d`` of AUROCs on the same pictures.

    ``phi`` (n,) are the influence values of one model less those of the other. There is no interval if no
    patient tells the models apart, as when both AUROCs are 1.
    """
    method = "DeLong by patients, paired"
    se = math.sqrt(clustered_variance(phi, patient_id))
    if math.isnan(d + se):
        return Interval(NAN, NAN, level, NAN, method, TOO_FEW)
    if se == 0:
        return Interval(NAN, NAN, level, se, method, "no patient is ranked differently by the two models")
    half = float(norm.ppf((1 + level) / 2)) * se
    return Interval(d - half, d + half, level, se, method)


TOO_FEW = "fewer than two pictures on one side, or all of one patient"
