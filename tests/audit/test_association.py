"""Cramer's V against a case worked by hand and what it must be at both ends; the permutation test against its size."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2_contingency, fisher_exact

from analysis.audit.association import cramers_v, permutation_p


def test_v_as_bergsma_corrects_it_by_hand():
    # chi^2 of ((30, 10), (10, 30)) is 20, so phi^2 = 0.25 - 1/79, and rows and columns are 2 - 1/79.
    assert cramers_v(np.array([[30, 10], [10, 30]])) == pytest.approx(np.sqrt((0.25 - 1 / 79) / (1 - 1 / 79)))


def test_v_is_one_where_the_value_tells_the_class_and_ignores_what_does_not_occur():
    table = np.array([[50, 0, 0], [0, 60, 0], [0, 0, 0]])
    assert cramers_v(table) == pytest.approx(1)
    assert np.isnan(cramers_v(np.array([[5, 0], [9, 0]])))


def test_v_has_no_bias_where_nothing_goes_together():
    rng = np.random.default_rng(0)
    tables = [np.bincount(rng.integers(0, 12, 120), minlength=12).reshape(3, 4) for _ in range(400)]
    raw = [np.sqrt(chi2_contingency(t, correction=False).statistic / t.sum() / 2) for t in tables]
    assert np.mean(raw) > 0.14
    assert np.mean([cramers_v(t) for t in tables]) < 0.06


def test_the_permutation_test_is_fishers_exact_test_of_four_cells():
    table = np.array([[12, 5], [4, 13]])
    assert permutation_p(table) == pytest.approx(fisher_exact(table).pvalue, abs=0.004)


def test_the_permutation_test_keeps_its_size_in_a_thin_table():
    rng = np.random.default_rng(1)
    found = []
    for _ in range(200):
        table = np.zeros((3, 6), dtype=int)
        np.add.at(table, (rng.integers(0, 3, 40), rng.integers(0, 6, 40)), 1)
        found.append(permutation_p(table))
    assert 0.01 <= np.mean(np.array(found) <= 0.05) <= 0.09
