from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as reference

from analysis.evaluation.predictions import Predictions
from analysis.evaluation.roc import binary_roc, roc_curves


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
