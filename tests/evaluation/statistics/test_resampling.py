from __future__ import annotations

import time

import numpy as np
import pytest
from scipy.stats import beta, kstest
from sklearn import metrics as reference

from analysis.evaluation.settings import SMALLEST_STRATUM
from analysis.evaluation.statistics import metrics
from analysis.evaluation.statistics.resampling import (
    bayesian,
    bootstrap,
    clusters,
    confusion_matrices,
    percentile,
    weighted_auroc,
)
from analysis.evaluation.statistics.significance import p_value


def pictures(seed: int, n: int = 150) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return patients of one to three pictures, their classes, and scores with many ties."""
    rng = np.random.default_rng(seed)
    patient_id = np.array([f"p{i}" for i in np.sort(rng.integers(0, n // 2, n))], dtype=object)
    y_true = np.r_[np.arange(4), rng.integers(0, 4, n - 4)]
    return patient_id, y_true, np.round(rng.dirichlet(np.ones(4), n) + 0.3 * np.eye(4)[y_true], 1)


def alone(n: int) -> np.ndarray:
    return np.arange(n)


def test_a_stratum_is_the_patients_with_the_same_classes() -> None:
    names = ["only 0", "only 1", "0 and 1"]
    patient_id = np.array([f"{name} {i}" for name in names for i in range(6) for _ in range(2)], dtype=object)
    y_true = np.repeat([0, 1, 0], 12)
    y_true[24::2] = 1
    found = clusters(patient_id, y_true)
    kind = [name[:-2] for name in np.unique(patient_id)]
    assert found.size == 18
    assert len(found.strata) == 3
    assert all(len({kind[g] for g in members}) == 1 for members in found.strata)
    assert (np.unique(patient_id)[found.patient] == patient_id).all()


def test_small_strata_are_joined_so_that_each_patient_can_be_left_out() -> None:
    y_true = np.repeat([0, 1, 2, 3], [40, 30, 1, 2])
    found = clusters(alone(73), y_true)
    assert sorted(len(members) for members in found.strata) == [33, 40]
    drawn = bootstrap(found, 500)
    assert (drawn[:, y_true == 2] == 0).any()
    few = clusters(alone(3), np.array([0, 1, 2]))
    assert [len(members) for members in few.strata] == [3]
    assert len(clusters(alone(20), np.repeat([0, 1], 10)).strata) == 2
    assert len(clusters(alone(14), np.repeat([0, 1], [10, SMALLEST_STRATUM - 1])).strata) == 1


@pytest.mark.parametrize("seed", range(4))
def test_whole_patients_are_drawn_as_many_as_there_are_in_each_stratum(seed: int) -> None:
    patient_id, y_true, _ = pictures(seed)
    found = clusters(patient_id, y_true)
    drawn = bootstrap(found, 1_200, seed)
    assert drawn.shape == (1_200, 150)
    first = np.unique(found.patient, return_index=True)[1]
    assert (drawn == drawn[:, first][:, found.patient]).all()
    for members in found.strata:
        assert (drawn[:, first[members]].sum(axis=1) == len(members)).all()


def test_draws_follow_the_seed_and_no_two_resamples_are_alike() -> None:
    patient_id, y_true, _ = pictures(1)
    found = clusters(patient_id, y_true)
    assert (bootstrap(found, 700, 5) == bootstrap(found, 700, 5)).all()
    assert (bayesian(found, 700, 5) == bayesian(found, 700, 5)).all()
    assert (bootstrap(found, 700, 5) != bootstrap(found, 700, 6)).any()
    assert len(np.unique(bootstrap(found, 700, 5), axis=0)) == 700


def test_mean_and_variance_of_the_draws_are_those_of_the_multinomial() -> None:
    found = clusters(alone(40), np.repeat([0, 1], [10, 30]))
    drawn = bootstrap(found, 40_000)
    assert drawn.mean(axis=0) == pytest.approx(np.ones(40), abs=0.03)
    assert drawn.var(axis=0) == pytest.approx(np.repeat([1 - 1 / 10, 1 - 1 / 30], [10, 30]), abs=0.05)


def test_standard_errors_of_the_mouse_data() -> None:
    """Efron and Tibshirani (1993), table 2.2, last column: 23.36 (mean) and 37.83 (median)."""
    days = np.array([94, 197, 16, 38, 99, 141, 23])
    drawn = bootstrap(clusters(alone(7), np.zeros(7, int)), 40_000)
    means = drawn @ days / 7
    in_order = np.argsort(days)
    middle = (drawn[:, in_order].cumsum(axis=1) >= 4).argmax(axis=1)
    assert means.std() == pytest.approx(23.36, rel=0.01)
    assert days[in_order][middle].std() == pytest.approx(37.83, rel=0.01)


def test_bayesian_weights_are_of_patients_and_of_mean_one_in_each_stratum() -> None:
    patient_id, y_true, _ = pictures(2)
    found = clusters(patient_id, y_true)
    weights = bayesian(found, 300)
    first = np.unique(found.patient, return_index=True)[1]
    assert (weights == weights[:, first][:, found.patient]).all()
    for members in found.strata:
        np.testing.assert_allclose(weights[:, first[members]].mean(axis=1), 1)


def test_bayesian_share_is_beta_distributed() -> None:
    """Rubin (1981): of 4 successes and 7 failures the share is Beta(4, 7)."""
    share = bayesian(clusters(alone(11), np.zeros(11, int)), 20_000)[:, :4].sum(axis=1) / 11
    assert kstest(share, beta(4, 7).cdf).pvalue > 0.01
    assert kstest(share, beta(5, 8).cdf).pvalue < 1e-6


@pytest.mark.parametrize("seed", range(6))
def test_weights_give_what_scikit_learn_gives_for_the_pictures_drawn(seed: int) -> None:
    patient_id, y_true, scores = pictures(seed)
    drawn = bootstrap(clusters(patient_id, y_true), 600, seed)
    matrices = confusion_matrices(drawn, y_true, scores.argmax(axis=1), 4)
    areas = [weighted_auroc(drawn, y_true == k, scores[:, k]) for k in range(4)]
    one_hot = np.eye(4, dtype=bool)[y_true]
    micro = weighted_auroc(np.repeat(drawn, 4, axis=1), one_hot.ravel(), scores.ravel())
    for b in (0, 1, 499, 500, 599):
        rows = np.repeat(np.arange(150), drawn[b])
        true, score = y_true[rows], scores[rows]
        expected = reference.confusion_matrix(true, score.argmax(axis=1), labels=range(4))
        np.testing.assert_array_equal(matrices[b], expected)
        for k in range(4):
            assert areas[k][b] == pytest.approx(reference.roc_auc_score(true == k, score[:, k]), abs=1e-12)
        expected = reference.roc_auc_score(one_hot[rows].ravel(), score.ravel())
        assert micro[b] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_fractional_weights_are_the_sample_weights_of_scikit_learn(seed: int) -> None:
    patient_id, y_true, scores = pictures(seed)
    weights = bayesian(clusters(patient_id, y_true), 5, seed)
    matrices = confusion_matrices(weights, y_true, scores.argmax(axis=1), 4)
    areas = weighted_auroc(weights, y_true == 1, scores[:, 1])
    for weight, matrix, area in zip(weights, matrices, areas, strict=True):
        expected = reference.confusion_matrix(
            y_true, scores.argmax(axis=1), labels=range(4), sample_weight=weight
        )
        np.testing.assert_allclose(matrix, expected)
        expected = reference.roc_auc_score(y_true == 1, scores[:, 1], sample_weight=weight)
        assert area == pytest.approx(expected, abs=1e-12)


def test_area_is_undefined_where_a_side_was_not_drawn() -> None:
    weights = np.array([[1, 1, 1, 0], [0, 0, 2, 1], [3, 1, 0, 0]])
    positive = np.array([True, True, False, False])
    areas = weighted_auroc(weights, positive, np.array([0.2, 0.9, 0.4, 0.1]))
    np.testing.assert_array_equal(areas, [0.5, np.nan, np.nan])


def test_percentiles_are_order_statistics() -> None:
    values = np.random.default_rng(1).permutation(np.arange(1.0, 1000.0))
    assert percentile(values, 0.95) == (25, 975)
    assert percentile(values, 0.90) == (50, 950)
    low, high = percentile(np.stack([values, -values], axis=1), 0.95)
    assert low.tolist() == [25, -975]
    assert high.tolist() == [975, -25]
    sample = np.random.default_rng(2).normal(size=10_000)
    assert percentile(sample, 0.95) == pytest.approx(np.quantile(sample, [0.025, 0.975]), abs=0.01)


def test_more_than_five_in_a_hundred_undefined_leave_no_interval() -> None:
    values = np.arange(1000.0)
    values[:50] = np.nan
    assert percentile(values, 0.95) == (50 + 22, 999 - 22)
    values[50] = np.nan
    assert np.isnan(percentile(values, 0.95)).all()
    low, high = percentile(np.stack([values, np.arange(1000.0), np.full(1000, np.nan)], axis=1), 0.95)
    assert np.isnan(low).tolist() == np.isnan(high).tolist() == [True, False, True]
    assert np.isnan(percentile(np.arange(20.0), 0.95)).all()


@pytest.mark.parametrize("resamples", [200, 999, 1_000])
def test_interval_leaves_out_zero_exactly_when_its_test_rejects(resamples: int) -> None:
    rng = np.random.default_rng(resamples)
    verdicts = set()
    for alpha in (0.05, 0.025, 0.05 / 3, 0.1):
        for shift in rng.uniform(-4, 4, 200):
            # Rounding puts many resamples at exactly 0.
            differences = np.round(rng.normal(shift, 1.3, resamples), 1)
            low, high = percentile(differences, 1 - alpha)
            rejected = p_value(differences) <= alpha
            verdicts.add(rejected)
            assert rejected == (low > 0 or high < 0)
    assert verdicts == {True, False}


def test_speed_of_the_declared_size() -> None:
    """2,000 resamples of 1,258 x 4: every measure of the confusion matrix, a second is the aim."""
    rng = np.random.default_rng(0)
    y_true, y_pred = rng.integers(0, 4, (2, 1258))
    drawn = bootstrap(clusters(np.arange(1258) // 2, y_true), 2_000)
    begun = time.process_time()
    matrices = confusion_matrices(drawn, y_true, y_pred, 4)
    for measure in (
        metrics.accuracy,
        metrics.mcc,
        metrics.class_mcc,
        metrics.f1,
        metrics.sensitivity,
        metrics.specificity,
        metrics.ppv,
        metrics.npv,
    ):
        percentile(measure(matrices), 0.95)
    assert time.process_time() - begun < 3


def test_ten_thousand_resamples_are_small() -> None:
    y_true = np.random.default_rng(0).integers(0, 4, 1258)
    assert bootstrap(clusters(np.arange(1258), y_true), 10_000).nbytes < 2**25
