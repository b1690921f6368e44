"""Whether one model's probabilities can be trusted and acted on: calibration, operating points, decision curve.

Priors, temperature and thresholds are fitted on the validation set and applied to the test set.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.evaluation.predictions import Predictions
from analysis.evaluation.results_file import Basis, Entry, Interval, Results, bounded, entry, owned
from analysis.evaluation.statistics import calibration, intervals, operating_points
from analysis.evaluation.statistics.metrics import Floats
from analysis.evaluation.statistics.resampled import LEVEL, Weights, from_draws, losses

ABNORMAL = "abnormal"
"""The score 1 - p(normal class): any class but the normal one."""
SPECIFICITIES = (0.90, 0.95)
PREVALENCES = (0.1, 0.3, 0.5)
THRESHOLDS = np.round(np.arange(0.01, 1.0, 0.01), 2)
GRID = np.round(np.arange(0.01, 1.0, 0.01), 2)
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
        Training pictures of each class.
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
    for suffix, stage in (("", corrected.raw), ("_prior", corrected.prior), ("_scaled", corrected.scaled)):
        if suffix == "_prior" and not corrected.rebalanced:
            continue
        results |= _losses(stage[split], suffix, weights, basis)
    if split == "val":
        how = "minimises the log loss on validation"
        results["temperature"] = entry(corrected.temperature, how, basis)
    return results


def _losses(predictions: Predictions, suffix: str, weights: Weights, basis: Basis) -> Results:
    words = {
        "brier": "mean squared error summed over classes, 0 to 2",
        "log_loss": "mean of -ln of the true class's probability, clipped at 1e-12",
    }
    results: Results = {}
    for name, scores in losses(predictions).items():
        draws = weights.astype(np.float64) @ scores / weights.sum(axis=1)
        results[f"{name}{suffix}"] = bounded(entry(scores.mean(), words[name], basis), from_draws(draws))
    y_true, y_score = predictions.y_true, predictions.y_score
    results[f"ece{suffix}"] = _unbounded(calibration.top_label_ece(y_true, y_score), basis)
    if not suffix:
        each = calibration.classwise_ece(y_true, y_score)
        results |= {f"ece.{c}": _unbounded(v, basis) for c, v in zip(predictions.classes, each, strict=True)}
    return results


def _unbounded(value: float, basis: Basis) -> Entry:
    none = Interval(np.nan, np.nan, LEVEL, np.nan, "", BIASED)
    return bounded(entry(value, "expected calibration error, 15 bins of equal mass", basis), none)


def _expected(predictions: Predictions, basis: Basis) -> Results:
    """Return the ECE that calibrated probabilities like these would have: its range is the interval."""
    low, high = calibration.expected_ece(predictions.y_score, predictions.patient_id, level=LEVEL)
    how = "middle of the range expected under perfect calibration"
    band = Interval(low, high, LEVEL, np.nan, "labels drawn from the probabilities")
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


def scores(predictions: Predictions, normal: str | None) -> dict[str, tuple[operating_points.Mask, Floats]]:
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
    """Return by split the thresholds chosen on validation, and what they give on both splits."""
    of_split = {split: scores(p, normal) for split, p in predictions.items()}
    results: dict[str, Results] = {split: {} for split in predictions}
    for name, (positive, score) in of_split["val"].items():
        for target in SPECIFICITIES:
            at = f"at_{100 * target:.0f}"
            basis = Basis(artifact, int((~positive).sum()))
            words = f"lowest score whose validation specificity reaches {target:g}"
            known = not positive.all()
            threshold = (
                operating_points.threshold_for_specificity(positive, score, target) if known else float("nan")
            )
            none = "no negative picture" if not known else operating_points.NO_THRESHOLD
            results["val"][f"threshold_{at}.{name}"] = entry(threshold, words, basis, reason_null=none)
            for split, given in of_split.items():
                results[split] |= _at(predictions[split], given[name], threshold, f"{at}.{name}", artifact)
    if normal is not None:
        results["test"] |= _predictive_values(results["test"], artifact)
    return results


def _at(
    predictions: Predictions,
    given: tuple[operating_points.Mask, Floats],
    threshold: float,
    name: str,
    artifact: str,
) -> Results:
    positive, score = given
    called = operating_points.called_positive(score, threshold)
    results: Results = {}
    for measure, rows, right in (
        ("sensitivity", positive, called),
        ("specificity", ~positive, ~called),
    ):
        basis = Basis(artifact, int(rows.sum()), len(set(predictions.patient_id[rows])))
        value = right[rows].mean() if rows.any() and not np.isnan(threshold) else None
        item = entry(
            value, "at the threshold chosen on validation", basis, reason_null="no picture or no threshold"
        )
        interval = intervals.proportion(right[rows], predictions.patient_id[rows], LEVEL)
        results[f"{measure}_{name}"] = bounded(item, interval)
    return results


def _predictive_values(test: Results, artifact: str) -> Results:
    """Return PPV and NPV of the abnormal score at its first threshold, for the declared prevalences."""
    at = f"at_{100 * SPECIFICITIES[0]:.0f}"
    se, sp = (test[f"{measure}_{at}.{ABNORMAL}"]["value"] for measure in ("sensitivity", "specificity"))
    results: Results = {}
    for prevalence in PREVALENCES:
        pair = (
            (np.nan, np.nan)
            if se is None or sp is None
            else operating_points.predictive_values(se, sp, prevalence)
        )
        for name, value in zip(("ppv", "npv"), map(float, pair), strict=True):
            results[f"{name}_{at}.prevalence_{100 * prevalence:.0f}"] = entry(
                value,
                "Bayes' theorem from sensitivity and specificity",
                Basis(artifact),
                reason_null="no picture is called positive, or none negative",
            )
    return results


def predictive_table(test: Results) -> pd.DataFrame:
    """Return PPV and NPV of the abnormal score at both thresholds over all prevalences."""
    parts = []
    for target in SPECIFICITIES:
        at = f"at_{100 * target:.0f}"
        se, sp = (test[f"{measure}_{at}.{ABNORMAL}"]["value"] for measure in ("sensitivity", "specificity"))
        known = None not in (se, sp)
        ppv, npv = (
            operating_points.predictive_values(float(se or 0), float(sp or 0), GRID)
            if known
            else (np.nan, np.nan)
        )
        parts.append(pd.DataFrame({"specificity": target, "prevalence": GRID, "ppv": ppv, "npv": npv}))
    return pd.concat(parts)


def decision_table(corrected: Corrected, normal: str) -> pd.DataFrame:
    """Return the net benefit on test of acting on the corrected abnormal score, for each declared prevalence.

    The score is held against threshold probabilities, so it is brought to each prevalence first.
    """
    val, test = (scores(corrected.scaled[split], normal)[ABNORMAL] for split in ("val", "test"))
    positive, score = test
    parts = []
    for prevalence in PREVALENCES:
        at_prevalence = operating_points.re_priored(score, float(val[0].mean()), prevalence)
        parts.append(
            pd.DataFrame(
                {
                    "split": "test",
                    "prevalence": prevalence,
                    "threshold": THRESHOLDS,
                    "net_benefit": operating_points.decision_curve(
                        positive, at_prevalence, prevalence, THRESHOLDS
                    ),
                    "treat_all": operating_points.treat_all(prevalence, THRESHOLDS),
                }
            )
        )
    return pd.concat(parts)


def probability_results(
    corrected: Corrected, normal: str | None, weights: Mapping[str, Weights], model: str, artifact: str
) -> Results:
    """Return calibration and operating points of a model on both splits, under their full names."""
    points = operating_point_results(corrected.raw, normal, artifact)
    results: Results = {}
    for split in corrected.raw:
        found = calibration_results(corrected, split, weights[split], artifact) | points[split]
        results |= owned(found, model, split)
    return results
