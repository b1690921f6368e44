from __future__ import annotations

import numpy as np
import pytest

from analysis.audit import out_of_fold
from analysis.audit.out_of_fold import FOLDS, OutOfFold
from analysis.evaluation.predictions import Predictions
from analysis.models import low_detail

CLASSES = ("a", "b", "c")


def label(y_true: np.ndarray, patient: np.ndarray, y_score: np.ndarray | None = None) -> Predictions:
    ids = np.array([f"{i}.png" for i in range(len(y_true))], dtype=object)
    scores = np.zeros((len(y_true), 0)) if y_score is None else y_score
    return Predictions(CLASSES, ids, patient.astype(object), y_true.astype(np.intp), scores)


def draw(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    """Return classes and patients of n images, two each, who are of one class."""
    rng = np.random.default_rng(seed)
    patient = np.arange(n) // 2
    return rng.integers(0, 3, n // 2 + 1)[patient], patient.astype(str), rng


def test_the_model_is_that_of_the_reference_classifier():
    assert out_of_fold.MODEL == low_detail.SETTINGS


def test_no_patient_is_in_two_folds_and_every_image_has_probabilities():
    y_true, patient, rng = draw(150, 0)
    found = out_of_fold.predict(rng.normal(size=(150, 2)), label(y_true, patient))
    assert isinstance(found, OutOfFold)
    assert all(len(set(found.fold[patient == p])) == 1 for p in set(patient))
    assert set(found.fold) == set(range(FOLDS))
    assert found.predictions.y_score.sum(axis=1) == pytest.approx(1)


def test_what_tells_a_patient_but_no_class_is_worth_nothing():
    """With images of a patient in several folds this would be learnt by heart."""
    y_true, patient, _ = draw(200, 3)
    values = np.random.default_rng(4).normal(size=101)[patient.astype(int)][:, None]
    found = out_of_fold.predict(values, label(y_true, patient))
    assert isinstance(found, OutOfFold)
    assert out_of_fold.areas(found, "x")["macro"]["low"] < 0.55


def test_a_class_of_few_patients_is_left_out_and_two_must_be_left():
    y_true, patient, rng = draw(120, 1)
    values = rng.normal(size=(120, 1))
    few = np.where(y_true == 2, 1, y_true)
    few[:4] = 2
    found = out_of_fold.predict(values, label(few, patient))
    assert isinstance(found, OutOfFold)
    assert (found.left_out, found.predictions.classes) == (("c",), ("a", "b"))
    assert len(found.fold) == 116
    alone = np.where(np.arange(120) < 4, 2, 0)
    reason = out_of_fold.predict(values, label(alone, patient))
    assert reason == "fewer than two classes have images of 10 patients"


def test_the_interval_is_as_wide_as_resampled_patients_within_folds_say():
    y_true, patient, rng = draw(400, 2)
    of_patient = rng.normal(size=201)[patient.astype(int)]
    scores = rng.normal(size=(400, 3)) + 0.9 * np.eye(3)[y_true] + of_patient[:, None] * [1, 0, -1]
    scores = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    fold = (patient.astype(int) % FOLDS).astype(np.intp)
    found = OutOfFold(label(y_true, patient, scores), fold, ())
    item = out_of_fold.areas(found, "x")["macro"]
    assert item["value"] == pytest.approx(np.mean([areas["macro"] for areas in out_of_fold.by_fold(found)]))
    people = [np.unique(patient[fold == j]) for j in range(FOLDS)]
    rows_of = {p: np.flatnonzero(patient == p) for p in set(patient)}
    resampled = []
    for _ in range(200):
        rows = np.concatenate([rows_of[p] for of_fold in people for p in rng.choice(of_fold, len(of_fold))])
        again = OutOfFold(label(y_true[rows], patient[rows], scores[rows]), fold[rows], ())
        resampled.append(np.mean([areas["macro"] for areas in out_of_fold.by_fold(again)]))
    assert item["se"] == pytest.approx(np.std(resampled), rel=0.2)
    assert item["low"] < item["value"] < item["high"]
