"""The mean over splits whose training sets overlap."""

from __future__ import annotations

import math

import numpy as np
import pytest

from analysis.evaluation.statistics.overlapping import corrected_interval


def test_the_interval_is_t_with_the_corrected_variance():
    """Five folds with a quarter as many test as training images: (1/5 + 1/4) s^2, and t(4) = 2.776445 at 95 %."""
    values = np.array([0.1, 0.2, 0.3, 0.4, 0.5])
    found = corrected_interval(values, 0.25, "folds", is_difference=True)
    assert found.se == pytest.approx(math.sqrt(0.45 * 0.025))
    assert found.low == pytest.approx(0.3 - 2.776445 * found.se, abs=1e-6)
    assert found.high == pytest.approx(0.3 + 2.776445 * found.se, abs=1e-6)
    assert found.method == "corrected t over folds (Nadeau and Bengio)"


def test_a_measure_stays_within_0_and_1_and_a_difference_does_not():
    values = np.array([0.9, 0.95, 1.0])
    assert corrected_interval(values, 0.5, "folds", is_difference=False).high == 1
    assert corrected_interval(values, 0.5, "folds", is_difference=True).high > 1


def test_equal_values_have_no_interval_and_a_reason():
    found = corrected_interval(np.full(3, 0.5), 0.5, "folds", is_difference=False)
    assert (
        math.isnan(found.low) and found.reason_null == "the same on all folds, so nothing tells how it varies"
    )
