"""How well a fixed model tells the classes apart from a few features: out of fold, whole patients in one fold.

References
----------
DeLong, DeLong and Clarke-Pearson (1988), Comparing the areas under two or more correlated receiver operating
characteristic curves, doi:10.2307/2531595. Obuchowski (1997), Nonparametric analysis of clustered ROC curve data,
doi:10.2307/2533958. Nadeau and Bengio (2003), Inference for the generalization error, doi:10.1023/A:1024068626366.
Forman and Scholz (2010), Apples-to-apples in cross-validation studies, doi:10.1145/1882471.1882479: why areas are
averaged over folds and not taken of the pooled scores.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedGroupKFold
from threadpoolctl import threadpool_limits

from analysis.arrays import Floats, Indices, Labels
from analysis.evaluation import settings
from analysis.evaluation.predictions import Predictions
from analysis.evaluation.results_file import MEAN_OF_CLASSES, Basis, Entry, bounded, entry
from analysis.evaluation.statistics import intervals
from analysis.evaluation.statistics.roc import roc_curves
from analysis.vocabulary.measures import MACRO

FOLDS = 5
FEWEST_PATIENTS = 2 * FOLDS
"""Of a class, so that every fold has two of them; a class with fewer is left out."""
# Those of the reference classifier on thumbnails; fixed, and nothing is chosen by what they find.
MODEL = {"max_iter": 100, "learning_rate": 0.1, "max_leaf_nodes": 31, "early_stopping": False}


@dataclass(frozen=True)
class OutOfFold:
    """Probabilities of images by models that have seen no image of their patients.

    Parameters
    ----------
    predictions : Predictions
        Of n images of K classes.
    fold : (n,) array of int
        From 0.
    left_out : tuple of str
        Classes with too few patients.
    """

    predictions: Predictions
    fold: Indices
    left_out: tuple[str, ...]


def predict(values: Floats, of: Predictions, seed: int = settings.SEED) -> OutOfFold | str:
    """Return the probability of each class for every image; where that cannot be had, the reason.

    Parameters
    ----------
    values : (n, d) array of float
        What the model is fitted on; NaN is a value of its own.
    of : Predictions
        Labels and patients of the n images; its scores are not looked at.
    seed : int
        By which the folds are drawn and the trees grown.
    """
    named = [(k, name) for k, name in enumerate(of.classes)]
    patients = {k: len(set(of.patient_id[of.y_true == k])) for k, _ in named}
    kept = [k for k, _ in named if patients[k] >= FEWEST_PATIENTS]
    left_out = tuple(name for k, name in named if 0 < patients[k] < FEWEST_PATIENTS)
    if len(kept) < 2:
        return f"fewer than two classes have images of {FEWEST_PATIENTS} patients"
    rows = np.flatnonzero(np.isin(of.y_true, kept))
    y_true, patient = np.searchsorted(kept, of.y_true[rows]), of.patient_id[rows]
    fold = np.empty(len(rows), dtype=np.intp)
    y_score = np.zeros((len(rows), len(kept)))
    for j, (train, test) in enumerate(_folds(y_true, patient, seed)):
        fold[test] = j
        trees = HistGradientBoostingClassifier(**MODEL, random_state=seed)
        # Several threads wait for one another in a busy loop: minutes where other work needs the cores.
        with threadpool_limits(1, "openmp"):
            trees.fit(values[rows[train]], y_true[train])
            y_score[np.ix_(test, trees.classes_)] = trees.predict_proba(values[rows[test]])
    classes = tuple(of.classes[k] for k in kept)
    predictions = Predictions(classes, of.image_id[rows], patient, y_true.astype(np.intp), y_score)
    return OutOfFold(predictions, fold, left_out)


def _folds(y_true: Indices, patient: Labels, seed: int) -> Iterator[tuple[Indices, Indices]]:
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    yield from folds.split(y_true, y_true, patient)


def areas(found: OutOfFold, artifact: str) -> dict[str, Entry]:
    """Return the AUROC of each class against the rest, and ``macro``, their mean, averaged over the folds.

    The interval is Obuchowski's by patients with the influences of each fold over the number of folds: it holds for
    these five models. `fold_error` tells how the folds differ.
    """
    p = found.predictions
    basis = Basis(artifact, len(p.y_true), len(set(p.patient_id)))
    method = f"{MEAN_OF_CLASSES}, mean of {FOLDS} folds by patients"
    of_fold = by_fold(found)
    phi = _influences(found)
    results = {}
    for name in (*p.classes, MACRO):
        area = float(np.mean([area[name] for area in of_fold]))
        how = method if name == MACRO else method.removeprefix(f"{MEAN_OF_CLASSES}, ")
        item = entry(area, how, basis, reason_null="a fold has no image of a class")
        results[name] = bounded(item, intervals.auroc(area, phi[name], p.patient_id))
    return results


def by_fold(found: OutOfFold) -> list[dict[str, float]]:
    """Return the AUROC of each class and ``macro`` in each fold; NaN where it has no image of a class."""
    return [
        {name: curve.auroc for name, curve in roc_curves(_part(found, fold)).items()} for fold in range(FOLDS)
    ]


def fold_error(found: OutOfFold) -> float:
    """Return the standard error of the macro AUROC by how the folds differ (Nadeau and Bengio 2003)."""
    of_fold = [areas[MACRO] for areas in by_fold(found)]
    return float(np.sqrt((1 / FOLDS + 1 / (FOLDS - 1)) * np.var(of_fold, ddof=1)))


def _influences(found: OutOfFold) -> dict[str, Floats]:
    """Return what each image adds to the error of the mean over the folds, by class and ``macro``."""
    names: Sequence[str] = (*found.predictions.classes, MACRO)
    phi = {name: np.empty(len(found.fold)) for name in names}
    for fold in range(FOLDS):
        of_fold = intervals.auroc_influences(_part(found, fold))
        for name in names:
            phi[name][found.fold == fold] = of_fold[f"auroc.{name}"] / FOLDS
    return phi


def _part(found: OutOfFold, fold: int) -> Predictions:
    rows, p = found.fold == fold, found.predictions
    return Predictions(p.classes, p.image_id[rows], p.patient_id[rows], p.y_true[rows], p.y_score[rows])
