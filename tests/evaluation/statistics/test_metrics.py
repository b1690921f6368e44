from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as reference

from analysis.evaluation.statistics import metrics

SEEDS = range(25)


def draw(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    k = int(rng.integers(2, 6))
    n = int(rng.integers(k, 200))
    y_true = np.r_[np.arange(k), rng.integers(0, k, n - k)]
    scores = rng.dirichlet(np.ones(k), n)
    return y_true, scores, scores.argmax(axis=1)


@pytest.mark.parametrize("seed", SEEDS)
def test_class_measures_agree_with_scikit_learn(seed: int) -> None:
    y_true, scores, y_pred = draw(seed)
    k = scores.shape[1]
    matrix = metrics.confusion_matrix(y_true, y_pred, k)
    labels = range(k)
    assert (matrix == reference.confusion_matrix(y_true, y_pred, labels=labels)).all()
    precision, recall, f1, support = reference.precision_recall_fscore_support(
        y_true, y_pred, labels=labels, zero_division=np.nan
    )
    np.testing.assert_allclose(metrics.sensitivity(matrix), recall)
    np.testing.assert_allclose(metrics.ppv(matrix), precision)
    np.testing.assert_allclose(metrics.f1(matrix), f1)
    assert (matrix.sum(axis=1) == support).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_negative_side_is_the_positive_side_of_the_rest(seed: int) -> None:
    y_true, scores, y_pred = draw(seed)
    k = scores.shape[1]
    matrix = metrics.confusion_matrix(y_true, y_pred, k)
    for c in range(k):
        common = {"y_true": y_true != c, "y_pred": y_pred != c, "zero_division": np.nan}
        np.testing.assert_allclose(metrics.specificity(matrix)[c], reference.recall_score(**common))
        np.testing.assert_allclose(metrics.npv(matrix)[c], reference.precision_score(**common))


@pytest.mark.parametrize("seed", SEEDS)
def test_weights_leave_nothing_over_of_a_network_that_answers_one_class(seed: int) -> None:
    """Counts of a Bayesian bootstrap are no whole numbers: what is undefined must not come out of rounding."""
    rng = np.random.default_rng(seed)
    matrix = np.zeros((200, 4, 4))
    matrix[:, :, 3] = rng.gamma(30, size=(200, 4))
    assert np.isnan(metrics.mcc(matrix)).all()
    assert np.isnan(metrics.class_mcc(matrix)).all()
    assert np.isnan(metrics.npv(matrix)[:, 3]).all()
    assert (metrics.specificity(matrix)[:, 3] == 0).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_overall_measures_agree_with_scikit_learn(seed: int) -> None:
    y_true, scores, y_pred = draw(seed)
    k = scores.shape[1]
    matrix = metrics.confusion_matrix(y_true, y_pred, k)
    assert metrics.accuracy(matrix) == pytest.approx(reference.accuracy_score(y_true, y_pred))
    assert metrics.macro(metrics.sensitivity(matrix)) == pytest.approx(
        reference.balanced_accuracy_score(y_true, y_pred)
    )
    if np.isfinite(metrics.mcc(matrix)):
        assert metrics.mcc(matrix) == pytest.approx(reference.matthews_corrcoef(y_true, y_pred))
    for c, value in enumerate(metrics.class_mcc(matrix)):
        if np.isfinite(value):
            assert value == pytest.approx(reference.matthews_corrcoef(y_true == c, y_pred == c))


@pytest.mark.parametrize("seed", SEEDS)
def test_probability_scores_agree_with_scikit_learn(seed: int) -> None:
    y_true, scores, _ = draw(seed)
    labels = list(range(scores.shape[1]))
    expected = reference.log_loss(y_true, scores, labels=labels)
    assert metrics.log_losses(y_true, scores).mean() == pytest.approx(expected)
    # scikit-learn's multiclass score is the sum over classes, unscaled on request.
    expected = reference.brier_score_loss(y_true, scores, labels=labels, scale_by_half=False)
    assert metrics.brier_scores(y_true, scores).mean() == pytest.approx(expected)


def test_probability_scores_at_their_bounds() -> None:
    certain = np.array([[1.0, 0.0], [1.0, 0.0]])
    assert metrics.brier_scores(np.array([0, 1]), certain).tolist() == [0.0, 2.0]
    np.testing.assert_allclose(metrics.log_losses(np.array([0, 1]), certain), [0.0, -np.log(1e-12)])


def test_class_never_predicted_has_no_ppv_and_no_macro_ppv() -> None:
    matrix = np.array([[5, 0, 1], [2, 0, 1], [0, 0, 4]])
    assert np.isnan(metrics.ppv(matrix)).tolist() == [False, True, False]
    assert np.isnan(metrics.macro(metrics.ppv(matrix)))
    assert metrics.f1(matrix)[1] == 0
    assert metrics.sensitivity(matrix)[1] == 0
    assert np.isnan(metrics.class_mcc(matrix)).tolist() == [False, True, False]
    assert np.isfinite(metrics.mcc(matrix))


def test_class_without_pictures_has_no_sensitivity() -> None:
    matrix = np.array([[5, 1, 0], [0, 0, 0], [1, 0, 4]])
    assert np.isnan(metrics.sensitivity(matrix)).tolist() == [False, True, False]
    assert np.isnan(metrics.row_shares(matrix)[1]).all()
    assert metrics.f1(matrix)[1] == 0
    matrix[0, 1] = 0
    assert np.isnan(metrics.f1(matrix)[1])


def test_perfect_and_constant_classifiers() -> None:
    perfect = np.diag([3, 4, 5])
    for measure in (metrics.sensitivity, metrics.specificity, metrics.ppv, metrics.npv, metrics.f1):
        assert measure(perfect).tolist() == [1, 1, 1]
    assert metrics.mcc(perfect) == metrics.accuracy(perfect) == 1
    constant = np.array([[3, 0], [5, 0]])
    assert np.isnan(metrics.mcc(constant))
    assert metrics.accuracy(constant) == 3 / 8
    assert np.isnan(metrics.accuracy(np.zeros((2, 2), int)))


def test_stacks_of_matrices_give_stacks_of_values() -> None:
    stack = np.random.default_rng(1).integers(0, 30, (50, 4, 4))
    for measure in (metrics.sensitivity, metrics.npv, metrics.f1, metrics.mcc, metrics.accuracy):
        np.testing.assert_allclose(measure(stack), [measure(matrix) for matrix in stack])


def test_ties_go_to_the_first_class() -> None:
    assert np.full((1, 4), 0.25).argmax(axis=1).tolist() == [0]
