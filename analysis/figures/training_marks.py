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

BEST: dict[str, Any] = {"color": style.QUIET, "linewidth": 0.8, "linestyle": (0, (3, 2))}
STOP: dict[str, Any] = {"color": style.INK, "marker": "s", "markersize": 3, "linestyle": "none"}
RATE: dict[str, Any] = {"color": "#dccfa8", "linewidth": 4}
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


def draw_marks(ax: Axes, history: pd.DataFrame, measure: str) -> None:
    """Mark the end of a training that was stopped early, and draw the learning rate from 0 at the foot of the panel."""
    for row in history[history["stopped"] == 1].to_dict("records"):
        ax.plot(row["epoch"], row[f"val_{measure}"], zorder=3, **STOP)
    if has_changing_rate(history):
        foot = ax.get_xaxis_transform()
        share = history["learning_rate"] / history["learning_rate"].max() * ROOM
        ax.fill_between(
            history["epoch"], share, step="mid", color=RATE["color"], zorder=0.4, linewidth=0, transform=foot
        )


def has_changing_rate(history: pd.DataFrame) -> bool:
    """Tell whether the learning rate changed during a training."""
    return "learning_rate" in history and bool(history["learning_rate"].notna().any())


def make_key(table: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Return the entries of a key for what is drawn of the trainings in ``table``."""
    return {
        LOWEST: BEST,
        **({EARLY_STOP: STOP} if (table["stopped"] == 1).any() else {}),
        **({LEARNING_RATE: RATE} if has_changing_rate(table) else {}),
    }
