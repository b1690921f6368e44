from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.errors import DataError
from analysis.evaluation.results_file import Basis
from analysis.evaluation.tables.learning_curves import (
    best_row,
    learning_results,
    overfitting_epoch,
    read_history,
    validation_fall,
    validation_rise,
)
from analysis.vocabulary import courses


def history(loss: list[float], val_loss: list[float]) -> pd.DataFrame:
    n = len(loss)
    return pd.DataFrame(
        {
            "epoch": range(1, n + 1),
            "loss": loss,
            "accuracy": np.linspace(0.3, 0.9, n),
            "val_loss": val_loss,
            "val_accuracy": np.linspace(0.4, 0.6, n),
        }
    )


def test_overfits_from_the_epoch_after_the_best() -> None:
    assert overfitting_epoch(history([3, 2, 1, 0.5], [3, 2, 2.5, 2.8])) == 3


@pytest.mark.parametrize(
    ("loss", "val_loss"),
    [([3, 2, 1], [3, 2, 1]), ([1, 1.1, 1.2], [1, 2, 3]), ([1], [1])],
    ids=["still falling", "training loss rises too", "one epoch"],
)
def test_does_not_overfit(loss: list[float], val_loss: list[float]) -> None:
    assert overfitting_epoch(history(loss, val_loss)) is None


@pytest.mark.parametrize(
    ("loss", "val_loss", "called"),
    [
        ([3, 2, 1, 0.5, 0.4], [3, 1, 1.2, 1.1, 1.3], courses.OVERFITS),
        ([3, 2, 2, 2, 2], [3, 1, 1.2, 1.1, 1.3], courses.UNEVEN),
        ([3, 2, 1, 0.5, 0.4], [3, 1, 1.04, 1.03, 1.2], courses.FITS),
        ([5, 4, 3, 2, 1], [1.3, 1, 1, 0.99, 0.985], courses.FITS),
        ([5, 4, 3, 2, 1], [1.3, 1, 1, 0.99, 0.97], courses.UNDERFITS),
        ([2, 1], [2, 1], courses.UNDERFITS),
        ([1], [1], courses.ONE_EPOCH),
    ],
    ids=["rose", "rose alone", "one spike", "hardly fell", "fell", "two epochs", "one epoch"],
)
def test_the_course_is_named_by_each_curve_against_itself(
    loss: list[float], val_loss: list[float], called: str
) -> None:
    results = learning_results(history(loss, val_loss), Basis("train.a/history.csv"))
    rise, fall, first = (
        results[name]["value"] for name in ("val_loss_rise", "val_loss_fall", "overfitting_epoch")
    )
    assert rise is not None
    assert courses.name_course(rise, fall, learns_on=first is not None) == called


def test_rise_and_fall_worked_by_hand() -> None:
    curves = history([3, 2, 1, 0.5, 0.4], [2, 1, 1.1, 1.5, 1.2])
    assert validation_rise(curves) == pytest.approx(0.2)  # the median of 1.1, 1.5 and 1.2
    assert validation_fall(curves) == 0
    assert validation_fall(history([3, 2, 1, 1], [2, 1.8, 1.5, 1.6])) == pytest.approx(0.25)


def test_best_is_the_first_of_equals() -> None:
    assert best_row(history([3, 2, 1], [2, 1, 1])) == 1


def test_diverged_training_is_null_with_the_reason() -> None:
    results = learning_results(history([1, np.nan], [np.nan, np.nan]), Basis("train.a/history.csv"))
    for name in ("best_epoch", "best_val_loss", "best_val_accuracy", "rise_after_best", "last_loss"):
        assert results[name]["value"] is None
        assert "diverged" in str(results[name]["reason_null"])
    assert results["first_loss"]["value"] == 1
    assert results["epochs_run"]["value"] == 2


def test_an_epoch_without_validation_loss_is_never_the_best() -> None:
    assert best_row(history([3, 2, 1], [2, np.nan, 3])) == 0


def test_incomplete_history_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    history([1], [1]).drop(columns="val_loss").to_csv(path, index=False)
    with pytest.raises(DataError, match="no column val_loss"):
        read_history(path)
    history([], []).to_csv(path, index=False)
    with pytest.raises(DataError, match="no epoch"):
        read_history(path)
