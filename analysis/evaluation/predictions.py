"""Read ``predictions.csv``: the one file that everything statistical is computed from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.arrays import Floats, Indices, Labels, Mask, class_indices
from analysis.errors import DataError

KEYS = ("image_id", "split", "patient_id", "y_true")
# The probabilities of a float32 softmax sum to 1 within far less, those of a bfloat16 one just within it.
SUM_TOLERANCE = 1e-2
REBUILD = "the file is made by the predict stage: remove it and build again"


@dataclass(frozen=True)
class Predictions:
    """What one model said of the images of one split, row by row.

    Parameters
    ----------
    classes : tuple of str
        Class ids in the study's order, K of them.
    image_id, patient_id : (n,) arrays of str
        An image of no known patient is a patient of its own.
    y_true : (n,) array of int
        Index of the true class.
    y_score : (n, K) array of float
        Probability of each class, 0 to 1.
    """

    classes: tuple[str, ...]
    image_id: Labels
    patient_id: Labels
    y_true: Indices
    y_score: Floats

    @property
    def y_pred(self) -> Indices:
        """Index of the most probable class; the first of equals."""
        return np.asarray(self.y_score.argmax(axis=1), dtype=np.intp)


def read_predictions(path: Path, classes: Sequence[str], splits: Sequence[str]) -> dict[str, Predictions]:
    """Return the predictions of each of ``splits``.

    Raises
    ------
    DataError
        Naming file, line and column, if a column or split is missing, a class is unknown, or
        probabilities are no probabilities.
    """
    table = _read(path, classes)
    y_score = _probabilities(table, classes, path)
    y_true = _true_classes(table["y_true"], classes, path)
    patient_id = cluster_ids(table)
    parts = {}
    for split in splits:
        rows = (table["split"] == split).to_numpy()
        if not rows.any():
            raise DataError(f'{path}, column split: no row of the split "{split}"', hint=REBUILD)
        parts[split] = Predictions(
            classes=tuple(classes),
            image_id=table["image_id"].to_numpy(dtype=object)[rows],
            patient_id=patient_id[rows],
            y_true=y_true[rows],
            y_score=y_score[rows],
        )
    return parts


def cluster_ids(table: pd.DataFrame) -> Labels:
    """Return what each row is resampled and counted with: its patient, or the image where none is known."""
    known = table["patient_id"] != ""
    own = "image " + table["image_id"]
    return table["patient_id"].where(known, own).to_numpy(dtype=object)


def _read(path: Path, classes: Sequence[str]) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise DataError(f"{path}: cannot be read as a table ({error})", hint=REBUILD) from error
    missing = [name for name in (*KEYS, *classes) if name not in table.columns]
    if missing:
        raise DataError(f"{path}: no column {', '.join(missing)}", hint=REBUILD)
    return table


def _true_classes(labels: pd.Series[str], classes: Sequence[str], path: Path) -> Indices:
    indices = class_indices(labels, classes)
    _refuse(labels, indices < 0, path, f"no class of the study ({', '.join(classes)})")
    return indices


def _probabilities(table: pd.DataFrame, classes: Sequence[str], path: Path) -> Floats:
    columns = [_numbers(table[name], path) for name in classes]
    y_score = np.stack(columns, axis=1)
    total = y_score.sum(axis=1)
    wrong = np.abs(total - 1) > SUM_TOLERANCE
    if wrong.any():
        row = int(wrong.argmax())
        raise DataError(
            f"{path}, line {row + 2}, columns {', '.join(classes)}: the probabilities sum to "
            f"{total[row]:.6g}, not 1",
            hint=REBUILD,
        )
    return y_score


def _numbers(column: pd.Series[str], path: Path) -> Floats:
    parsed = np.array([_number(text) for text in column], dtype=np.float64)
    _refuse(column, ~((parsed >= 0) & (parsed <= 1)), path, "no probability from 0 to 1")
    return parsed


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _refuse(column: pd.Series[str], wrong: Mask, path: Path, what: str) -> None:
    if wrong.any():
        row = int(wrong.argmax())
        text: Any = column.iloc[row]
        raise DataError(f'{path}, line {row + 2}, column {column.name}: "{text}" is {what}', hint=REBUILD)
