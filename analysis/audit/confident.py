"""Confident learning: which images a model puts into another class than their label, more surely than is usual there.

References
----------
Northcutt, Jiang and Chuang (2021), Confident learning: estimating uncertainty in dataset labels,
doi:10.1613/jair.1.12125: a class' threshold is the mean probability of that class among the images that bear its label;
an image is counted in the class whose threshold its probability reaches, in the most probable of several.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.arrays import Floats, Indices, Mask


@dataclass(frozen=True)
class Confident:
    """What a model says of n labels of K classes.

    Parameters
    ----------
    thresholds : (K,) array of float
        NaN for a class that no label names.
    says : (n,) array of int
        The class that an image is counted in; where it reaches no threshold, the most probable one.
    disagrees : (n,) array of bool
        The image is counted in another class than its label.
    self_confidence : (n,) array of float
        The probability of the label.
    """

    thresholds: Floats
    says: Indices
    disagrees: Mask
    self_confidence: Floats

    def rank(self) -> Indices:
        """Return the places of the images with which the model disagrees: those of the least probable labels first."""
        order = np.argsort(self.self_confidence, kind="stable")
        return np.asarray(order[self.disagrees[order]], dtype=np.intp)


def judge(y_true: Indices, y_score: Floats) -> Confident:
    """Return what out-of-sample probabilities ``y_score`` (n, K) say of the labels ``y_true`` (n,)."""
    classes = y_score.shape[1]
    thresholds = np.array(
        [y_score[y_true == k, k].mean() if (y_true == k).any() else np.nan for k in range(classes)]
    )
    reached = y_score >= thresholds  # no probability reaches NaN
    counted = np.where(reached, y_score, -1).argmax(axis=1)
    anywhere = reached.any(axis=1)
    says = np.where(anywhere, counted, y_score.argmax(axis=1)).astype(np.intp)
    self_confidence = y_score[np.arange(len(y_true)), y_true]
    return Confident(thresholds, says, anywhere & (counted != y_true), self_confidence)
