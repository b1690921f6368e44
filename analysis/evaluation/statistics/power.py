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


def detectable_difference(se: float, comparisons: int, alpha: float = 0.05) -> float:
    """Return the smallest difference found with 80 % power (``settings.POWER``) when it is one of ``comparisons`` tests.

    ``se`` is the bootstrap standard error of the difference: it depends on how often the models disagree, not
    on the difference that was seen.
    """
    return float((norm.ppf(1 - alpha / (2 * comparisons)) + norm.ppf(settings.POWER)) * se)


def detectable_gain(
    n: int, discordance: float, alpha: float = settings.PLANNING_ALPHA, power: float = settings.POWER
) -> float:
    """Return the gain in accuracy that McNemar's exact test on ``n`` images finds with ``power``.

    ``discordance`` is the share of images that only one of the models gets right; a gain cannot be
    larger. The power is summed over the number of discordant images (Duffy 1984); Connor's (1987) formula
    approximates it for large n. NaN if even a gain in all of them would not be found.
    """
    discordant = np.arange(n + 1)
    chance = binom.pmf(discordant, n, discordance)
    critical = binom.ppf(alpha / 2, discordant, 0.5)
    critical -= binom.cdf(critical, discordant, 0.5) > alpha / 2

    def lacking(gain: float) -> float:
        better = (1 + gain / discordance) / 2
        found = binom.cdf(critical, discordant, better) + binom.cdf(critical, discordant, 1 - better)
        return power - float(chance @ found)

    return float(brentq(lacking, 0, discordance)) if lacking(discordance) < 0 else float("nan")
