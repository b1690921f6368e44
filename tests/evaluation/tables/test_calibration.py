"""Corrected probabilities and their measures, fitted on validation and applied to test."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import softmax

from analysis.evaluation.statistics import calibration
from analysis.evaluation.statistics.resampled import percentile_interval
from analysis.evaluation.statistics.resampling import resamples
from analysis.evaluation.tables.calibration import calibration_results, correct, reliability_rows

CLASSES = ("bacterial", "covid_19", "healthy", "viral")
SPLITS = ["val", "test"]
COUNTS = [200, 20, 100, 80]


@pytest.mark.parametrize("class_balance", ["none", "oversample"])
def test_priors_are_corrected_for_rebalanced_models_alone(predictions, class_balance: str) -> None:
    corrected = correct(predictions, COUNTS, class_balance)
    assert corrected.raw == predictions
    assert corrected.rebalanced == (class_balance == "oversample")
    names = calibration_results(corrected, "test", resamples(predictions["test"], 50), "p.csv").keys()
    assert {"brier", "brier_scaled", "log_loss_scaled", "ece", "ece_scaled", "ece.viral"} <= names
    assert ({"brier_prior", "log_loss_prior", "ece_prior"} <= names) == corrected.rebalanced
    val = np.bincount(predictions["val"].y_true, minlength=4) / len(predictions["val"].y_true)
    for split in SPLITS:
        raw = predictions[split].y_score
        by_hand = raw * val  # each class was as frequent as the others in training
        by_hand /= by_hand.sum(axis=1, keepdims=True)
        expected = by_hand if corrected.rebalanced else raw
        np.testing.assert_allclose(corrected.prior[split].y_score, expected)


@pytest.mark.parametrize("class_balance", ["none", "oversample"])
def test_the_temperature_is_the_best_for_validation_after_the_priors(predictions, class_balance: str) -> None:
    corrected = correct(predictions, COUNTS, class_balance)
    val = corrected.prior["val"]

    def loss(temperature: float) -> float:
        scaled = softmax(np.log(val.y_score) / temperature, axis=1)
        return float(-np.log(scaled[np.arange(len(val.y_true)), val.y_true]).mean())

    best = minimize_scalar(loss, bounds=(0.05, 20), method="bounded", options={"xatol": 1e-8}).x
    assert corrected.temperature == pytest.approx(best, rel=1e-5)
    for split in SPLITS:
        scaled = softmax(np.log(corrected.prior[split].y_score) / best, axis=1)
        np.testing.assert_allclose(corrected.scaled[split].y_score, scaled, rtol=1e-4)
    results = {s: calibration_results(corrected, s, resamples(predictions[s], 50), "p.csv") for s in SPLITS}
    assert results["val"]["temperature"]["value"] == corrected.temperature
    assert results["val"]["temperature"]["n"] == len(val.y_true)
    assert "temperature" not in results["test"]
    assert results["val"]["log_loss_scaled"]["value"] <= results["val"]["log_loss"]["value"]


def test_losses_have_bootstrap_intervals_and_ece_a_range_instead(predictions) -> None:
    corrected, p = correct(predictions, COUNTS, "none"), predictions["test"]
    weights = resamples(p, 400)
    results = calibration_results(corrected, "test", weights, "p.csv")
    squares = ((p.y_score - np.eye(4)[p.y_true]) ** 2).sum(axis=1)
    draws = np.array([np.average(squares, weights=row) for row in weights])
    expected = percentile_interval(draws)
    item = results["brier"]
    assert item["value"] == pytest.approx(squares.mean())
    assert [item["low"], item["high"], item["se"]] == pytest.approx(
        [expected.low, expected.high, expected.se]
    )
    for name in ("ece", "ece_scaled", *(f"ece.{c}" for c in CLASSES)):
        assert (results[name]["low"], results[name]["se"]) == (None, None)
        assert results[name]["reason_null"].startswith("biased upwards")
    assert results["ece"]["value"] == calibration.top_label_ece(p.y_true, p.y_score)
    ends = calibration.expected_ece(p.y_score, p.patient_id)
    assert (results["ece_expected"]["low"], results["ece_expected"]["high"]) == ends
    assert ends != calibration.expected_ece(p.y_score), "images of a patient have their class together"


def test_reliability_is_shown_raw_and_corrected_for_the_top_label_and_each_class(predictions) -> None:
    corrected = correct(predictions, COUNTS, "oversample")
    table = pd.DataFrame(reliability_rows(corrected, "test"))
    groups = table.groupby(["probabilities", "score"])
    assert set(groups.groups) == {(kind, s) for kind in ("raw", "corrected") for s in ("top", *CLASSES)}
    assert (groups["n"].sum() == 300).all()
    for kind, p in (("raw", predictions["test"]), ("corrected", corrected.scaled["test"])):
        rows = groups.get_group((kind, "viral"))
        by_hand = calibration.class_reliability(p.y_true == 3, p.y_score[:, 3])
        assert rows["observed"].tolist() == by_hand["accuracy"].tolist()
        low, high = calibration.consistency_bars(p.y_score[:, 3], p.patient_id)
        assert (rows["low"].tolist(), rows["high"].tolist()) == (low.tolist(), high.tolist())
        assert (rows["confidence"] * rows["n"]).sum() == pytest.approx(p.y_score[:, 3].sum())
