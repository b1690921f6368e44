from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as reference
from sklearn.naive_bayes import GaussianNB

from analysis.evaluation.statistics import metrics, operating_points

SEEDS = range(15)


def draw(seed: int, digits: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(10, 200))
    positive = np.r_[True, False, rng.random(n - 2) < 0.4]
    return positive, np.round(1 / (1 + np.exp(-rng.normal(size=n) - 1.5 * positive)), digits)


@pytest.mark.parametrize("target", [0.0, 0.5, 0.9, 0.95, 1.0])
@pytest.mark.parametrize("digits", [8, 1])
@pytest.mark.parametrize("seed", SEEDS)
def test_threshold_is_the_lowest_of_the_roc_curve_that_is_specific_enough(
    seed: int, digits: int, target: float
) -> None:
    positive, score = draw(seed, digits)
    fpr, tpr, thresholds = reference.roc_curve(positive, score, drop_intermediate=False)
    enough = [i for i, rate in enumerate(fpr) if round(1 - rate, 12) >= target]
    chosen = operating_points.threshold_for_specificity(positive, score, target)
    assert chosen == thresholds[enough].min()
    sensitivity, specificity = operating_points.at_threshold(positive, score, chosen)
    assert sensitivity == tpr[enough].max()
    assert specificity == pytest.approx(1 - fpr[enough].max())
    assert specificity >= target


def test_threshold_that_reaches_the_target_exactly() -> None:
    score = np.arange(20) / 20
    positive = np.zeros(20, dtype=bool)
    assert operating_points.threshold_for_specificity(positive, score, 0.95) == 0.95
    assert operating_points.threshold_for_specificity(positive, score, 0.9) == 0.9
    assert operating_points.threshold_for_specificity(positive, score, 0.901) == 0.95


def test_threshold_may_be_the_score_of_a_positive() -> None:
    positive = np.array([False, False, True, False])
    score = np.array([0.1, 0.3, 0.5, 0.9])
    assert operating_points.threshold_for_specificity(positive, score, 0.6) == 0.5


def test_no_threshold_where_negatives_share_the_highest_score() -> None:
    positive = np.array([True, True, False, False, False])
    score = np.array([1.0, 0.4, 1.0, 0.2, 0.1])
    threshold = operating_points.threshold_for_specificity(positive, score, 0.9)
    assert threshold == np.inf
    assert operating_points.at_threshold(positive, score, threshold) == (0, 1)
    assert not operating_points.called_positive(score, threshold).any()
    assert operating_points.threshold_for_specificity(positive, score, 0.6) == 0.4


def test_no_negatives_no_specificity() -> None:
    with pytest.raises(ValueError, match="no negative image"):
        operating_points.threshold_for_specificity(np.array([True]), np.array([0.5]), 0.9)


@pytest.mark.parametrize("seed", SEEDS)
def test_at_threshold_agrees_with_scikit_learn(seed: int) -> None:
    positive, score = draw(seed, 1)
    for threshold in (0.0, 0.3, 0.5, 1.0):
        called = score >= threshold
        sensitivity, specificity = operating_points.at_threshold(positive, score, threshold)
        assert (operating_points.called_positive(score, threshold) == called).all()
        assert sensitivity == pytest.approx(reference.recall_score(positive, called, zero_division=0))
        assert specificity == pytest.approx(reference.recall_score(~positive, ~called, zero_division=0))


def test_empty_sides_are_undefined() -> None:
    score = np.array([0.2, 0.7])
    assert np.isnan(operating_points.at_threshold(np.array([True, True]), score, 0.5)[1])
    assert np.isnan(operating_points.at_threshold(np.array([False, False]), score, 0.5)[0])


def test_predictive_values_of_altman_and_bland() -> None:
    """Liver scans: 231 of 258 abnormal and 54 of 86 normal livers recognised."""
    ppv, npv = operating_points.predictive_values(231 / 258, 54 / 86, 258 / 344)
    assert (ppv, npv) == (pytest.approx(231 / 263), pytest.approx(54 / 81))
    ppv, npv = operating_points.predictive_values(231 / 258, 54 / 86, 0.25)
    assert f"{ppv:.2f} {npv:.2f}" == "0.45 0.95"


@pytest.mark.parametrize("seed", SEEDS)
def test_predictive_values_at_the_own_prevalence_are_those_of_the_confusion_matrix(seed: int) -> None:
    matrix = np.random.default_rng(seed).integers(1, 50, (4, 4))
    prevalence = matrix.sum(axis=1) / matrix.sum()
    ppv, npv = operating_points.predictive_values(
        metrics.sensitivity(matrix), metrics.specificity(matrix), prevalence
    )
    np.testing.assert_allclose(ppv, metrics.ppv(matrix))
    np.testing.assert_allclose(npv, metrics.npv(matrix))


def test_predictive_values_at_the_ends() -> None:
    prevalence = np.array([0, 0.5, 1])
    ppv, npv = operating_points.predictive_values(0.9, 0.8, prevalence)
    np.testing.assert_allclose(ppv, [0, 0.9 / 1.1, 1])
    np.testing.assert_allclose(npv, [1, 0.8 / 0.9, 0])
    ppv, npv = operating_points.predictive_values(0, 1, prevalence)  # nothing is called positive
    assert np.isnan(ppv).all()
    np.testing.assert_allclose(npv, [1, 0.5, 0])
    ppv, npv = operating_points.predictive_values(1, 0, prevalence)  # everything is
    np.testing.assert_allclose(ppv, prevalence)
    assert np.isnan(npv).all()


@pytest.mark.parametrize("to", [0.1, 0.3, 0.5])
def test_odds_are_multiplied_by_the_ratio_of_the_prior_odds(to: float) -> None:
    score = np.array([0.0, 1e-9, 0.2, 0.5, 0.99, 1.0])
    moved = operating_points.re_priored(score, 0.7, to)
    odds = score[:-1] / (1 - score[:-1]) * (to / (1 - to)) / (0.7 / 0.3)
    np.testing.assert_allclose(moved, [*(odds / (1 + odds)), 1])
    np.testing.assert_allclose(operating_points.re_priored(moved, to, 0.7), score)


def test_re_priored_agrees_with_naive_bayes() -> None:
    rng = np.random.default_rng(1)
    positive = rng.random(100) < 0.6
    x = rng.normal(size=(100, 2)) + positive[:, None]
    at = {p: GaussianNB(priors=[1 - p, p]).fit(x, positive).predict_proba(x)[:, 1] for p in (0.6, 0.1)}
    np.testing.assert_allclose(operating_points.re_priored(at[0.6], 0.6, 0.1), at[0.1])


@pytest.mark.parametrize("prevalence", [0.0, 1.0])
def test_a_prevalence_of_nothing_or_all_is_refused(prevalence: float) -> None:
    with pytest.raises(ValueError, match="priors must be positive"):
        operating_points.re_priored(np.array([0.5]), 0.5, prevalence)


@pytest.mark.parametrize("seed", SEEDS)
def test_net_benefit_at_the_own_prevalence_counts_pictures(seed: int) -> None:
    """Vickers and Elkin: TP / n - FP / n * t / (1 - t)."""
    positive, score = draw(seed, 2)
    thresholds = np.arange(1, 100) / 100
    curve = operating_points.decision_curve(positive, score, positive.mean(), thresholds)
    for t, net_benefit in zip(thresholds, curve, strict=True):
        tp, fp = ((score >= t) & positive).sum(), ((score >= t) & ~positive).sum()
        assert net_benefit == pytest.approx((tp - fp * t / (1 - t)) / len(score))


def test_net_benefit_agrees_with_dcurves() -> None:
    """dcurves 1.1.7, df_binary: family history in 24 of 105 men with cancer and 91 of 645 without."""
    positive = np.repeat([True, True, False, False], [24, 81, 91, 554])
    history = np.repeat([1.0, 0.0, 1.0, 0.0], [24, 81, 91, 554])
    thresholds = np.array([0.05, 0.1, 0.15, 0.2, 0.35])
    own = operating_points.decision_curve(positive, history, 105 / 750, thresholds)
    np.testing.assert_allclose(own, [0.025614, 0.018519, 0.010588, 0.001667, -0.033333], atol=5e-7)
    other = operating_points.decision_curve(positive, history, 0.3, thresholds)
    np.testing.assert_allclose(other, [0.063374, 0.057598, 0.051143, 0.043882, 0.015393], atol=5e-7)
    expected = [0.094737, 0.044444, -0.011765, -0.075, -0.323077]
    np.testing.assert_allclose(operating_points.treat_all(105 / 750, thresholds), expected, atol=5e-7)


def test_treating_all_is_worth_nothing_at_the_prevalence() -> None:
    thresholds = np.array([0.0, 0.3, 0.5])
    np.testing.assert_allclose(operating_points.treat_all(0.3, thresholds), [0.3, 0, -0.4], atol=1e-15)
    score = np.random.default_rng(0).random(40)
    everyone = operating_points.decision_curve(score > 0.4, score, 0.3, np.zeros(1))
    assert everyone == operating_points.treat_all(0.3, np.zeros(1))


def test_perfect_decisions_are_worth_the_prevalence() -> None:
    positive = np.array([True, False, True, False])
    thresholds = np.linspace(0.01, 0.99, 9)
    np.testing.assert_allclose(
        operating_points.decision_curve(positive, positive * 1.0, 0.2, thresholds), 0.2
    )


def test_calibrated_scores_never_lose_to_treating_all_or_none_after_moving_to_the_prevalence() -> None:
    """Acting on probabilities is worth at least the better of both, but only at the right prevalence."""
    rng = np.random.default_rng(2)
    positive = rng.random(60_000) < 0.75
    x = rng.normal(size=60_000) + 1.5 * positive
    score = 1 / (1 + np.exp(-(1.5 * x - 1.125 + np.log(3))))  # the true probability at a prevalence of .75
    thresholds = np.linspace(0.05, 0.9, 18)
    best_blind = np.maximum(operating_points.treat_all(0.1, thresholds), 0)
    moved = operating_points.decision_curve(
        positive, operating_points.re_priored(score, 0.75, 0.1), 0.1, thresholds
    )
    assert (moved >= best_blind - 0.002).all()
    unmoved = operating_points.decision_curve(positive, score, 0.1, thresholds)
    assert (unmoved < best_blind - 0.05).any()
