"""Loss and accuracy of one model over the epochs, training beside validation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from analysis.evaluation.tables.learning_curves import best_row
from analysis.figures import style, typesetting, wording
from analysis.figures.training_marks import (
    BEST,
    LOWEST,
    draw_rate,
    draw_stop,
    find_largest_rate,
    make_key,
    read_course,
)
from analysis.progress import Progress
from analysis.vocabulary.measures import CURVE_PREFIXES

PANELS = ("loss", "accuracy")
HEIGHT_MM, KEY_MM = 60.0, 5.0


@typesetting.with_fonts
def draw(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    title: str,
) -> None:
    """Draw both curves of loss and of accuracy, and mark the best epoch, an early stop and a learning rate that changes.

    Parameters
    ----------
    inputs : mapping of str to Path
        The stage ``training``: ``history.csv`` and ``training.json``.
    title : str
        What the model is called.
    """
    history = read_course(inputs["training"])
    key = {label: line for label, line in make_key(history).items() if label != LOWEST}
    height = HEIGHT_MM + (KEY_MM if key else 0)
    with style.page(height) as figure:
        if key:
            style.draw_key(style.add_sheet(figure), key, 12, height)
        for k, measure in enumerate(PANELS):
            ax = style.place(figure, 12 + 79 * k, 10, 54, HEIGHT_MM - 15)
            _panel(ax, history, measure)
        style.save(figure, out, history, describe(history, title))


def _panel(ax: Axes, history: pd.DataFrame, measure: str) -> None:
    epochs = history["epoch"]
    marker = "o" if len(epochs) <= 20 else None
    best = best_row(history)
    if best is not None:
        ax.axvline(epochs[best], **BEST)
    for split, prefix in CURVE_PREFIXES.items():
        ax.plot(
            epochs,
            history[prefix + measure],
            marker=marker,
            markersize=2.6,
            color=style.SPLIT_COLOURS[split],
        )
    draw_stop(ax, history, measure)
    if measure == PANELS[0]:
        draw_rate(ax, history, find_largest_rate(history))
    ax.set(xlabel="epoch", ylabel=measure)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.grid(axis="y")
    if measure == "accuracy":
        ax.set_ylim(top=min(1.0, ax.get_ylim()[1]))
    _label_ends(ax, history, measure)
    if best is not None:
        text = "lowest validation loss: epoch" if measure == "loss" else "epoch"
        _label_best(ax, int(epochs[best]), text)


def _label_ends(ax: Axes, history: pd.DataFrame, measure: str) -> None:
    """Name each curve at its end, the names kept apart where the curves end close together."""
    low, high = ax.get_ylim()
    ends = {
        split: float(history[prefix + measure].ffill().iloc[-1]) for split, prefix in CURVE_PREFIXES.items()
    }
    ends = {split: (low + high) / 2 if math.isnan(end) else end for split, end in ends.items()}
    upper, lower = sorted(ends, key=lambda split: ends[split], reverse=True)
    room = 0.08 * (high - low)
    push = max(0.0, room - (ends[upper] - ends[lower])) / 2
    for split, shift in ((upper, push), (lower, -push)):
        ax.annotate(
            style.SPLIT_NAMES[split],
            (history["epoch"].iloc[-1], ends[split] + shift),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            annotation_clip=False,
        )


def _label_best(ax: Axes, epoch: int, text: str) -> None:
    first, last = ax.get_xlim()
    beyond_middle = epoch > (first + last) / 2
    ax.annotate(
        f"{text} {epoch}",
        (epoch, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(-3 if beyond_middle else 3, 2),
        textcoords="offset points",
        ha="right" if beyond_middle else "left",
        va="bottom",
        fontsize=typesetting.SMALL,
        color=style.QUIET,
    )


def describe(history: pd.DataFrame, title: str) -> str:
    """Return the figure in words: where both curves begin and end, and the best epoch."""
    first, last = history.iloc[0], history.iloc[-1]
    course = [
        f"{style.SPLIT_NAMES[split]} {measure} from {first[prefix + measure]:.2f} to {last[prefix + measure]:.2f}"
        for measure in PANELS
        for split, prefix in CURVE_PREFIXES.items()
    ]
    stopped = " until it was stopped early" if history["stopped"].any() else ""
    text = f"{title}, {len(history)} epochs{stopped}: {wording.join(course)}."
    best = best_row(history)
    if best is None:
        return text
    lowest = history.iloc[best]
    return f"{text} Validation loss is lowest, {lowest['val_loss']:.2f}, in epoch {int(lowest['epoch'])}."
