"""Receiver operating characteristics: each class against the rest, their mean, and all pooled.

References
----------
Fawcett (2006), An introduction to ROC analysis, doi:10.1016/j.patrec.2005.10.010.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import auc, roc_curve

from analysis.evaluation.predictions import Predictions

MACRO_GRID = np.linspace(0, 1, 501)


@dataclass(frozen=True)
class Roc:
    """A curve from (0, 0) to (1, 1) and the area under it; undefined: no points, NaN."""

    fpr: NDArray[np.float64]
    tpr: NDArray[np.float64]
    auroc: float


UNDEFINED = Roc(np.empty(0), np.empty(0), float("nan"))


def roc_curves(predictions: Predictions) -> dict[str, Roc]:
    """Return the curve of each class id, then ``macro`` and ``micro``.

    The macro AUROC is the mean of those of the classes, not the area under the macro curve, which is the
    mean of the class curves interpolated on one grid.
    """
    truth = np.eye(len(predictions.classes), dtype=bool)[predictions.y_true]
    scores = predictions.y_score
    curves = {name: binary_roc(truth[:, k], scores[:, k]) for k, name in enumerate(predictions.classes)}
    return {
        **curves,
        "macro": _mean(list(curves.values())),
        "micro": binary_roc(truth.ravel(), scores.ravel()),
    }


def binary_roc(positive: NDArray[np.bool_], score: NDArray[np.float64]) -> Roc:
    """Return the curve of ``score`` for ``positive``, each of shape (n,); undefined if one side is empty."""
    if positive.all() or not positive.any():
        return UNDEFINED
    fpr, tpr, _ = roc_curve(positive, score)
    return Roc(fpr, tpr, float(auc(fpr, tpr)))


def _mean(curves: list[Roc]) -> Roc:
    if any(curve is UNDEFINED for curve in curves):
        return UNDEFINED
    tpr = np.mean([np.interp(MACRO_GRID, curve.fpr, curve.tpr) for curve in curves], axis=0)
    area = float(np.mean([curve.auroc for curve in curves]))
    return Roc(np.r_[0.0, MACRO_GRID], np.r_[0.0, tpr], area)
