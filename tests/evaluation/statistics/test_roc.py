from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as reference

from analysis.evaluation.predictions import Predictions
from analysis.evaluation.statistics.roc import BAND_GRID, ThresholdCounts, binary_roc, roc_curves


def make(y_true: np.ndarray, y_score: np.ndarray) -> Predictions:
    ids = np.array([str(i) for i in range(len(y_true))], dtype=object)
    classes = tuple("abcdef"[: y_score.shape[1]])
    return Predictions(classes, ids, ids, np.asarray(y_true), np.asarray(y_score, float))


def by_pairs(positive: np.ndarray, score: np.ndarray) -> float:
    """Return the share of (positive, negative) pairs in the right order, ties half (Mann-Whitney)."""
    ahead = score[positive][:, None] - score[~positive][None, :]
    return float(((ahead > 0) + 0.5 * (ahead == 0)).mean())


@pytest.mark.parametrize("seed", range(15))
def test_areas_agree_with_scikit_learn_and_with_counting_pairs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    y_true = np.r_[np.arange(4), rng.integers(0, 4, 90)]
    # One digit: many ties.
    scores = np.round(rng.dirichlet(np.ones(4), 94) + 0.2 * np.eye(4)[y_true], 1)
    curves = roc_curves(make(y_true, scores))
    one_hot = np.eye(4, dtype=bool)[y_true]
    for k, name in enumerate("abcd"):
        assert curves[name].auroc == pytest.approx(by_pairs(y_true == k, scores[:, k]))
    assert curves["macro"].auroc == pytest.approx(reference.roc_auc_score(one_hot, scores, average="macro"))
    assert curves["micro"].auroc == pytest.approx(reference.roc_auc_score(one_hot, scores, average="micro"))


def test_macro_curve_is_the_mean_of_the_class_curves() -> None:
    rng = np.random.default_rng(3)
    y_true = np.repeat(np.arange(3), 400)
    scores = rng.dirichlet(np.ones(3), 1200) + 0.3 * np.eye(3)[y_true]
    curves = roc_curves(make(y_true, scores))
    mean = [np.interp(0.25, curves[name].fpr, curves[name].tpr) for name in "abc"]
    macro = curves["macro"]
    assert np.interp(0.25, macro.fpr, macro.tpr) == pytest.approx(np.mean(mean))
    assert np.trapezoid(macro.tpr, macro.fpr) == pytest.approx(macro.auroc, abs=2e-3)


def test_every_curve_rises_from_corner_to_corner() -> None:
    rng = np.random.default_rng(4)
    curves = roc_curves(make(rng.integers(0, 4, 80), rng.dirichlet(np.ones(4), 80)))
    for curve in curves.values():
        assert (curve.fpr[0], curve.tpr[0], curve.fpr[-1], curve.tpr[-1]) == (0, 0, 1, 1)
        assert (np.diff(curve.fpr) >= 0).all()
        assert (np.diff(curve.tpr) >= 0).all()


def test_perfect_separation_constant_and_reversed_scores() -> None:
    positive = np.array([True, True, False, False])
    assert binary_roc(positive, np.array([0.9, 0.8, 0.2, 0.1])).auroc == 1
    assert binary_roc(positive, np.full(4, 0.5)).auroc == 0.5
    assert binary_roc(positive, np.array([0.1, 0.2, 0.8, 0.9])).auroc == 0


def test_class_without_pictures_has_no_curve_and_no_macro_curve() -> None:
    curves = roc_curves(make(np.array([0, 0, 1, 1]), np.full((4, 3), 1 / 3)))
    assert np.isnan([curves["c"].auroc, curves["macro"].auroc]).all()
    assert len(curves["c"].fpr) == len(curves["macro"].fpr) == 0
    assert curves["a"].auroc == curves["micro"].auroc == 0.5


def test_single_class_present() -> None:
    curves = roc_curves(make(np.zeros(3, int), np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]])))
    assert np.isnan([curves["a"].auroc, curves["b"].auroc, curves["macro"].auroc]).all()
    assert curves["micro"].auroc == pytest.approx(8 / 9)


def tied(seed: int, n: int = 90, resamples: int = 6) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return which are positive, scores of one digit, and how often each is drawn, some never; at first once."""
    rng = np.random.default_rng(seed)
    positive = np.r_[True, False, rng.random(n - 2) < 0.3]
    score = np.round(np.clip(rng.normal(0.4 + 0.2 * positive, 0.2), 0, 1), 1)
    weights = rng.integers(0, 4, (resamples, n))
    weights[:, :2] += 1
    return positive, score, np.vstack([np.ones(n, int), weights])


@pytest.mark.parametrize("seed", range(12))
def test_average_precision_agrees_with_scikit_learn_for_weights_and_ties(seed: int) -> None:
    positive, score, weights = tied(seed)
    found = ThresholdCounts.of(weights, positive, score).average_precision()
    expected = [reference.average_precision_score(positive, score, sample_weight=row) for row in weights]
    assert found == pytest.approx(expected)
    assert found[0] == pytest.approx(reference.average_precision_score(positive, score))
    assert len(set(found)) > 1


@pytest.mark.parametrize("seed", range(12))
def test_roc_curve_at_the_grid_agrees_with_scikit_learn(seed: int) -> None:
    positive, score, weights = tied(seed)
    for row, curve in zip(weights, ThresholdCounts.of(weights, positive, score).curve("roc"), strict=True):
        fpr, tpr, _ = reference.roc_curve(positive, score, sample_weight=row, drop_intermediate=False)
        # Where the curve rises straight up, its upper end.
        expected = [tpr[fpr <= x].max() if (fpr == x).any() else np.interp(x, fpr, tpr) for x in BAND_GRID]
        assert curve == pytest.approx(expected)
        assert np.trapezoid(curve, BAND_GRID) == pytest.approx(reference.auc(fpr, tpr), abs=0.02)


@pytest.mark.parametrize("seed", range(12))
def test_precision_recall_curve_at_the_grid_agrees_with_scikit_learn(seed: int) -> None:
    positive, score, weights = tied(seed)
    for row, curve in zip(weights, ThresholdCounts.of(weights, positive, score).curve("pr"), strict=True):
        precision, recall, _ = reference.precision_recall_curve(positive, score, sample_weight=row)
        # Thresholds rise along the arrays; the last point is recall 0, which calls nothing.
        reaches = [np.flatnonzero((recall >= x - 1e-9) & (recall > 0)).max() for x in BAND_GRID]
        assert curve == pytest.approx(precision[reaches])


def test_counts_that_pass_each_threshold_by_hand() -> None:
    positive = np.array([True, False, True, False])
    found = ThresholdCounts.of(
        np.array([[1, 1, 1, 1], [0, 2, 3, 1]]), positive, np.array([0.9, 0.8, 0.8, 0.1])
    )
    assert found.tp.tolist() == [[0, 1, 2, 2], [0, 0, 3, 3]]
    assert found.fp.tolist() == [[0, 0, 1, 2], [0, 0, 2, 3]]
    # Recall 1/2 at precision 1, then recall 1 at precision 2/3; in the resample recall 1 at precision 3/5.
    assert found.average_precision() == pytest.approx([1 / 2 + 1 / 3, 3 / 5])
    assert found.curve("pr")[0, [0, 50, 51, 100]] == pytest.approx([1, 1, 2 / 3, 2 / 3])
    assert found.curve("roc")[0, [0, 25, 50, 100]] == pytest.approx([0.5, 0.75, 1, 1])
    assert found.first(1).tp.shape == (1, 4)


def test_a_resample_without_one_side_has_no_curve_and_without_positives_no_average_precision() -> None:
    positive = np.array([True, False, False])
    found = ThresholdCounts.of(
        np.array([[1, 1, 1], [0, 2, 1], [3, 0, 0]]), positive, np.array([0.9, 0.5, 0.1])
    )
    assert found.average_precision() == pytest.approx([1, np.nan, 1], nan_ok=True)
    for kind in ("roc", "pr"):
        assert np.isnan(found.curve(kind)).all(axis=1).tolist() == [False, True, True]


def test_constant_scores_have_the_prevalence_as_precision() -> None:
    positive = np.array([True, False, False, False])
    found = ThresholdCounts.of(np.ones((1, 4)), positive, np.full(4, 0.3))
    assert found.average_precision() == pytest.approx([0.25])
    assert found.curve("pr") == pytest.approx(np.full((1, 101), 0.25))
    assert found.curve("roc")[0] == pytest.approx(BAND_GRID)
