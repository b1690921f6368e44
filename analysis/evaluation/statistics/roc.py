"""Receiver operating characteristics: each class against the rest, their mean, and all pooled.

References
----------
Fawcett (2006), An introduction to ROC analysis, doi:10.1016/j.patrec.2005.10.010. Davis and Goadrich (2006), The
relationship between precision-recall and ROC curves, doi:10.1145/1143844.1143874.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from sklearn.metrics import auc, roc_curve

from analysis.arrays import Floats, Mask, Weights
from analysis.evaluation.predictions import Predictions

MACRO_GRID = np.linspace(0, 1, 501)
BAND_GRID = np.linspace(0, 1, 101)


@dataclass(frozen=True)
class Roc:
    """A curve from (0, 0) to (1, 1) and the area under it; undefined: no points, NaN."""

    fpr: Floats
    tpr: Floats
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


def binary_roc(positive: Mask, score: Floats) -> Roc:
    """Return the curve of ``score`` for ``positive``, each of shape (n,); undefined if one side is empty."""
    if positive.all() or not positive.any():
        return UNDEFINED
    fpr, tpr, _ = roc_curve(positive, score)
    return Roc(fpr, tpr, float(auc(fpr, tpr)))


@dataclass(frozen=True)
class ThresholdCounts:
    """True and false positives of B resamples at each threshold, none first, then the highest: (B, thresholds + 1)."""

    tp: Floats
    fp: Floats

    @classmethod
    def of(cls, weights: Weights, positive: Mask, score: Floats) -> ThresholdCounts:
        """Return the counts for ``weights`` (B, n) of images with ``score`` (n,)."""
        order = np.argsort(-score, kind="stable")
        last = np.flatnonzero(np.diff(score[order], append=np.nan))  # of equal scores
        of_order = weights[:, order].astype(np.float64)
        sides = (np.cumsum(of_order * side[order], axis=1)[:, last] for side in (positive, ~positive))
        return cls(*(np.pad(side, ((0, 0), (1, 0))) for side in sides))

    def first(self, resamples: int) -> ThresholdCounts:
        """Return the first ``resamples`` of them."""
        return ThresholdCounts(self.tp[:resamples], self.fp[:resamples])

    def average_precision(self) -> Floats:
        """Return the mean of precision over the steps of recall, shape (B,); NaN without positives."""
        steps = np.diff(self.tp, axis=1)
        precision = self._precision()[:, 1:]
        positives = self.tp[:, -1]
        total = np.where(steps > 0, steps * precision, 0).sum(axis=1)
        mean: Floats = np.divide(total, positives, out=np.full(len(total), np.nan), where=positives > 0)
        return mean

    def curve(self, kind: Literal["roc", "pr"]) -> Floats:
        """Return the curve at ``BAND_GRID``, shape (B, 101); NaN where a side is empty.

        ``roc``: sensitivity at each false positive rate, between thresholds on the straight line. ``pr``: precision at
        the highest threshold that reaches each recall; between thresholds a straight line would flatter.
        """
        found = np.full((len(self.tp), len(BAND_GRID)), np.nan)
        precision = self._precision()
        for b in np.flatnonzero((self.tp[:, -1] > 0) & (self.fp[:, -1] > 0)):
            recall = self.tp[b] / self.tp[b, -1]
            if kind == "roc":
                found[b] = np.interp(BAND_GRID, self.fp[b] / self.fp[b, -1], recall)
            else:
                place = np.searchsorted(recall, np.maximum(BAND_GRID - 1e-12, 1e-12))
                found[b] = precision[b, place]
        return found

    def _precision(self) -> Floats:
        called = self.tp + self.fp
        return np.divide(self.tp, called, out=np.ones_like(called), where=called > 0)


def _mean(curves: list[Roc]) -> Roc:
    if any(curve is UNDEFINED for curve in curves):
        return UNDEFINED
    tpr = np.mean([np.interp(MACRO_GRID, curve.fpr, curve.tpr) for curve in curves], axis=0)
    area = float(np.mean([curve.auroc for curve in curves]))
    return Roc(np.r_[0.0, MACRO_GRID], np.r_[0.0, tpr], area)
