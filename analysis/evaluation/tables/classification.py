"""The results that follow from true and predicted classes alone, without probabilities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.evaluation.predictions import Predictions
from analysis.evaluation.results_file import COUNT, MEAN_OF_CLASSES, ONE_VS_REST, Basis, Entry, Results, entry
from analysis.evaluation.statistics import metrics

Mask = NDArray[np.bool_]
PER_CLASS: dict[str, Callable[[metrics.Counts], metrics.Floats]] = {
    "sensitivity": metrics.sensitivity,
    "specificity": metrics.specificity,
    "ppv": metrics.ppv,
    "npv": metrics.npv,
    "f1": metrics.f1,
}
WHY_UNDEFINED = {
    "sensitivity": "no picture of this class",
    "specificity": "no picture of another class",
    "ppv": "class never predicted",
    "npv": "no other class ever predicted",
    "f1": "class neither present nor predicted",
    "mcc": "truths or predictions are all on one side",
}


@dataclass(frozen=True)
class Labelled:
    """True and predicted class of n pictures, with their patients and the file they come from.

    Parameters
    ----------
    classes : tuple of str
        Class ids in the study's order.
    y_true, y_pred : (n,) arrays of int
        Indices of classes.
    patient_id : (n,) array of str
        Patients as ``predictions.cluster_ids`` gives them.
    artifact : str
        The file that the entries name as their origin.
    """

    classes: tuple[str, ...]
    y_true: NDArray[np.intp]
    y_pred: NDArray[np.intp]
    patient_id: NDArray[np.object_]
    artifact: str

    @classmethod
    def of(cls, predictions: Predictions, artifact: str) -> Labelled:
        """Return what the most probable classes of ``predictions`` make."""
        return cls(
            predictions.classes, predictions.y_true, predictions.y_pred, predictions.patient_id, artifact
        )

    @property
    def matrix(self) -> metrics.Counts:
        """The confusion matrix, rows true."""
        return metrics.confusion_matrix(self.y_true, self.y_pred, len(self.classes))

    def basis(self, rows: Mask | None = None) -> Basis:
        """Return what a value computed on ``rows`` (all of them) rests on."""
        patient_id = self.patient_id if rows is None else self.patient_id[rows]
        return Basis(self.artifact, len(patient_id), len(set(patient_id)))


def classification_results(labelled: Labelled) -> Results:
    """Return counts and measures under the names ``<measure>[.<class or macro>]``."""
    matrix, basis = labelled.matrix, labelled.basis()
    results: Results = {
        "n": entry(basis.n, COUNT, basis),
        "accuracy": entry(
            metrics.accuracy(matrix),
            "share of pictures classified correctly",
            basis,
            reason_null="no pictures",
        ),
        "mcc": entry(
            metrics.mcc(matrix),
            "Gorodkin's R_K",
            basis,
            reason_null="truths or predictions are all of one class",
        ),
    }
    for name, measure in PER_CLASS.items():
        values = measure(matrix)
        results |= _of_classes(labelled, name, values)
        results[f"{name}.macro"] = macro_entry(labelled, values)
    results |= _of_classes(labelled, "mcc", metrics.class_mcc(matrix))
    return results | _cells(labelled)


def macro_entry(labelled: Labelled, values: NDArray[np.float64]) -> Entry:
    """Return the entry of the unweighted mean of one value per class."""
    undefined = [name for name, value in zip(labelled.classes, values, strict=True) if np.isnan(value)]
    reason = f"undefined for {', '.join(undefined)}"
    return entry(metrics.macro(values), MEAN_OF_CLASSES, labelled.basis(), reason_null=reason)


def _of_classes(labelled: Labelled, name: str, values: NDArray[np.float64]) -> Results:
    return {
        f"{name}.{class_id}": entry(
            values[k],
            ONE_VS_REST,
            labelled.basis(denominator(labelled, name, k)),
            reason_null=WHY_UNDEFINED[name],
        )
        for k, class_id in enumerate(labelled.classes)
    }


def denominator(labelled: Labelled, measure: str, k: int) -> Mask:
    """Return the pictures that a measure of class ``k`` is a share of; all, if it is none of one class."""
    rows: dict[str, Mask] = {
        "sensitivity": labelled.y_true == k,
        "specificity": labelled.y_true != k,
        "ppv": labelled.y_pred == k,
        "npv": labelled.y_pred != k,
    }
    return rows.get(measure, np.ones(len(labelled.y_true), dtype=bool))


def _cells(labelled: Labelled) -> Results:
    results: Results = {}
    matrix, shares = labelled.matrix, metrics.row_shares(labelled.matrix)
    for t, true in enumerate(labelled.classes):
        basis = labelled.basis(labelled.y_true == t)
        results[f"support.{true}"] = entry(basis.n, COUNT, basis)
        for p, predicted in enumerate(labelled.classes):
            results[f"confusion.{true}.{predicted}"] = entry(matrix[t, p], COUNT, basis)
            results[f"confusion_share.{true}.{predicted}"] = entry(
                shares[t, p], "share of the true class", basis, reason_null="no picture of this class"
            )
    return results
