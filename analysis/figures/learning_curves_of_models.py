"""The learning curves of all models in panels with common axes, training beneath validation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, NullLocator

from analysis.evaluation.tables.learning_curves import best_row
from analysis.figures import style, typesetting
from analysis.figures.training_marks import BEST, draw_marks, make_key, read_course
from analysis.progress import Progress
from analysis.vocabulary.measures import CURVE_PREFIXES

LEFT, RIGHT, GAP = 12.0, 2.0, 4.0
TITLE_LINE, BELOW, KEY, AXIS, APART = 3.4, 2.5, 6.0, 9.0, 3.0
BESIDE = 3
"""So many models or fewer have both measures on one line."""
MOST_ACROSS = 6
TALL, LOW = 34.0, 16.0
"""How high a panel is where there are few, and at least, in mm."""
WIDE_RANGE = 10.0
"""Losses whose largest is so many times the smallest have a logarithmic axis."""


@dataclass(frozen=True)
class Grid:
    """Where the panels of each measure stand: ``across`` on a line, the measures ``beside`` one another or not; in mm."""

    models: int
    measures: int
    across: int
    beside: bool
    height: float
    title: float

    @property
    def pitch(self) -> float:
        """How far a panel is from the one before."""
        return self.width + GAP

    @property
    def block(self) -> float:
        """How wide the panels of a measure are together."""
        room = style.FULL_WIDTH_MM - LEFT - RIGHT
        return (room - (GAP + LEFT) * (self.measures - 1)) / self.measures if self.beside else room

    @property
    def width(self) -> float:
        """How wide a panel is."""
        return min((self.block + GAP) / self.across - GAP, 70.0)

    @property
    def lines(self) -> int:
        """On how many lines the panels of a measure stand."""
        return -(-self.models // self.across)

    @property
    def row(self) -> float:
        """How far a line is below the one before."""
        return self.title + self.height + BELOW

    @property
    def total(self) -> float:
        """How high the figure is."""
        blocks = 1 if self.beside else self.measures
        return KEY + blocks * (self.lines * self.row + AXIS) + (blocks - 1) * APART

    def place(self, measure: int, k: int) -> tuple[float, float]:
        """Return the left end and the top of the panel number ``k`` of a measure, its title included."""
        line, column = divmod(k, self.across)
        down = KEY + line * self.row
        left = LEFT + column * self.pitch
        if self.beside:
            return left + measure * (self.block + GAP + LEFT), self.total - down
        return left, self.total - down - measure * (self.lines * self.row + AXIS + APART)


@typesetting.with_fonts
def draw(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    measures: Sequence[str],
    models: Sequence[style.Model],
) -> None:
    """Draw loss or accuracy or both of every model over its epochs; panels of a measure have the same axes.

    Parameters
    ----------
    inputs : mapping of str to Path
        The stage ``training_<id>`` of each model: ``history.csv`` and ``training.json``.
    measures : sequence of {"loss", "accuracy"}
        What is drawn.
    models : sequence of mapping
        ``id`` and ``title`` of each model.
    """
    histories = {m["id"]: read_course(inputs[f"training_{m['id']}"]) for m in models}
    table = pd.concat([history.assign(model=model) for model, history in histories.items()])
    curves = [prefix + m for m in measures for prefix in CURVE_PREFIXES.values()]
    rate = [name for name in table if name == "learning_rate"]
    table = table[["model", "epoch", *curves, *rate, "stopped"]]
    best = {m: float(h["epoch"].iloc[row]) for m, h in histories.items() if (row := best_row(h)) is not None}
    grid, titles = _arrange(models, len(measures))
    with style.page(grid.total) as figure:
        sheet = style.add_sheet(figure)
        style.draw_key(sheet, _key(table), LEFT, grid.total)
        for i, measure in enumerate(measures):
            for k, (model, title) in enumerate(zip(models, titles, strict=True)):
                left, top = grid.place(i, k)
                sheet.text(
                    left, top - grid.title + 1, title, va="baseline", size=typesetting.SMALL, linespacing=1.1
                )
                ax = _axes(figure, grid, i, k)
                _panel(ax, table, model["id"], measure)
                if model["id"] in best:
                    ax.axvline(best[model["id"]], zorder=0.5, **BEST)
                _label(ax, grid, k, measure)
        style.save(figure, out, table, describe(table, models, measures, best))


def _arrange(models: Sequence[style.Model], measures: int) -> tuple[Grid, list[str]]:
    """Return the highest panels that fit on a page with as few on a line as that allows, and the titles on lines."""
    n, beside = len(models), len(models) <= BESIDE
    for height in (TALL, 24.0, 20.0, LOW):
        for across in range(n if n <= MOST_ACROSS else 4, MOST_ACROSS + 1):
            grid = Grid(n, measures, across, beside, height, 0.0)
            titles = [typesetting.break_lines(m["title"], grid.width, typesetting.SMALL) for m in models]
            lines = max(title.count("\n") + 1 for title in titles)
            grid = Grid(n, measures, across, beside, height, TITLE_LINE * lines)
            if grid.total <= style.PAGE_MM:
                return grid, titles
    return grid, titles


def _key(table: pd.DataFrame) -> dict[str, dict[str, Any]]:
    lines = {
        style.SPLIT_NAMES[s]: {"color": style.SPLIT_COLOURS[s], "linewidth": 1.6} for s in CURVE_PREFIXES
    }
    return {**lines, **make_key(table)}


def _axes(figure: Figure, grid: Grid, measure: int, k: int) -> Axes:
    left, top = grid.place(measure, k)
    return style.place(figure, left, top - grid.title - grid.height, grid.width, grid.height)


def _label(ax: Axes, grid: Grid, k: int, measure: str) -> None:
    """Write the numbers and names of the axes of the panel number ``k``, on the left and below the lowest."""
    lowest, first = k + grid.across >= grid.models, k % grid.across == 0
    ax.tick_params(labelleft=first, labelbottom=lowest)
    name = f"{measure} (logarithmic)" if ax.get_yscale() == "log" else measure
    ax.set(xlabel="epoch" if lowest else "", ylabel=name if first else "")


def _panel(ax: Axes, table: pd.DataFrame, model: str, measure: str) -> None:
    mine = table[table["model"] == model]
    for split, prefix in CURVE_PREFIXES.items():
        ax.plot(
            mine["epoch"],
            mine[prefix + measure],
            color=style.SPLIT_COLOURS[split],
            linewidth=1.1,
            marker="o" if len(mine) == 1 else None,
            markersize=2,
        )
    draw_marks(ax, mine, measure)
    limits = _limits(table, measure)
    ax.set(xlim=(1, max(2, table["epoch"].max())))
    ax.xaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
    if measure == "loss" and limits and limits[1] > WIDE_RANGE * limits[0]:
        ax.set_yscale("log")
        ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 3.0)))
        ax.yaxis.set_minor_locator(NullLocator())
        ax.yaxis.set_minor_formatter(NullFormatter())
    else:
        ax.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    ax.yaxis.set_major_formatter("{x:g}")
    if limits:
        ax.set_ylim(limits)
    ax.grid(axis="y")


def _limits(table: pd.DataFrame, measure: str) -> tuple[float, float] | None:
    """Return the same limits for all panels of a measure, a little beyond what is drawn; None where nothing is."""
    values = table[[measure, f"val_{measure}"]].to_numpy(dtype=float)
    values = values[np.isfinite(values) & (values > 0)]
    if not len(values):
        return None
    low, high = float(values.min()), float(values.max())
    if measure == "accuracy":
        return max(0.0, low - 0.03), min(1.0, high + 0.03)
    return (
        (low / 1.15, high * 1.15) if high > WIDE_RANGE * low else (max(0.0, low - 0.06 * high), 1.06 * high)
    )


def describe(
    table: pd.DataFrame,
    models: Sequence[style.Model],
    measures: Sequence[str],
    best: Mapping[str, float],
) -> str:
    """Return the figure in words: how many epochs each model ran, which was best and where validation ended."""
    parts = []
    for model in models:
        mine = table[table["model"] == model["id"]]
        last = ", ".join(f"{measure} {mine[f'val_{measure}'].iloc[-1]:.2f}" for measure in measures)
        lowest = f"lowest loss in epoch {best[model['id']]:.0f}, " if model["id"] in best else ""
        stopped = " (stopped early)" if mine["stopped"].any() else ""
        parts.append(f"{model['title']} {len(mine)} epochs{stopped}, {lowest}at the end {last}")
    return f"Epochs run, and on validation: {'; '.join(parts)}."
