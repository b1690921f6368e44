"""Whether two models differ on the same images: tests, their correction for many, and the spread over seeds.

References
----------
McNemar (1947), Note on the sampling error of the difference between correlated proportions or percentages,
doi:10.1007/BF02295996. Holm (1979), A simple sequentially rejective multiple test procedure,
https://www.jstor.org/stable/4615733. Satterthwaite (1946), An approximate distribution of estimates of variance
components, doi:10.2307/3002019. Davison and Hinkley (1997), Bootstrap methods and their application,
doi:10.1017/CBO9780511802843.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t

from analysis.arrays import Floats, Indices, Labels, Mask, dense
from analysis.evaluation import settings


@dataclass(frozen=True)
class SignFlip:
    """A test of equal accuracy: p, images that only B or only A got right, and the design effect.

    ``deff`` is 1 when every patient has one image, and NaN without discordant images.
    """

    p: float
    discordant_fixed: int
    discordant_broken: int
    deff: float


def sign_flip(correct_a: Mask, correct_b: Mask, patient_id: Labels) -> SignFlip:
    """Test whether models A and B are right equally often, by the signs of the patients' differences.

    d_g is correct_B - correct_A summed over the images of patient g. If the models are alike, each d_g
    could as well have the other sign; p is the share of all sign patterns whose sum is as far from 0 as
    the one seen. The distribution is summed up exactly, not sampled. When every patient has one image
    this is the exact test of McNemar (1947).
    """
    gain = correct_b.astype(np.intp) - correct_a
    by_patient = np.bincount(dense(patient_id), weights=gain).astype(np.intp)
    fixed, broken = int((gain > 0).sum()), int((gain < 0).sum())
    deff = float((by_patient**2).sum() / (fixed + broken)) if fixed + broken else float("nan")
    return SignFlip(_sign_flip_p(by_patient), fixed, broken, deff)


def _sign_flip_p(by_patient: Indices) -> float:
    chance = np.ones(1)  # that the d_g with positive sign sum to 0, 1, 2, ... in size
    for size in np.abs(by_patient[by_patient != 0]):
        none = np.zeros(size)
        chance = (np.r_[chance, none] + np.r_[none, chance]) / 2
    total = len(chance) - 1
    as_far = np.abs(2 * np.arange(total + 1) - total) >= abs(int(by_patient.sum()))
    return min(1.0, float(chance[as_far].sum()))


def p_value(differences: Floats) -> float:
    """Return the two-sided p that a difference is 0, from its B resampled values.

    It is min(1, 2 min(1 + #{D <= 0}, 1 + #{D >= 0}) / (B + 1)) over the resamples where it is defined (Davison
    and Hinkley 1997); NaN if it is undefined in more than 5 % of them.
    """
    defined = differences[~np.isnan(differences)]
    if len(defined) < (1 - settings.MOST_UNDEFINED) * len(differences):
        return float("nan")
    fewer = 1 + min(int((defined <= 0).sum()), int((defined >= 0).sum()))
    return min(1.0, 2 * fewer / (len(defined) + 1))


def smallest_p(patients: int) -> float:
    """Return the smallest two-sided p that flipping the signs of so many patients' differences can give: 2^(1 - G)."""
    return min(1.0, 2.0 ** (1 - patients))


def fewest_patients(alpha: float) -> int:
    """Return how many patients must tell two models apart so that `smallest_p` can be at most ``alpha``."""
    return math.ceil(1 - math.log2(alpha) - 1e-9)


@dataclass(frozen=True)
class HolmStep:
    """One test of a family: its p, Holm's adjusted p, and the level of the interval that agrees with it."""

    p: float
    adjusted: float
    level: float


def holm(p: Sequence[float], alpha: float) -> list[HolmStep]:
    """Return Holm's (1979) steps in the order of ``p``, the p-values of the m tests of a family.

    The test of rank r (0 the smallest p) is made at alpha/(m - r). After the first that is not rejected
    none is made: those stay at its level, or an interval could leave out 0 where Holm does not reject. NaN
    ranks last and stays NaN.
    """
    values = np.asarray(p, dtype=np.float64)
    m = len(values)
    order = np.argsort(values, kind="stable")
    adjusted = np.minimum(1, np.maximum.accumulate(values[order] * (m - np.arange(m))))
    rejected = int((adjusted <= alpha).sum())
    levels = 1 - alpha / (m - np.minimum(np.arange(m), rejected))
    steps = [HolmStep(float("nan"), float("nan"), float("nan"))] * m
    for rank, test in enumerate(order):
        steps[test] = HolmStep(float(values[test]), float(adjusted[rank]), float(levels[rank]))
    return steps


@dataclass(frozen=True)
class SeedSpread:
    """Recipe B less recipe A over several seeds, the three terms of its variance, and its t interval.

    ``variance_a`` and ``variance_b`` are the variances of the means over seeds, s^2/S.
    """

    difference: float
    variance_patients: float
    variance_a: float
    variance_b: float
    df: float
    low: float
    high: float
    level: float
    p: float

    @property
    def se(self) -> float:
        """The standard error of the difference, of all three terms."""
        return math.sqrt(self.variance_patients + self.variance_a + self.variance_b)


def compare_recipes(
    a_values: Sequence[float],
    b_values: Sequence[float],
    variance_patients: float,
    level: float = settings.LEVEL,
) -> SeedSpread:
    """Compare recipes A and B by a measure of S >= 2 networks each, trained with different seeds.

    The degrees of freedom are Satterthwaite's (1946), those of the patients' term being infinite.

    Parameters
    ----------
    a_values, b_values : sequence of S floats
        The measure of each network.
    variance_patients : float
        The bootstrap variance over patients of the difference of the means.
    level : float
        Of the interval of the difference, 0 to 1.

    Raises
    ------
    ValueError
        If a recipe has fewer than two seeds: its spread is then unknown.
    """
    a, b = np.asarray(a_values, dtype=np.float64), np.asarray(b_values, dtype=np.float64)
    if min(len(a), len(b)) < 2:
        raise ValueError("the spread of a recipe over seeds needs at least two of them")
    variance_a, variance_b = (float(values.var(ddof=1)) / len(values) for values in (a, b))
    variance = variance_patients + variance_a + variance_b
    uncertain = variance_a**2 / (len(a) - 1) + variance_b**2 / (len(b) - 1)
    df = variance**2 / uncertain if uncertain else math.inf
    difference, se = float(b.mean() - a.mean()), math.sqrt(variance)
    half = float(t.ppf((1 + level) / 2, df)) * se
    p = float(2 * t.sf(abs(difference) / se, df)) if se else 1.0  # nothing varies, so nothing can be told
    low, high = difference - half, difference + half
    return SeedSpread(difference, variance_patients, variance_a, variance_b, df, low, high, level, p)
