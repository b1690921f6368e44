"""What difference between two models could be detected at all.

References
----------
Connor (1987), Sample size for testing differences in proportions for the paired-sample design, doi:10.2307/2531961.
Duffy (1984), Asymptotic and exact power for the McNemar test and its analogue with R controls per case,
doi:10.2307/2531151.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq
from scipy.stats import binom, norm

from analysis.evaluation import settings


def detectable_difference(se: float, comparisons: int, alpha: float) -> float:
    """Return the smallest difference found with 80 % power (``settings.POWER``) when it is one of ``comparisons`` tests.

    Parameters
    ----------
    se : float
        The bootstrap standard error of the difference: it depends on how often the models disagree, not on the
        difference that was seen.
    comparisons : int
        How many are declared together.
    alpha : float
        The chance of a false decision in any of them.
    """
    return float((norm.ppf(1 - alpha / (2 * comparisons)) + norm.ppf(settings.POWER)) * se)


def detectable_gain(n: int, discordance: float, power: float = settings.POWER) -> float:
    """Return the gain in accuracy, 0 to ``discordance``, that McNemar's exact test finds with ``power``.

    The test takes images for independent. Where a patient has several, which are alike, only a larger gain is found. It is
    for planning, and decides no comparison.

    The power is summed over the number of discordant images (Duffy 1984); Connor's (1987) formula approximates it for
    large n. NaN if even a gain in all of them would not be found.

    Parameters
    ----------
    n : int
        Images.
    discordance : float
        The share of them that only one of the models gets right; a gain cannot be larger.
    power : float
        0 to 1. The test is made at ``settings.PLANNING_ALPHA``.
    """
    alpha = settings.PLANNING_ALPHA
    discordant = np.arange(n + 1)
    chance = binom.pmf(discordant, n, discordance)
    critical = binom.ppf(alpha / 2, discordant, 0.5)
    critical -= binom.cdf(critical, discordant, 0.5) > alpha / 2

    def lacking(gain: float) -> float:
        better = (1 + gain / discordance) / 2
        found = binom.cdf(critical, discordant, better) + binom.cdf(critical, discordant, 1 - better)
        return power - float(chance @ found)

    return float(brentq(lacking, 0, discordance)) if lacking(discordance) < 0 else float("nan")
