"""The learning curves of all models in panels with the same axes, training beneath validation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from analysis.evaluation.tables.learning_curves import read_history
from analysis.figures import style, typesetting
from analysis.progress import Progress
from analysis.vocabulary.measures import CURVE_PREFIXES

COLUMNS, LEFT, RIGHT, GAP = 4, 12.0, 2.0, 5.0
PANEL, TITLE_LINE, BELOW, KEY, AXIS = 20.0, 3.4, 2.5, 6.0, 9.0


@typesetting.with_fonts
def draw(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    measure: str,
    models: Sequence[style.Model],
) -> None:
    """Draw ``loss`` (on a logarithmic axis) or ``accuracy`` of every model over its epochs.

    Parameters
    ----------
    inputs : mapping of str to Path
        The stage ``training_<id>`` of each model.
    measure : {"loss", "accuracy"}
        What is drawn.
    models : sequence of mapping
        ``id`` and ``title`` of each model.
    """
    table = pd.concat(
        [read_history(inputs[f"training_{m['id']}"] / "history.csv").assign(model=m["id"]) for m in models]
    )[["model", "epoch", measure, f"val_{measure}"]]
    across = min(COLUMNS, len(models))
    width, pitch = style.column_widths(across, LEFT, RIGHT, GAP, 60.0)
    titles = [typesetting.break_lines(m["title"], width, typesetting.SMALL) for m in models]
    title = TITLE_LINE * max(t.count("\n") + 1 for t in titles)
    row = title + PANEL + BELOW
    rows = -(-len(models) // across)
    height = KEY + rows * row + AXIS
    with style.page(height) as figure:
        sheet = style.add_sheet(figure)
        key = {
            style.SPLIT_NAMES[s]: {"color": style.SPLIT_COLOURS[s], "linewidth": 1.6} for s in CURVE_PREFIXES
        }
        style.draw_key(sheet, key, LEFT, height)
        for i, (model, name) in enumerate(zip(models, titles, strict=True)):
            x, top = LEFT + pitch * (i % across), height - KEY - row * (i // across)
            sheet.text(x, top - title + 1, name, va="baseline", size=typesetting.SMALL, linespacing=1.1)
            ax = style.place(figure, x, top - title - PANEL, width, PANEL)
            _panel(ax, table, model["id"], measure)
            lowest = i + across >= len(models)
            ax.tick_params(labelleft=i % across == 0, labelbottom=lowest)
            ax.set(xlabel="epoch" if lowest else "", ylabel=measure if i % across == 0 else "")
        style.save(figure, out, table, describe(table, models, measure))


def _panel(ax: Axes, table: pd.DataFrame, model: str, measure: str) -> None:
    mine = table[table["model"] == model]
    for split, prefix in CURVE_PREFIXES.items():
        ax.plot(
            mine["epoch"],
            mine[prefix + measure],
            color=style.SPLIT_COLOURS[split],
            linewidth=1.0,
            marker="o" if len(mine) == 1 else None,
            markersize=2,
        )
    ax.set(xlim=(1, max(2, table["epoch"].max())), **_limits(table, measure))
    ax.xaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
    if measure == "loss":
        ax.set_yscale("log")
        ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 3.0)))
        ax.yaxis.set_minor_locator(NullLocator())
        ax.yaxis.set_major_formatter("{x:g}")
    ax.grid(axis="y")


def _limits(table: pd.DataFrame, measure: str) -> dict[str, tuple[float, float]]:
    """Return the same limits for all panels, a little beyond what is drawn."""
    values = table[[measure, f"val_{measure}"]].to_numpy(dtype=float)
    values = values[np.isfinite(values) & (values > 0)]
    if not len(values):
        return {}
    low, high = float(values.min()), float(values.max())
    return {
        "ylim": (low / 1.15, high * 1.15)
        if measure == "loss"
        else (max(0.0, low - 0.03), min(1.0, high + 0.03))
    }


def describe(table: pd.DataFrame, models: Sequence[style.Model], measure: str) -> str:
    """Return the figure in words: how many epochs each model ran and where validation ended."""
    parts = []
    for model in models:
        mine = table[table["model"] == model["id"]]
        last = mine[f"val_{measure}"].iloc[-1]
        parts.append(f"{model['title']} {len(mine)} epochs, {last:.2f}")
    return f"Epochs run and last validation {measure}: {'; '.join(parts)}."
