"""What could be detected, against formulas of others and against drawing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binomtest, norm

from analysis.evaluation.statistics.power import detectable_difference, detectable_gain


def test_detectable_difference_is_found_with_the_power_named() -> None:
    for comparisons in (1, 3):
        mdd = detectable_difference(0.012, comparisons, 0.05)
        z = norm.ppf(1 - 0.05 / (2 * comparisons))
        assert norm.sf(z - mdd / 0.012) == pytest.approx(0.8)
    assert detectable_difference(1, 1, 0.05) == pytest.approx(1.960 + 0.842, abs=5e-4)
    assert detectable_difference(0, 2, 0.05) == 0


def connor(gain: float, discordance: float, power: float = 0.8) -> float:
    """Return the number of pairs by Connor (1987), doi:10.2307/2531961."""
    z = norm.ppf(0.975) * math.sqrt(discordance) + norm.ppf(power) * math.sqrt(discordance - gain**2)
    return (z / gain) ** 2


def test_connors_pairs() -> None:
    """SAS/STAT and R's MESS::power_mcnemar_test: .05 against .45 discordant, power .8: 22 pairs."""
    assert round(connor(0.4, 0.5)) == 22


@pytest.mark.parametrize("discordance", [0.05, 0.1, 0.2, 0.3])
def test_detectable_gain_is_close_to_connors_for_many_pictures(discordance: float) -> None:
    for power in (0.8, 0.9):
        gain = detectable_gain(5_000, discordance, power=power)
        assert connor(gain, discordance, power) == pytest.approx(5_000, rel=0.06)
        # The exact test has a little less power than the asymptotic one.
        assert connor(gain, discordance, power) < 5_000


def test_detectable_gain_of_the_assignment() -> None:
    """The points that the plan prints, rounded up: for those of statistics.md the power is 80 % or more."""
    gains = [100 * detectable_gain(1258, share) for share in (0.05, 0.1, 0.2, 0.3)]
    assert [math.ceil(10 * gain) / 10 for gain in gains] == [1.9, 2.6, 3.6, 4.4]


def test_exact_power_of_duffy() -> None:
    """R's MESS::power_mcnemar_test(144, .25, .45/.25, "exact", sig.level = .025, one sided): power .80."""
    assert detectable_gain(144, 0.70, power=0.795) < 0.20 < detectable_gain(144, 0.70, power=0.805)


def test_power_at_the_detectable_gain_by_drawing() -> None:
    n, discordance = 400, 0.2
    gain = detectable_gain(n, discordance)
    rng = np.random.default_rng(3)
    discordant = rng.binomial(n, discordance, 10_000)
    fixed = rng.binomial(discordant, (1 + gain / discordance) / 2)
    p = {pair: binomtest(*pair).pvalue for pair in set(zip(fixed.tolist(), discordant.tolist(), strict=True))}
    found = np.mean([p[pair] <= 0.05 for pair in zip(fixed.tolist(), discordant.tolist(), strict=True)])
    assert found == pytest.approx(0.8, abs=0.016)


def test_gain_that_no_test_of_so_few_pictures_finds() -> None:
    assert math.isnan(detectable_gain(20, 0.1))
