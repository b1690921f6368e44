"""Thresholds chosen on validation, and what they give on test."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analysis.evaluation.statistics import intervals, operating_points
from analysis.evaluation.tables.calibration import correct
from analysis.evaluation.tables.operating_points import (
    decision_table,
    operating_point_results,
    predictive_table,
    scores,
)
from analysis.vocabulary.measures import ABNORMAL

CLASSES = ("bacterial", "covid_19", "healthy", "viral")
SPLITS = ["val", "test"]
COUNTS = [200, 20, 100, 80]


def test_any_disease_is_all_but_the_normal_class(predictions) -> None:
    p = predictions["test"]
    found = scores(p, "healthy")
    assert list(found) == [ABNORMAL, *CLASSES]
    positive, score = found[ABNORMAL]
    assert (positive == (p.y_true != 2)).all()
    assert (score == 1 - p.y_score[:, 2]).all()
    assert list(scores(p, None)) == list(CLASSES)


@pytest.mark.parametrize(("name", "target"), [(n, t) for n in (ABNORMAL, *CLASSES) for t in (0.9, 0.95)])
def test_thresholds_are_of_validation_and_applied_to_test(predictions, name: str, target: float) -> None:
    points = operating_point_results(predictions, "healthy", "p.csv")
    at = f"at_{100 * target:.0f}.{name}"
    item = points["val"][f"threshold_{at}"]
    positive, score = scores(predictions["val"], "healthy")[name]
    assert item["n"] == (~positive).sum(), "the images that it is chosen on"
    lower = score[score < item["value"]]
    assert (score[~positive] < item["value"]).mean() >= target
    assert not len(lower) or (score[~positive] < lower.max()).mean() < target
    assert f"threshold_{at}" not in points["test"]
    for split in SPLITS:
        positive, score = scores(predictions[split], "healthy")[name]
        found = [points[split][f"{m}_{at}"]["value"] for m in ("sensitivity", "specificity")]
        assert found == list(operating_points.at_threshold(positive, score, item["value"]))
        patients = predictions[split].patient_id[positive]
        interval = intervals.proportion(score[positive] >= item["value"], patients, 0.95)
        sensitivity = points[split][f"sensitivity_{at}"]
        assert (sensitivity["low"], sensitivity["high"]) == (interval.low, interval.high)
        assert (sensitivity["n"], sensitivity["clusters"]) == (positive.sum(), len(set(patients)))


def test_a_threshold_that_no_score_reaches_calls_nothing(predictions) -> None:
    """The negatives share the highest score: nothing is called positive, and that is measured."""
    val, test = (replace(predictions[split], y_score=predictions[split].y_score.copy()) for split in SPLITS)
    val.y_score[:, 1] = 0.5
    points = operating_point_results({"val": val, "test": test}, None, "p.csv")
    item = points["val"]["threshold_at_90.covid_19"]
    assert (item["value"], item["reason_null"]) == (None, operating_points.NO_THRESHOLD)
    found = [points["test"][f"{m}_at_90.covid_19"]["value"] for m in ("sensitivity", "specificity")]
    assert found == [0, 1]


def test_without_a_negative_picture_there_is_no_threshold(predictions) -> None:
    val = replace(predictions["val"], y_true=np.full_like(predictions["val"].y_true, 1))
    points = operating_point_results({**predictions, "val": val}, None, "p.csv")
    item = points["val"]["threshold_at_95.covid_19"]
    assert (item["value"], item["reason_null"], item["n"]) == (None, "no negative image", 0)
    for split in SPLITS:
        assert points[split]["sensitivity_at_95.covid_19"]["reason_null"] == "no image or no threshold"


def test_predictive_values_follow_bayes_over_prevalence(predictions) -> None:
    test = operating_point_results(predictions, "healthy", "p.csv")["test"]
    table = predictive_table(test)
    assert table.groupby("specificity").size().to_dict() == {0.9: 99, 0.95: 99}
    for target in (90, 95):
        se, sp = (test[f"{m}_at_{target}.{ABNORMAL}"]["value"] for m in ("sensitivity", "specificity"))
        for row in table[table["specificity"] == target / 100].to_dict("records"):
            pi = row["prevalence"]
            assert row["ppv"] == pytest.approx(pi * se / (pi * se + (1 - pi) * (1 - sp)))
            assert row["npv"] == pytest.approx((1 - pi) * sp / ((1 - pi) * sp + pi * (1 - se)))
    at_90 = table[table["specificity"] == 0.9].set_index("prevalence")
    for prevalence in (10, 30, 50):
        for name in ("ppv", "npv"):
            value = test[f"{name}_at_90.prevalence_{prevalence}"]["value"]
            assert value == pytest.approx(at_90.loc[prevalence / 100, name])


def test_net_benefit_of_the_corrected_score_at_each_prevalence(predictions) -> None:
    corrected = correct(predictions, COUNTS, "oversample")
    table = decision_table(corrected.scaled, "healthy")
    assert set(table["split"]) == {"test"}
    assert table.groupby("prevalence").size().to_dict() == {0.1: 99, 0.3: 99, 0.5: 99}
    sick, score = predictions["test"].y_true != 2, 1 - corrected.scaled["test"].y_score[:, 2]
    own = (predictions["val"].y_true != 2).mean()
    for row in table.iloc[::17].to_dict("records"):
        pi, threshold = row["prevalence"], row["threshold"]
        odds = score / (1 - score) * (pi / (1 - pi)) / (own / (1 - own))
        called = odds / (1 + odds) >= threshold
        lost = (1 - pi) * threshold / (1 - threshold)
        expected = pi * called[sick].mean() - lost * called[~sick].mean()
        assert row["net_benefit"] == pytest.approx(expected)
        assert row["treat_all"] == pytest.approx(pi - lost)
