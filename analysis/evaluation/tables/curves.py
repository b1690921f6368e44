"""Rows of ROC and precision-recall curves of one model, with bands from resampled patients."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from analysis.arrays import Floats, Weights
from analysis.evaluation import settings
from analysis.evaluation.predictions import Predictions
from analysis.evaluation.results_file import Results, bounded, entry
from analysis.evaluation.statistics.resampled import percentile_interval, refuse_point
from analysis.evaluation.statistics.resampling import percentile
from analysis.evaluation.statistics.roc import BAND_GRID, Roc, ThresholdCounts
from analysis.evaluation.tables.classification import Labelled
from analysis.vocabulary.measures import MACRO, MEASURES


@dataclass(frozen=True)
class ClassCounts:
    """What passes each threshold of a class' probability: of the images as they are, and in each resample."""

    once: ThresholdCounts
    resampled: ThresholdCounts


def threshold_counts(predictions: Predictions, weights: Weights) -> dict[str, ClassCounts]:
    """Return by class id what passes each threshold; ``weights`` (B, n) are those of the resamples."""
    once = np.ones((1, len(predictions.y_true)))
    found = {}
    for k, name in enumerate(predictions.classes):
        side = predictions.y_true == k, predictions.y_score[:, k]
        found[name] = ClassCounts(ThresholdCounts.of(once, *side), ThresholdCounts.of(weights, *side))
    return found


def average_precision_results(counts: Mapping[str, ClassCounts], labelled: Labelled) -> Results:
    """Return the average precision of each class with its interval."""
    measure, basis = MEASURES["average_precision"], labelled.basis()
    results: Results = {}
    for name, passed in counts.items():
        value = passed.once.average_precision()[0]
        item = entry(value, measure.method_of_class, basis, reason_null=measure.undefined_of_class)
        interval = refuse_point(percentile_interval(passed.resampled.average_precision()))
        results[f"{measure.id}.{name}"] = bounded(item, interval)
    return results


def band_tables(counts: Mapping[str, ClassCounts], split: str) -> Iterator[pd.DataFrame]:
    """Yield ROC and precision-recall curves of the classes, and the mean ROC curve, with bands at one grid."""
    roc, roc_draws = _curves(counts, "roc")
    roc[MACRO] = np.mean(list(roc.values()), axis=0)
    roc_draws[MACRO] = np.mean(list(roc_draws.values()), axis=0)
    for kind, (curves, draws) in {"roc": (roc, roc_draws), "pr": _curves(counts, "pr")}.items():
        for name, y in curves.items():
            yield _band({"split": split, "kind": kind, "curve": name}, y, draws[name])


def _curves(
    counts: Mapping[str, ClassCounts], kind: Literal["roc", "pr"]
) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Return by class one kind of curve, shape (101,), and the same in some resamples, shape (B, 101)."""
    return (
        {name: passed.once.curve(kind)[0] for name, passed in counts.items()},
        {
            name: passed.resampled.first(settings.BAND_RESAMPLES).curve(kind)
            for name, passed in counts.items()
        },
    )


def _band(named: Mapping[str, str], y: Floats, draws: Floats) -> pd.DataFrame:
    low, high = percentile(draws, settings.LEVEL)
    return pd.DataFrame({**named, "x": BAND_GRID, "y": y, "low": low, "high": high})


def roc_rows(curves: Mapping[str, Mapping[str, Roc]]) -> list[dict[str, object]]:
    """Return the points of ROC curves, given by split and by class or average."""
    return [
        {"split": split, "curve": name, "fpr": fpr, "tpr": tpr}
        for split, by_name in curves.items()
        for name, curve in by_name.items()
        for fpr, tpr in zip(curve.fpr, curve.tpr, strict=True)
    ]
