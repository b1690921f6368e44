"""Measures of a classifier of K classes.

Those of the confusion matrix take one matrix, or a stack of them (as resampling makes), of shape
(..., K, K): rows are true classes, columns predicted ones. What is undefined is NaN.

References
----------
Gorodkin (2004), Comparing two K-category assignments by a K-category correlation coefficient,
doi:10.1016/j.compbiolchem.2004.09.006. Brier (1950), Verification of forecasts expressed in terms of
probability, doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from analysis.arrays import Counts, Floats, Indices, Mask
from analysis.evaluation.settings import LOG_LOSS_CLIP

ROUNDING = 1e-12
"""Of weighted counts: a share below it is none."""


def confusion_matrix(y_true: Indices, y_pred: Indices, classes: int) -> Counts:
    """Return the (K, K) counts of images by true (row) and predicted (column) class."""
    cells = np.bincount(y_true * classes + y_pred, minlength=classes * classes)
    return cells.reshape(classes, classes).astype(np.int64)


def row_shares(matrix: Counts) -> Floats:
    """Return each cell as a share of its row; NaN in the row of a class without images."""
    return _ratio(matrix, matrix.sum(axis=-1, keepdims=True))


def sensitivity(matrix: Counts) -> Floats:
    """Return TP / (TP + FN) of each class against the rest, shape (..., K)."""
    tp, _, fn, _ = one_vs_rest(matrix)
    return _ratio(tp, tp + fn)


def specificity(matrix: Counts) -> Floats:
    """Return TN / (TN + FP) of each class against the rest, shape (..., K)."""
    _, fp, _, tn = one_vs_rest(matrix)
    return _ratio(tn, tn + fp)


def ppv(matrix: Counts) -> Floats:
    """Return the positive predictive value (precision) TP / (TP + FP), shape (..., K)."""
    tp, fp, _, _ = one_vs_rest(matrix)
    return _ratio(tp, tp + fp)


def npv(matrix: Counts) -> Floats:
    """Return the negative predictive value TN / (TN + FN), shape (..., K)."""
    _, _, fn, tn = one_vs_rest(matrix)
    return _ratio(tn, tn + fn)


def f1(matrix: Counts) -> Floats:
    """Return 2 TP / (2 TP + FP + FN) of each class, shape (..., K)."""
    tp, fp, fn, _ = one_vs_rest(matrix)
    return _ratio(2 * tp, 2 * tp + fp + fn)


def macro(values: Floats) -> Floats:
    """Return the unweighted mean of the classes, undefined where one of them is."""
    return np.asarray(values.mean(axis=-1))


def accuracy(matrix: Counts) -> Floats:
    """Return the share of images on the diagonal, shape (...)."""
    return _ratio(np.trace(matrix, axis1=-2, axis2=-1), matrix.sum(axis=(-2, -1)))


def mcc(matrix: Counts) -> Floats:
    """Return Gorodkin's R_K, -1 to 1, shape (...); undefined if truths or predictions are all of one class."""
    total = matrix.sum(axis=(-2, -1)).astype(np.float64)
    true, predicted = (matrix.sum(axis=axis).astype(np.float64) for axis in (-1, -2))
    correct = np.trace(matrix, axis1=-2, axis2=-1)
    covariance = correct * total - (true * predicted).sum(axis=-1)
    spreads = [total**2 - (side**2).sum(axis=-1) for side in (true, predicted)]
    one_class = np.minimum(*spreads) <= ROUNDING * total**2
    return _ratio(covariance, np.sqrt(np.where(one_class, 0, spreads[0] * spreads[1])))


def class_mcc(matrix: Counts) -> Floats:
    """Return the Matthews correlation of each class against the rest, shape (..., K)."""
    tp, fp, fn, tn = (part.astype(np.float64) for part in one_vs_rest(matrix))
    return _ratio(tp * tn - fp * fn, np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)))


def one_vs_rest(matrix: Counts) -> tuple[Counts, Counts, Counts, Counts]:
    """Return TP, FP, FN and TN of each class against the rest, each of shape (..., K)."""
    tp = np.diagonal(matrix, axis1=-2, axis2=-1)
    # Sums, no differences: of weights nothing is left over.
    other = 1 - np.eye(matrix.shape[-1], dtype=np.int64)
    fp = np.einsum("...rk,kr->...k", matrix, other)
    fn = np.einsum("...kc,kc->...k", matrix, other)
    tn = np.einsum("...rc,kc,kr->...k", matrix, other, other, optimize=True)
    return tp, fp, fn, tn


def brier_scores(y_true: Indices, y_score: Floats) -> Floats:
    """Return sum_k (p_k - [y = k])^2 of each image, 0 to 2, shape (n,); the Brier score is their mean."""
    one_hot = np.eye(y_score.shape[1])[y_true]
    return np.asarray(((y_score - one_hot) ** 2).sum(axis=1))


def log_losses(y_true: Indices, y_score: Floats) -> Floats:
    """Return -ln of the probability of the true class of each image, clipped at 1e-12, shape (n,)."""
    probability = y_score[np.arange(len(y_true)), y_true]
    return np.asarray(-np.log(np.clip(probability, LOG_LOSS_CLIP, 1.0)))


OF_ALL: dict[str, Callable[[Counts], Floats]] = {"accuracy": accuracy, "mcc": mcc}
"""The measures of all images that follow from the matrix, by id as in the vocabulary."""
OF_CLASS: dict[str, Callable[[Counts], Floats]] = {
    "sensitivity": sensitivity,
    "specificity": specificity,
    "ppv": ppv,
    "npv": npv,
    "f1": f1,
    "mcc": class_mcc,
}
"""Those of each class against the rest."""
IMAGE_LOSSES: dict[str, Callable[[Indices, Floats], Floats]] = {
    "brier": brier_scores,
    "log_loss": log_losses,
}
"""What each image adds to a loss."""
COUNTED_AND_RIGHT: dict[str, Callable[[Mask, Mask], tuple[Mask, Mask]]] = {
    "sensitivity": lambda true, called: (true, called),
    "specificity": lambda true, called: (~true, ~called),
    "ppv": lambda true, called: (called, true),
    "npv": lambda true, called: (~called, ~true),
}
"""Of the measures of a class that are shares of images: which are counted, and which of these are right.

They are told by whether each image is truly of the class, and whether it is called so.
"""


def _ratio(part: Counts, whole: Counts) -> Floats:
    part, whole = np.broadcast_arrays(np.asarray(part, np.float64), np.asarray(whole, np.float64))
    ratio: Floats = np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole != 0)
    return ratio
