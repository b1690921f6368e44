"""How closely two groupings of patients go together: Cramer's V without its bias, and a permutation test.

References
----------
Cramér (1946), Mathematical Methods of Statistics, Princeton University Press. Bergsma (2013), A bias-correction for
Cramér's V and Tschuprow's T, doi:10.1016/j.jkss.2012.10.002. Patefield (1981), Algorithm AS 159: an efficient method of
generating random R x C tables with given row and column totals, doi:10.2307/2346669.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.stats import random_table
from scipy.stats.contingency import expected_freq

from analysis.arrays import Counts, Floats
from analysis.evaluation import settings

PERMUTATIONS = 9_999


def cramers_v(table: Counts) -> float:
    """Return Bergsma's V of a ``table`` of counts (r, c), 0 to 1; NaN where a side has one value that occurs.

    phi^2 is lessened by what independence would give on average, (r - 1)(c - 1)/(n - 1), and so are the numbers of rows
    and columns that it is divided by.
    """
    table = _occurring(table)
    r, c = table.shape
    n = table.sum()
    if min(r, c) < 2 or n < 2:
        return math.nan
    phi_squared = float(_chi_squared(table[None], table)[0] / n)
    corrected = max(0.0, phi_squared - (r - 1) * (c - 1) / (n - 1))
    fewest = min(side - (side - 1) ** 2 / (n - 1) for side in (r, c)) - 1
    return min(1.0, math.sqrt(corrected / fewest)) if fewest > 0 else math.nan


def permutation_p(table: Counts, seed: int = settings.SEED) -> float:
    """Return how rarely chi-squared is as large when values are dealt to classes by chance, both margins as they are.

    (1 + tables as extreme) / (1 + `PERMUTATIONS`), so never 0; NaN where a side has one value that occurs.
    """
    table = _occurring(table)
    if min(table.shape) < 2:
        return math.nan
    dealt = random_table(table.sum(axis=1), table.sum(axis=0), seed=np.random.default_rng(seed))
    found = _chi_squared(dealt.rvs(PERMUTATIONS), table)
    least = float(_chi_squared(table[None], table)[0]) * (1 - 1e-9)
    return float(1 + (found >= least).sum()) / (1 + PERMUTATIONS)


def _chi_squared(tables: Counts, of: Counts) -> Floats:
    """Return chi-squared of ``tables`` (B, r, c), which have the margins of one table, shape (B,)."""
    expected = expected_freq(of)
    return np.asarray(((tables - expected) ** 2 / expected).sum(axis=(1, 2)))


def _occurring(table: Counts) -> Counts:
    """Return a table without the rows and columns that are empty."""
    return table[np.ix_(table.any(axis=1), table.any(axis=0))].astype(np.int64)
