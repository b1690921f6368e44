"""Published figures and ours in the same form, each with its standard error.

That of a published figure comes from a multinomial bootstrap of the published confusion matrix, that of ours from
patients drawn again, with the variance of the seeds if there are several. As in scikit-learn's reports a share of no
images counts as 0 here, and nowhere else.

References
----------
Efron and Tibshirani (1993), An introduction to the bootstrap, doi:10.1201/9780429246593.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.arrays import Counts, Floats, Weights
from analysis.evaluation import settings
from analysis.evaluation.predictions import Predictions
from analysis.evaluation.results_file import Results
from analysis.evaluation.statistics import metrics
from analysis.evaluation.statistics.resampling import Clusters, bootstrap, clusters, confusion_matrices
from analysis.vocabulary.measures import BY_CLASS, MACRO, WEIGHTED

NAN = float("nan")
ENDS = tuple(round((1 + side * settings.LEVEL) / 2, 6) for side in (-1, 1))
"""Quantiles between which an interval of ``settings.LEVEL`` lies."""


@dataclass(frozen=True)
class Known:
    """A value with its standard error and, if it has one, its interval; unknown is NaN."""

    value: float
    se: float = NAN
    low: float = NAN
    high: float = NAN


def matrix_figures(matrices: Counts, classes: Sequence[str]) -> dict[str, Floats]:
    """Return every measure of matrices of shape (B, K, K), each of shape (B,); shares of no images are 0.

    Averages are also ``weighted`` by the images of the classes, as scikit-learn's reports have them.
    """
    supports = matrices.sum(axis=-1)
    shares = supports / supports.sum(axis=-1, keepdims=True)
    found = {"accuracy": metrics.accuracy(matrices)}
    for measure in BY_CLASS:
        values = np.nan_to_num(metrics.OF_CLASS[measure.id](matrices))
        found |= {f"{measure.id}.{c}": values[:, k] for k, c in enumerate(classes)}
        found[f"{measure.id}.{MACRO}"] = values.mean(axis=-1)
        found[f"{measure.id}.{WEIGHTED}"] = (values * shares).sum(axis=-1)
    return found


def published_figures(
    confusion: Sequence[Sequence[int]] | None, images: int | None, accuracy: float, classes: Sequence[str]
) -> dict[str, Known]:
    """Return what follows from a published matrix, or of a number of images and an accuracy the accuracy alone.

    The accuracy is the same multinomial with two cells: right and wrong.

    Parameters
    ----------
    confusion : K sequences of K ints, or None
        The published matrix, rows true.
    images : int or None
        How many it was measured on.
    accuracy : float
        0 to 1, as it was published; NaN without one.
    classes : sequence of K str
    """
    if confusion is not None:
        return _multinomial_figures(np.array(confusion), classes)
    if images is None:
        return {}
    right = round(accuracy * images)
    found = _multinomial_figures(np.array([[right, images - right], [0, 0]]), ("right", "wrong"))
    return {"test.accuracy": found["test.accuracy"]}


def _multinomial_figures(matrix: Counts, classes: Sequence[str]) -> dict[str, Known]:
    total, number = matrix.sum(), settings.PUBLISHED_RESAMPLES
    rng = np.random.default_rng(settings.SEED)
    drawn = rng.multinomial(total, matrix.ravel() / total, size=number)
    values = matrix_figures(matrix[None], classes)
    draws = matrix_figures(drawn.reshape(number, *matrix.shape), classes)
    return {
        f"test.{name}": Known(float(value[0]), float(draws[name].std(ddof=1)))
        for name, value in values.items()
    }


def own_figures(results: Results, model: str, predictions: Sequence[Predictions]) -> dict[str, Known]:
    """Return our figures by the names that published ones have: ``test.f1.macro``, ``training.epochs_run``.

    Parameters
    ----------
    results : dict of str to Entry
        The evaluation of the model.
    predictions : sequence of Predictions
        Those of its trainings on test.
    """
    known = {
        name.removeprefix(f"{model}."): Known(*(_number(item[k]) for k in ("value", "se", "low", "high")))
        for name, item in results.items()
    }
    weights = bootstrap(_one_stratum(predictions[0]), settings.RESAMPLES)
    once = [_figures(p, np.ones((1, len(p.y_true)))) for p in predictions]
    drawn = [_figures(p, weights) for p in predictions]
    for name in once[0]:
        values = [float(figures[name][0]) for figures in once]
        draws = np.mean([figures[name] for figures in drawn], axis=0)
        known[f"test.{name}"] = _with_spread(known.get(f"test.{name}", Known(NAN)), values, draws)
    return known


def _with_spread(evaluated: Known, values: Sequence[float], draws: Floats) -> Known:
    """Return a figure as it was evaluated, with what that lacks: the interval, or value and interval.

    ``values`` are those of each training, ``draws`` their mean in each resample.
    """
    seeds = float(np.var(values, ddof=1)) / len(values) if len(values) > 1 else 0.0
    se = float(np.sqrt(draws.var(ddof=1) + seeds))
    low, high = evaluated.low, evaluated.high
    if np.isnan(low):
        low, high = np.quantile(draws, ENDS)
    value = float(np.mean(values)) if np.isnan(evaluated.value) else evaluated.value
    return Known(value, se, low, high)


def _one_stratum(predictions: Predictions) -> Clusters:
    """Return the patients as they are drawn here: the numbers of the classes vary, as in the published matrices."""
    return clusters(predictions.patient_id, np.zeros_like(predictions.y_true))


def _number(value: float | None) -> float:
    return NAN if value is None else float(value)


def _figures(predictions: Predictions, weights: Weights) -> dict[str, Floats]:
    matrices = confusion_matrices(weights, predictions.y_true, predictions.y_pred, len(predictions.classes))
    return matrix_figures(matrices, predictions.classes)


def agree(theirs: Known, ours: Known) -> bool:
    """Tell whether two figures differ by at most 1.96 standard errors of their difference."""
    distance = abs(theirs.value - ours.value)
    return bool(distance <= settings.AGREEMENT_Z * np.hypot(theirs.se, ours.se))
