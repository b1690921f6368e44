"""What one model's scores are worth to one who must act on them: operating points, predictive values, decision curve.

Thresholds are chosen on the validation set and applied to the test set.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis.arrays import Floats, Mask
from analysis.evaluation import settings
from analysis.evaluation.predictions import Predictions
from analysis.evaluation.results_file import Basis, Results, bounded, entry
from analysis.evaluation.statistics import intervals
from analysis.evaluation.statistics.operating_points import (
    NO_THRESHOLD,
    called_positive,
    decision_curve,
    predictive_values,
    re_priored,
    threshold_for_specificity,
    treat_all,
)
from analysis.vocabulary.measures import ABNORMAL, in_percent

GRID = np.round(np.arange(0.01, 1.0, 0.01), 2)
"""Prevalences of predictive values, and threshold probabilities of decision curves."""
Score = tuple[Mask, Floats]
"""What is positive, and the score of it, each of shape (n,)."""


def scores(predictions: Predictions, normal: str | None) -> dict[str, Score]:
    """Return what is positive, and its score, for any disease (with a normal class) and for each class."""
    found = {
        c: (predictions.y_true == k, predictions.y_score[:, k]) for k, c in enumerate(predictions.classes)
    }
    if normal is None:
        return found
    k = predictions.classes.index(normal)
    return {ABNORMAL: (predictions.y_true != k, 1 - predictions.y_score[:, k])} | found


def operating_point_results(
    predictions: Mapping[str, Predictions], normal: str | None, artifact: str
) -> dict[str, Results]:
    """Return by split the thresholds chosen on validation, and what they give on each split."""
    scored = {split: scores(p, normal) for split, p in predictions.items()}
    results: dict[str, Results] = {split: {} for split in predictions}
    for name, (positive, score) in scored["val"].items():
        for target in settings.SPECIFICITIES:
            at = f"{in_percent('at', target)}.{name}"
            threshold, why_none = _threshold(positive, score, target)
            results["val"][f"threshold_{at}"] = entry(
                threshold,
                f"lowest score whose validation specificity reaches {target:g}",
                Basis(artifact, int((~positive).sum())),
                reason_null=why_none,
            )
            for split, given in scored.items():
                shares = _shares_at_threshold(predictions[split], given[name], threshold, artifact)
                results[split] |= {f"{measure}_{at}": item for measure, item in shares.items()}
    if normal is not None:
        results["test"] |= _predictive_values(results["test"], artifact)
    return results


def _threshold(positive: Mask, score: Floats, target: float) -> tuple[float, str]:
    """Return the threshold for a specificity, NaN where there is no negative, and why it may be none."""
    if positive.all():
        return float("nan"), "no negative image"
    return threshold_for_specificity(positive, score, target), NO_THRESHOLD


def _shares_at_threshold(predictions: Predictions, scored: Score, threshold: float, artifact: str) -> Results:
    """Return sensitivity and specificity at a threshold, with intervals that take it as given."""
    positive, score = scored
    called = called_positive(score, threshold)
    results: Results = {}
    for measure, counted, right in (
        ("sensitivity", positive, called),
        ("specificity", ~positive, ~called),
    ):
        patient_id = predictions.patient_id[counted]
        value = right[counted].mean() if counted.any() and not np.isnan(threshold) else None
        item = entry(
            value,
            "at the threshold chosen on validation",
            Basis(artifact, int(counted.sum()), len(set(patient_id))),
            reason_null="no image or no threshold",
        )
        interval = intervals.proportion(right[counted], patient_id, settings.LEVEL)
        results[measure] = bounded(item, interval)
    return results


def _abnormal_shares(test: Results, specificity: float) -> tuple[float, float] | None:
    """Return sensitivity and specificity of the abnormal score at a threshold; None if one is undefined."""
    at = in_percent("at", specificity)
    se, sp = (test[f"{measure}_{at}.{ABNORMAL}"]["value"] for measure in ("sensitivity", "specificity"))
    return None if se is None or sp is None else (float(se), float(sp))


def _predictive_values(test: Results, artifact: str) -> Results:
    """Return PPV and NPV of the abnormal score at its first threshold, for the declared prevalences."""
    target = settings.SPECIFICITIES[0]
    known = _abnormal_shares(test, target)
    results: Results = {}
    for prevalence in settings.PREVALENCES:
        pair = predictive_values(*known, prevalence) if known else (np.nan, np.nan)
        for name, value in zip(("ppv", "npv"), map(float, pair), strict=True):
            results[f"{name}_{in_percent('at', target)}.{in_percent('prevalence', prevalence)}"] = entry(
                value,
                "Bayes' theorem from sensitivity and specificity",
                Basis(artifact),
                reason_null="no image is predicted positive, or none negative",
            )
    return results


def predictive_table(test: Results) -> pd.DataFrame:
    """Return PPV and NPV of the abnormal score at each threshold over all prevalences."""
    parts = []
    for target in settings.SPECIFICITIES:
        known = _abnormal_shares(test, target)
        ppv, npv = predictive_values(*known, GRID) if known else (np.nan, np.nan)
        parts.append(pd.DataFrame({"specificity": target, "prevalence": GRID, "ppv": ppv, "npv": npv}))
    return pd.concat(parts)


def decision_table(scaled: Mapping[str, Predictions], normal: str) -> pd.DataFrame:
    """Return the net benefit on test of acting on the abnormal score, for each declared prevalence.

    Parameters
    ----------
    scaled : mapping of str to Predictions
        Of ``val`` and ``test``, with corrected probabilities. The score is held against threshold probabilities, so it
        is brought to each prevalence first.
    normal : str
        The class without disease.
    """
    val, (positive, score) = (scores(scaled[split], normal)[ABNORMAL] for split in ("val", "test"))
    parts = []
    for prevalence in settings.PREVALENCES:
        score_there = re_priored(score, float(val[0].mean()), prevalence)
        parts.append(
            pd.DataFrame(
                {
                    "split": "test",
                    "prevalence": prevalence,
                    "threshold": GRID,
                    "net_benefit": decision_curve(positive, score_there, prevalence, GRID),
                    "treat_all": treat_all(prevalence, GRID),
                }
            )
        )
    return pd.concat(parts)
