"""The mean of a measure over several splits of the same images, whose training sets overlap.

Splits share most of their images, so the variance of such a mean is larger than it looks: it is corrected by the ratio of
the images that a measure is on to those trained on.

References
----------
Nadeau and Bengio (2003), Inference for the generalization error, doi:10.1023/A:1024068626366.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.stats import t

from analysis.arrays import Floats
from analysis.evaluation.results_file import Interval
from analysis.evaluation.settings import LEVEL


def corrected_interval(values: Floats, ratio: float, over: str, *, is_difference: bool) -> Interval:
    """Return the t interval of the mean of ``values``, or none where all are equal.

    Parameters
    ----------
    values : array of float, shape (J,)
        The measure on each split.
    ratio : float
        Images that the measure is on, to those trained on.
    over : str
        What the splits are called, as in "draws".
    is_difference : bool
        The interval may go beyond 0 and 1.
    """
    mean, error = float(values.mean()), standard_error(values, ratio)
    method = f"corrected t over {over} (Nadeau and Bengio)"
    if error == 0:
        equal = f"the same on all {over}, so nothing tells how it varies"
        return Interval(math.nan, math.nan, LEVEL, error, method, equal)
    half = float(t.ppf((1 + LEVEL) / 2, len(values) - 1)) * error
    low, high = mean - half, mean + half
    if not is_difference:
        low, high = max(0.0, low), min(1.0, high)
    return Interval(low, high, LEVEL, error, method)


def standard_error(values: Floats, ratio: float) -> float:
    """Return the standard error of a mean over J splits: sqrt((1/J + ``ratio``) times the variance of ``values``, (J,))."""
    return float(np.sqrt((1 / len(values) + ratio) * np.var(values, ddof=1)))
