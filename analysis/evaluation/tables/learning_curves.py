"""What the learning curves say: the best epoch, where the network begins to overfit, and how validation loss ended."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from analysis.errors import DataError
from analysis.evaluation.results_file import COUNT, Basis, Results, entry
from analysis.vocabulary.courses import LAST_EPOCHS
from analysis.vocabulary.measures import LEARNING_CURVES

DIVERGED = "the loss is not a number: training diverged"
ONE_EPOCH = "one epoch has no course"


def read_history(path: Path) -> pd.DataFrame:
    """Return the columns epoch (from 1), loss, accuracy, val_loss and val_accuracy.

    Raises
    ------
    DataError
        If a column is missing or there is no epoch.
    """
    history = pd.read_csv(path)
    missing = [name for name in ("epoch", *LEARNING_CURVES) if name not in history.columns]
    if missing or history.empty:
        problem = f"no column {', '.join(missing)}" if missing else "no epoch"
        raise DataError(f"{path}: {problem}", hint="the train stage writes it: remove it and build again")
    return history


def best_row(history: pd.DataFrame) -> int | None:
    """Return the row of the lowest validation loss, the first of equals; ``None`` if none is a number."""
    finite = history["val_loss"].where(np.isfinite(history["val_loss"]))
    return None if finite.isna().all() else int(np.argmin(finite.fillna(np.inf).to_numpy()))


def overfitting_epoch(history: pd.DataFrame) -> int | None:
    """Return the first epoch that overfits, or ``None``.

    It is the one after the lowest validation loss, if the training loss fell further by the end: from
    there on the network learnt what does not help with images it has not seen.
    """
    best = best_row(history)
    if best is None or best + 1 == len(history):
        return None
    loss = history["loss"]
    return int(history["epoch"].iloc[best + 1]) if loss.iloc[-1] < loss.iloc[best] else None


def validation_rise(history: pd.DataFrame) -> float:
    """Return by how much validation loss ended above its lowest, as a share of it: the median of at most the last epochs."""
    best, loss = best_row(history), history["val_loss"]
    if best is None:
        return float("nan")
    after = loss.iloc[best + 1 :].tail(LAST_EPOCHS)
    return float(after.median() / loss.iloc[best] - 1) if len(after) else 0.0


def validation_fall(history: pd.DataFrame) -> float:
    """Return by how much the lowest validation loss fell in the last epochs, as a share of that before; NaN of one epoch."""
    last = min(LAST_EPOCHS, len(history) - 1)
    before, late = history["val_loss"].iloc[:-last].min(), history["val_loss"].iloc[-last:].min()
    return max(0.0, 1 - float(late / before)) if last else float("nan")


def learning_results(history: pd.DataFrame, basis: Basis) -> Results:
    """Return the facts of one training under names such as ``best_epoch`` and ``last_val_loss``."""
    results: Results = {"epochs_run": entry(len(history), COUNT, basis)}
    for name in LEARNING_CURVES:
        for row, which in ((0, "first"), (-1, "last")):
            results[f"{which}_{name}"] = entry(
                history[name].iloc[row], f"{which} epoch", basis, reason_null=DIVERGED
            )
    for name, (value, method) in _best(history).items():
        results[name] = entry(value, method, basis, reason_null=DIVERGED)
    for name, (value, method) in {
        "val_loss_rise": (validation_rise(history), "how far validation loss ended above its lowest"),
        "val_loss_fall": (
            validation_fall(history),
            "how far the lowest validation loss fell in the last epochs",
        ),
    }.items():
        results[name] = entry(
            value, f"{method}, as a share", basis, reason_null=DIVERGED if len(history) > 1 else ONE_EPOCH
        )
    results["overfitting_epoch"] = entry(
        overfitting_epoch(history),
        "first epoch after the lowest validation loss, if the training loss fell further",
        basis,
        reason_null="validation loss was lowest in the last epoch, or training loss fell no further",
    )
    return results


def _best(history: pd.DataFrame) -> dict[str, tuple[float | int | None, str]]:
    row = best_row(history)
    best = pd.Series(np.nan, index=history.columns) if row is None else history.iloc[row]
    last = history.iloc[-1]
    lowest = "epoch of the lowest validation loss"
    rise = "validation loss of the last epoch less the lowest"
    return {
        "best_epoch": (None if row is None else int(best["epoch"]), lowest),
        "best_val_loss": (best["val_loss"], lowest),
        "best_val_accuracy": (best["val_accuracy"], lowest),
        "rise_after_best": (last["val_loss"] - best["val_loss"], rise),
        "last_gap": (last["val_loss"] - last["loss"], "validation loss less training loss, last epoch"),
    }
