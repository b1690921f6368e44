"""Time the measures of 2,000 resamples of 1,258 pictures of four classes: ours, and scikit-learn in a loop.

The loop does a sample of the resamples and is scaled up. Medians of CPU seconds; both give the same values.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    matthews_corrcoef,
    precision_recall_fscore_support,
    roc_auc_score,
)

from analysis.evaluation.statistics import metrics
from analysis.evaluation.statistics.resampling import bootstrap, clusters, confusion_matrices, weighted_auroc

N, K, RESAMPLES, LOOPED, RUNS = 1258, 4, 2_000, 20, 5
Values = NDArray[np.float64]


def pictures() -> tuple[NDArray[np.intp], Values, NDArray[np.uint16]]:
    """Return classes, probabilities and draws of patients with two pictures each."""
    rng = np.random.default_rng(0)
    y_true = rng.choice(K, N, p=[0.44, 0.07, 0.25, 0.24])
    y_score = rng.dirichlet(np.ones(K), N) + 0.4 * np.eye(K)[y_true]
    drawn = bootstrap(clusters(np.arange(N) // 2, y_true), RESAMPLES)
    return y_true, y_score, drawn


def ours_of_matrix(y_true: NDArray[np.intp], y_score: Values, drawn: NDArray[np.uint16]) -> Values:
    """Return accuracy, MCC, and sensitivity, PPV and F1 of each class, one row a resample."""
    matrices: Any = confusion_matrices(drawn, y_true, y_score.argmax(axis=1), K)
    by_class = [metrics.sensitivity(matrices), metrics.ppv(matrices), metrics.f1(matrices)]
    return np.column_stack([metrics.accuracy(matrices), metrics.mcc(matrices), *by_class])


def looped_of_matrix(y_true: NDArray[np.intp], y_score: Values, drawn: NDArray[np.uint16]) -> Values:
    """Return the same by scikit-learn, one resample after the other."""
    y_pred, rows = y_score.argmax(axis=1), []
    for weight in drawn:
        taken = np.repeat(np.arange(N), weight)
        true, predicted = y_true[taken], y_pred[taken]
        confusion_matrix(true, predicted, labels=range(K))
        ppv, sensitivity, f1, _ = precision_recall_fscore_support(true, predicted, labels=range(K))
        overall = [accuracy_score(true, predicted), matthews_corrcoef(true, predicted)]
        rows.append([*overall, *sensitivity, *ppv, *f1])
    return np.array(rows)


def ours_of_areas(y_true: NDArray[np.intp], y_score: Values, drawn: NDArray[np.uint16]) -> Values:
    """Return the AUROC of each class, one row a resample."""
    return np.column_stack([weighted_auroc(drawn, y_true == k, y_score[:, k]) for k in range(K)])


def looped_of_areas(y_true: NDArray[np.intp], y_score: Values, drawn: NDArray[np.uint16]) -> Values:
    """Return the same by scikit-learn, one resample after the other."""
    taken = [np.repeat(np.arange(N), weight) for weight in drawn]
    return np.array([[roc_auc_score(y_true[i] == k, y_score[i, k]) for k in range(K)] for i in taken])


def seconds(work: Callable[..., Values], *given: Any) -> tuple[float, Values]:
    """Return the CPU seconds of ``work``, and what it gave."""
    begun = time.process_time()
    found = work(*given)
    return time.process_time() - begun, found


def main() -> None:
    """Run both in turn, so that a drifting machine treats them alike, and print the medians."""
    y_true, y_score, drawn = pictures()
    for name, ours, looped in (
        ("confusion-matrix measures", ours_of_matrix, looped_of_matrix),
        ("AUROC of each class", ours_of_areas, looped_of_areas),
    ):
        times = []
        for _ in range(RUNS):
            mine, values = seconds(ours, y_true, y_score, drawn)
            theirs, expected = seconds(looped, y_true, y_score, drawn[:LOOPED])
            times.append((mine, theirs * RESAMPLES / LOOPED))
            np.testing.assert_allclose(values[:LOOPED], expected, rtol=1e-12)
        mine, theirs = (statistics.median(column) for column in zip(*times, strict=True))
        print(f"{name:26} {mine:7.3f} s  scikit-learn {theirs:7.1f} s  {theirs / mine:6.0f} x")


if __name__ == "__main__":
    main()
