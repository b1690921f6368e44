"""Whether one model's probabilities can be trusted: calibration of them as they are, and corrected.

Priors and temperature are fitted on the validation set and applied to the test set.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis.arrays import Weights
from analysis.evaluation import settings
from analysis.evaluation.predictions import Predictions
from analysis.evaluation.results_file import Basis, Entry, Interval, Results, bounded, entry
from analysis.evaluation.statistics import calibration
from analysis.evaluation.statistics.resampled import image_losses, percentile_interval
from analysis.vocabulary.measures import MEASURES, PRIOR, SCALED

BIASED = "biased upwards; hold it against the range expected of calibrated probabilities"


@dataclass(frozen=True)
class Corrected:
    """Predictions of each split at three stages: as they are, for the classes' shares, and with temperature.

    ``prior`` is as ``raw`` where the network was trained on the classes as they are.
    """

    raw: Mapping[str, Predictions]
    prior: Mapping[str, Predictions]
    scaled: Mapping[str, Predictions]
    temperature: float
    rebalanced: bool


def correct(
    predictions: Mapping[str, Predictions],
    training: Sequence[int],
    class_balance: str,
    class_weights: Sequence[float] | None = None,
) -> Corrected:
    """Return the corrected predictions; what corrects them is fitted on ``val`` alone.

    Parameters
    ----------
    predictions : mapping of str to Predictions
        ``val`` and what else is to be corrected.
    training : sequence of K ints
        Training images of each class.
    class_balance : str
        How the network was trained: "none", and no weights, need no correction for shares.
    class_weights : sequence of K floats, optional
        Weights of the classes in the training loss.
    """
    rebalanced = class_balance != "none" or class_weights is not None
    val = predictions["val"]
    prior = dict(predictions)
    if rebalanced:
        seen = calibration.effective_priors(training, class_balance, class_weights)
        target = np.bincount(val.y_true, minlength=len(val.classes)) / len(val.y_true)
        prior = {
            split: replace(p, y_score=calibration.prior_corrected(p.y_score, seen, target))
            for split, p in predictions.items()
        }
    temperature = calibration.fit_temperature(val.y_true, prior["val"].y_score)
    scaled = {
        split: replace(p, y_score=calibration.tempered(p.y_score, temperature)) for split, p in prior.items()
    }
    return Corrected(predictions, prior, scaled, temperature, rebalanced)


def calibration_results(corrected: Corrected, split: str, weights: Weights, artifact: str) -> Results:
    """Return Brier score, log loss and ECE: raw as they are named, corrected as ``..._prior`` and ``..._scaled``."""
    predictions = corrected.raw[split]
    basis = Basis(artifact, len(predictions.y_true), len(set(predictions.patient_id)))
    results = _expected(predictions, basis)
    for suffix, stage in _stages(corrected).items():
        results |= _losses(stage[split], suffix, weights, basis)
    if split == "val":
        how = "minimises the log loss on validation"
        results["temperature"] = entry(corrected.temperature, how, basis)
    return results


def _stages(corrected: Corrected) -> dict[str, Mapping[str, Predictions]]:
    """Return the predictions by what the names of their results end with."""
    prior = {PRIOR: corrected.prior} if corrected.rebalanced else {}
    return {"": corrected.raw, **prior, SCALED: corrected.scaled}


def _losses(predictions: Predictions, suffix: str, weights: Weights, basis: Basis) -> Results:
    results: Results = {}
    for name, losses in image_losses(predictions).items():
        draws = weights.astype(np.float64) @ losses / weights.sum(axis=1)
        item = entry(losses.mean(), MEASURES[name].method, basis)
        results[f"{name}{suffix}"] = bounded(item, percentile_interval(draws))
    y_true, y_score = predictions.y_true, predictions.y_score
    results[f"ece{suffix}"] = _unbounded(calibration.top_label_ece(y_true, y_score), basis)
    if not suffix:
        each = calibration.classwise_ece(y_true, y_score)
        results |= {f"ece.{c}": _unbounded(v, basis) for c, v in zip(predictions.classes, each, strict=True)}
    return results


def _unbounded(value: float, basis: Basis) -> Entry:
    none = Interval(np.nan, np.nan, settings.LEVEL, np.nan, "", BIASED)
    return bounded(
        entry(value, f"expected calibration error, {settings.BINS} bins of equal mass", basis), none
    )


def _expected(predictions: Predictions, basis: Basis) -> Results:
    """Return the ECE that calibrated probabilities like these would have: its range is the interval."""
    low, high = calibration.expected_ece(predictions.y_score, predictions.patient_id, level=settings.LEVEL)
    how = "middle of the range expected under perfect calibration"
    band = Interval(low, high, settings.LEVEL, np.nan, "labels drawn from the probabilities")
    return {"ece_expected": bounded(entry((low + high) / 2, how, basis), band)}


def reliability_rows(corrected: Corrected, split: str) -> Iterator[dict[str, object]]:
    """Yield a row for each bin of the most probable class and of each class, raw and corrected."""
    for kind, stage in (("raw", corrected.raw), ("corrected", corrected.scaled)):
        p = stage[split]
        scores = {"top": calibration.top_label(p.y_true, p.y_score)}
        scores |= {c: (p.y_true == k, p.y_score[:, k]) for k, c in enumerate(p.classes)}
        for name, (positive, score) in scores.items():
            table = calibration.class_reliability(positive, score)
            low, high = calibration.consistency_bars(score, p.patient_id)
            for row, lower, upper in zip(table.to_dict("records"), low, high, strict=True):
                yield {
                    "split": split,
                    "probabilities": kind,
                    "score": name,
                    "bin": row["bin"],
                    "n": row["n"],
                    "confidence": row["confidence"],
                    "observed": row["accuracy"],
                    "low": lower,
                    "high": upper,
                }
