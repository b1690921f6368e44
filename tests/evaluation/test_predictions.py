from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.errors import DataError
from analysis.evaluation.predictions import read_predictions

CLASSES = ("bacterial", "covid_19", "healthy", "viral")
SPLITS = ("val", "test")


@pytest.fixture
def path(predict: Callable[..., Path]) -> Path:
    return predict("a", 1) / "predictions.csv"


def change(path: Path, row: int, column: str, value: str) -> None:
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    table.loc[row, column] = value
    table.to_csv(path, index=False)


def test_reads_digits_exactly_and_gives_unknown_patients_their_own(path: Path) -> None:
    val = read_predictions(path, CLASSES, SPLITS)["val"]
    text = pd.read_csv(path, dtype=str)["covid_19"]
    assert [repr(float(p)) for p in val.y_score[:, 1]] == text[: len(val.y_true)].tolist()
    assert val.patient_id[0] == "image images/val_0000.jpg"
    assert val.patient_id[2] == val.patient_id[3] == "p1"
    assert val.y_pred.tolist() == val.y_score.argmax(axis=1).tolist()


def test_columns_follow_the_order_of_the_study_not_of_the_file(path: Path) -> None:
    table = pd.read_csv(path)
    expected = read_predictions(path, CLASSES, SPLITS)["test"]
    table[table.columns[::-1]].to_csv(path, index=False)
    np.testing.assert_array_equal(read_predictions(path, CLASSES, SPLITS)["test"].y_score, expected.y_score)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("covid_19", "1.5", 'line 5, column covid_19: "1.5" is no probability'),
        ("covid_19", "-0.1", "line 5, column covid_19"),
        ("viral", "", 'line 5, column viral: "" is no probability'),
        ("viral", "nan", "line 5, column viral"),
        ("healthy", "high", 'line 5, column healthy: "high"'),
        ("y_true", "flu", 'line 5, column y_true: "flu" is no class of the study'),
        (
            "bacterial",
            "0.999999",
            "line 5, columns bacterial, covid_19, healthy, viral: the probabilities sum",
        ),
    ],
)
def test_errors_name_file_line_and_column(path: Path, column: str, value: str, message: str) -> None:
    change(path, 3, column, value)
    with pytest.raises(DataError) as caught:
        read_predictions(path, CLASSES, SPLITS)
    assert str(path) in str(caught.value)
    assert message in str(caught.value)
    assert caught.value.hint


def test_missing_columns_splits_and_tables(path: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no column flu"):
        read_predictions(path, (*CLASSES, "flu"), SPLITS)
    with pytest.raises(DataError, match='no row of the split "train"'):
        read_predictions(path, CLASSES, ("train",))
    for content in (b"", b'"', b"\xff\xfe\x00"):
        (tmp_path / "bad.csv").write_bytes(content)
        with pytest.raises(DataError, match=r"bad\.csv"):
            read_predictions(tmp_path / "bad.csv", CLASSES, SPLITS)
