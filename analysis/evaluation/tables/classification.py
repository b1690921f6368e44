"""Results that follow from true and predicted classes alone, without probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.arrays import Counts, Floats, Indices, Labels, Mask
from analysis.evaluation.predictions import Predictions
from analysis.evaluation.results_file import COUNT, MEAN_OF_CLASSES, Basis, Entry, Results, entry
from analysis.evaluation.statistics import metrics
from analysis.vocabulary.measures import FROM_MATRIX, Measure


@dataclass(frozen=True)
class Labelled:
    """True and predicted class of n images, with their patients and the file they come from.

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
    y_true: Indices
    y_pred: Indices
    patient_id: Labels
    artifact: str

    @classmethod
    def from_predictions(cls, predictions: Predictions, artifact: str) -> Labelled:
        """Return the images with the most probable classes of ``predictions``."""
        p = predictions
        return cls(p.classes, p.y_true, p.y_pred, p.patient_id, artifact)

    @property
    def matrix(self) -> Counts:
        """The confusion matrix, rows true."""
        return metrics.confusion_matrix(self.y_true, self.y_pred, len(self.classes))

    def basis(self, rows: Mask | None = None) -> Basis:
        """Return what a value computed on ``rows`` (all of them) rests on."""
        patient_id = self.patient_id if rows is None else self.patient_id[rows]
        return Basis(self.artifact, len(patient_id), len(set(patient_id)))

    def counted_and_right(self, measure: str, class_id: str) -> tuple[Mask, Mask]:
        """Return which images a measure of a class is a share of, and which are right; all, if it is no such share."""
        if measure not in metrics.COUNTED_AND_RIGHT:
            return np.ones(len(self.y_true), dtype=bool), self.y_pred == self.y_true
        k = self.classes.index(class_id)
        return metrics.COUNTED_AND_RIGHT[measure](self.y_true == k, self.y_pred == k)


def classification_results(labelled: Labelled) -> Results:
    """Return counts and measures under the names ``<measure>[.<class or macro>]``."""
    matrix, basis = labelled.matrix, labelled.basis()
    results: Results = {"n": entry(basis.n, COUNT, basis)}
    for measure in FROM_MATRIX:
        if measure.of_all:
            value = metrics.OF_ALL[measure.id](matrix)
            results[measure.id] = entry(value, measure.method, basis, reason_null=measure.undefined)
        if measure.of_class:
            values = metrics.OF_CLASS[measure.id](matrix)
            results |= _class_results(labelled, measure, values)
            means = measure.means(labelled.classes).items()
            results |= {f"{measure.id}.{of}": mean_entry(labelled, values, ks) for of, ks in means}
    return results | _cells(labelled)


def _class_results(labelled: Labelled, measure: Measure, values: Floats) -> Results:
    return {
        f"{measure.id}.{class_id}": entry(
            values[k],
            measure.method_of_class,
            labelled.basis(labelled.counted_and_right(measure.id, class_id)[0]),
            reason_null=measure.undefined_of_class,
        )
        for k, class_id in enumerate(labelled.classes)
    }


def mean_entry(labelled: Labelled, values: Floats, ks: Sequence[int]) -> Entry:
    """Return the entry of the unweighted mean of ``values``, one per class, over the classes with the indices ``ks``."""
    undefined = [labelled.classes[k] for k in ks if np.isnan(values[k])]
    reason = f"undefined for {', '.join(undefined)}"
    return entry(metrics.macro(values[[*ks]]), MEAN_OF_CLASSES, labelled.basis(), reason_null=reason)


def _cells(labelled: Labelled) -> Results:
    """Return the images of each class, and the cells of the confusion matrix as counts and as shares of their row."""
    results: Results = {}
    matrix, shares = labelled.matrix, metrics.row_shares(labelled.matrix)
    for t, true in enumerate(labelled.classes):
        basis = labelled.basis(labelled.y_true == t)
        results[f"support.{true}"] = entry(basis.n, COUNT, basis)
        for p, predicted in enumerate(labelled.classes):
            results[f"confusion.{true}.{predicted}"] = entry(matrix[t, p], COUNT, basis)
            results[f"confusion_share.{true}.{predicted}"] = entry(
                shares[t, p], "share of the true class", basis, reason_null="no image of this class"
            )
    return results
