"""Intervals of proportions and of areas under ROC curves, when a patient may have several images.

References
----------
Wilson (1927), Probable inference, the law of succession, and statistical inference,
doi:10.1080/01621459.1927.10502953. DeLong, DeLong and Clarke-Pearson (1988), Comparing the areas under two
or more correlated receiver operating characteristic curves, doi:10.2307/2531595. Obuchowski (1997),
Nonparametric analysis of clustered ROC curve data, doi:10.2307/2533958. Rao and Scott (1992), A simple
method for the analysis of clustered binary data, doi:10.2307/2532311. Satterthwaite (1946), An approximate
distribution of estimates of variance components, doi:10.2307/3002019. Pan and Wall (2002), Small-sample
adjustments in using the sandwich variance estimator in generalized estimating equations,
doi:10.1002/sim.1142. Kish (1965), Survey sampling, Wiley.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import expit, logit
from scipy.stats import norm, t

from analysis.arrays import Floats, Labels, Mask, dense
from analysis.evaluation import settings
from analysis.evaluation.predictions import Predictions
from analysis.evaluation.results_file import Interval

NAN = float("nan")
TOO_FEW = "fewer than two images on one side, or all of one patient"
SAME = "no variation to judge by"
NO_VARIANCE = 1e-12


def proportion(correct: Mask, patient_id: Labels, level: float = settings.LEVEL) -> Interval:
    """Return Wilson's interval of the share of n images that are ``correct`` (n,).

    In the place of n stands 1 + p(1 - p)/V, with V = G/(G - 1) sum_g (sum over the images of patient g of x - p)^2 / n^2
    (a design effect after Rao and Scott 1992). It is n when each image is of a patient of its own, and never above n:
    what strata or unlike images of a patient seem to add is chance, or holds for fixed numbers of a class alone.
    """
    method = "Wilson, effective n by patients"
    if not len(correct):
        return Interval(NAN, NAN, level, NAN, method, "no images")
    share = float(correct.mean())
    n = _effective_images(np.asarray(correct - share), patient_id, share)
    z = norm.ppf((1 + level) / 2)
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    low = 0.0 if share == 0 else float(middle - half)
    high = 1.0 if share == 1 else float(middle + half)
    return Interval(low, high, level, math.sqrt(share * (1 - share) / n), method)


def _effective_images(residual: Floats, patient_id: Labels, share: float) -> float:
    """Return how many independent images tell as much of a share as these do, at most n.

    Where all or none are right, or all are of one patient, their variance over patients tells nothing: then it is n^2 /
    sum_g m_g^2 with m_g images of patient g (Kish 1965), as if those of a patient were copies.

    Parameters
    ----------
    residual : (n,) array of float
        Each image's x less the share.
    patient_id : (n,) array of str
    share : float
        0 to 1.
    """
    n = len(residual)
    images = np.unique(patient_id, return_counts=True)[1]
    if share in {0.0, 1.0} or len(images) == 1:
        return float(n**2 / (images**2).sum())
    variance = clustered_variance(residual / n, patient_id)
    return min(n, 1 + share * (1 - share) / variance) if variance > NO_VARIANCE else n


def auroc_influence(positive: Mask, score: Floats) -> Floats:
    """Return what each image adds to the error of the AUROC of ``score``, (n,); the sum is 0.

    These are DeLong's placements less the area, over the number of images of their side. They are scaled
    so that ``clustered_variance`` is DeLong's (1988) when every patient has one image: DeLong divides by
    images of the side less one. NaN if a side has fewer than two images.
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


def auroc_influences(predictions: Predictions) -> dict[str, Floats]:
    """Return the influence of each image on the AUROC of each class and on their mean, by their names, shape (n,)."""
    by_class = {
        f"auroc.{name}": auroc_influence(predictions.y_true == k, predictions.y_score[:, k])
        for k, name in enumerate(predictions.classes)
    }
    return {**by_class, "auroc.macro": np.mean(list(by_class.values()), axis=0)}


def clustered_variance(phi: Floats, patient_id: Labels) -> float:
    """Return G/(G-1) sum_g (sum of ``phi`` over the images of g)^2, the variance of the sum of ``phi``.

    NaN if all images are of one patient.
    """
    by_patient = _by_patient(phi, patient_id)
    g = len(by_patient)
    return float(g / (g - 1) * (by_patient**2).sum()) if g > 1 else NAN


def auroc(area: float, phi: Floats, patient_id: Labels, level: float = settings.LEVEL) -> Interval:
    """Return the interval of one AUROC, or of a mean of some: t on the logit scale.

    Parameters
    ----------
    area : float
        The AUROC; NaN, 0 and 1 have no interval, nor has that of a score that is the same for all images.
    phi : (n,) array of float
        Its influence values, those of a mean being the mean of theirs.
    patient_id : (n,) array
    level : float
    """
    method = "DeLong by patients, t on the logit scale"
    if area in {0.0, 1.0}:
        reason = f"AUROC is {area:.0f} on {len(phi)} images: {SAME}"
        return Interval(NAN, NAN, level, NAN, method, reason)
    se, reach = _error(phi, patient_id, level)
    if math.isnan(area + se):
        return Interval(NAN, NAN, level, NAN, method, TOO_FEW)
    if se < NO_VARIANCE:
        return Interval(NAN, NAN, level, NAN, method, f"all {len(phi)} images have equal scores: {SAME}")
    half = reach / (area * (1 - area))
    return Interval(float(expit(logit(area) - half)), float(expit(logit(area) + half)), level, se, method)


def auroc_difference(d: float, phi: Floats, patient_id: Labels, level: float = settings.LEVEL) -> Interval:
    """Return the t interval of a difference ``d`` of AUROCs on the same images.

    ``phi`` (n,) are the influence values of one model less those of the other. There is no interval if no
    patient tells the models apart, as when both AUROCs are 1.
    """
    method = "DeLong by patients, paired, t"
    se, reach = _error(phi, patient_id, level)
    if math.isnan(d + se):
        return Interval(NAN, NAN, level, NAN, method, TOO_FEW)
    if se < NO_VARIANCE:
        return Interval(NAN, NAN, level, NAN, method, "no patient is ranked differently by the two models")
    return Interval(d - reach, d + reach, level, se, method)


def _error(phi: Floats, patient_id: Labels, level: float) -> tuple[float, float]:
    """Return the standard error of the sum of ``phi``, and how far an interval of ``level`` reaches."""
    se = math.sqrt(clustered_variance(phi, patient_id))
    return se, float(t.ppf((1 + level) / 2, _degrees_of_freedom(_by_patient(phi, patient_id)))) * se


def _by_patient(phi: Floats, patient_id: Labels) -> Floats:
    return np.asarray(np.bincount(dense(patient_id), weights=phi), dtype=np.float64)


def _degrees_of_freedom(by_patient: Floats) -> float:
    """Return 2 V^2 / Var(V) (Satterthwaite), Var(V) from how the patients' squares vary (Pan and Wall 2002).

    It is about G for normal contributions alike in size, and far less where a few patients carry the variance,
    as those of a rare class do.
    """
    squares = by_patient**2
    spread = len(squares) * squares.var()
    return float(2 * squares.sum() ** 2 / spread) if spread > 0 else math.inf
