"""Measures of one model on one split, each with the interval of its kind."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from analysis.arrays import Floats, Weights
from analysis.evaluation import settings
from analysis.evaluation.predictions import Predictions
from analysis.evaluation.results_file import POOLED, Interval, Results, bounded, entry
from analysis.evaluation.statistics import intervals
from analysis.evaluation.statistics.resampled import (
    Draws,
    measure_resamples,
    percentile_interval,
    refuse_point,
)
from analysis.evaluation.tables.classification import Labelled, classification_results, mean_entry
from analysis.vocabulary.measures import MEASURES, MICRO, Kind, parse


def measure_results(
    predictions: Predictions, areas: Mapping[str, float], weights: Weights, artifact: str
) -> Results:
    """Return every measure of one model on one split under the names ``<measure>[.<class or average>]``.

    Parameters
    ----------
    areas : mapping of str to float
        The AUROC of each class, of their mean and of the pooled entries.
    weights : (B, n) array
        How often each image counts in each resample.
    artifact : str
        The file that the results name as their origin.
    """
    labelled = Labelled.from_predictions(predictions, artifact)
    results = classification_results(labelled) | area_results(areas, labelled)
    return with_intervals(results, predictions, measure_resamples(predictions, weights))


def area_results(areas: Mapping[str, float], labelled: Labelled) -> Results:
    """Return the AUROC of each class, their mean, and that of all one-hot entries; ``areas`` by these names."""
    measure, basis = MEASURES["auroc"], labelled.basis()
    reason = measure.undefined_of_class
    results = {
        f"{measure.id}.{name}": entry(areas[name], measure.method_of_class, basis, reason_null=reason)
        for name in labelled.classes
    }
    by_class = np.array([areas[name] for name in labelled.classes])
    means = measure.means(labelled.classes).items()
    results |= {f"{measure.id}.{of}": mean_entry(labelled, by_class, ks) for of, ks in means}
    results[f"{measure.id}.{MICRO}"] = entry(areas[MICRO], POOLED, basis, reason_null=reason)
    return results


def with_intervals(results: Results, predictions: Predictions, draws: Draws) -> Results:
    """Return the results of one model on one split with the interval that each kind of measure has.

    Wilson's of a share of images, DeLong's of an AUROC, and percentiles of the resamples of all others. What ``draws`` do
    not have, such as counts, stays as it is.
    """
    labelled = Labelled.from_predictions(predictions, "")
    influences = intervals.auroc_influences(predictions)
    return {
        name: bounded(item, _interval(name, item["value"], labelled, influences, draws[name]))
        if name in draws
        else item
        for name, item in results.items()
    }


def _interval(
    name: str,
    value: float | None,
    labelled: Labelled,
    influences: Mapping[str, Floats],
    draws: Floats,
) -> Interval:
    measure, class_id = parse(name)
    if measure.kind is Kind.PROPORTION and class_id not in measure.averages:
        counted, right = labelled.counted_and_right(measure.id, class_id)
        return intervals.proportion(right[counted], labelled.patient_id[counted], settings.LEVEL)
    if name in influences and value is not None:
        return intervals.auroc(float(value), influences[name], labelled.patient_id, settings.LEVEL)
    return refuse_point(percentile_interval(draws))
