"""What learning curves have beside both losses: where training stopped early, and how the learning rate went."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.evaluation.tables.learning_curves import read_history
from analysis.figures import style

BEST: dict[str, Any] = {"color": style.QUIET, "linewidth": 0.8, "linestyle": (0, (5, 1.5, 1, 1.5))}
STOP: dict[str, Any] = {"color": style.INK, "marker": "s", "markersize": 3, "linestyle": "none"}
RATE: dict[str, Any] = {"color": style.QUIET, "linewidth": 0.7, "linestyle": (0, (1, 1))}
LOWEST, EARLY_STOP, LEARNING_RATE = "lowest validation loss", "early stop", "learning rate"
ROOM = 0.12
"""The share of a panel's height that the highest learning rate takes."""


def read_course(folder: Path) -> pd.DataFrame:
    """Return the history of a training, and in the column ``stopped`` whether it was stopped early in that epoch.

    The column ``learning_rate`` is there where the rate changed.
    """
    history = read_history(folder / "history.csv")
    facts = json.loads((folder / "training.json").read_text(encoding="utf-8"))
    last = np.arange(1, len(history) + 1) == len(history)
    history["stopped"] = (last & (facts["stopped"] == "early stopping")).astype(int)
    if "learning_rate" in history and history["learning_rate"].nunique() == 1:
        del history["learning_rate"]
    return history


def draw_stop(ax: Axes, history: pd.DataFrame, measure: str) -> None:
    """Mark the end of a training that was stopped early."""
    for row in history[history["stopped"] == 1].to_dict("records"):
        ax.plot(row["epoch"], row[f"val_{measure}"], zorder=3, **STOP)


def draw_rate(ax: Axes, history: pd.DataFrame, largest: float | None, **line: Any) -> None:
    """Draw the learning rate, where it changed, as a line at the foot of the panel, from 0 to ``largest``."""
    if largest is not None and find_largest_rate(history) is not None:
        foot, share = ax.get_xaxis_transform(), history["learning_rate"] / largest * ROOM
        ax.plot(history["epoch"], share, zorder=0.6, transform=foot, **{**RATE, **line})


def find_largest_rate(history: pd.DataFrame) -> float | None:
    """Return the highest learning rate of the trainings in which it changed; None where it did in none."""
    largest = history["learning_rate"].max() if "learning_rate" in history else np.nan
    return None if np.isnan(largest) else float(largest)


def make_key(table: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Return the entries of a key for what is drawn of the trainings in ``table``."""
    largest = find_largest_rate(table)
    return {
        LOWEST: BEST,
        **({EARLY_STOP: STOP} if (table["stopped"] == 1).any() else {}),
        **({f"{LEARNING_RATE} (0 to {largest:g})": RATE} if largest is not None else {}),
    }
