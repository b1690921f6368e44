"""The learning curves of all models, training beneath validation, in panels with common axes; of two with like losses in one panel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, NullLocator

from analysis.evaluation.tables.learning_curves import best_row
from analysis.figures import style, typesetting
from analysis.figures.training_marks import (
    BEST,
    draw_rate,
    draw_stop,
    find_largest_rate,
    make_key,
    read_course,
)
from analysis.progress import Progress
from analysis.vocabulary.measures import CURVE_PREFIXES

LEFT, RIGHT, GAP = 12.0, 2.0, 4.0
TITLE_LINE, BELOW, BELOW_KEY, AXIS, APART = 3.4, 2.5, 1.8, 9.0, 3.0
OVERLAID = 2
"""So many models can lie over one another in one panel. Their learning rates are not drawn: these have no scale in common."""
BESIDE = 3
"""So many models or fewer have both measures on one line."""
MOST_ACROSS = 6
WIDEST, NARROWEST = 70.0, 20.0
"""How wide a panel is at most, and how wide one of few epochs is at least where it can be, in mm."""
TALL, LOW = 40.0, 16.0
"""How high a panel is where there are few, and at least, in mm."""
WIDE_RANGE = 10.0
"""Losses whose largest is so many times the smallest have a logarithmic axis."""
VERY_WIDE_RANGE = 100.0
"""Up to so many times that axis has four ticks a decade, and two beyond."""
LINES: dict[str, Any] = {"train": (0, (2.5, 1.2)), "val": "-"}
"""How curves of training and validation differ where the colour is the model's."""


@dataclass(frozen=True)
class Grid:
    """Where the panels of each measure stand: ``across`` on a line, the measures ``beside`` one another or not; in mm.

    ``epochs``: how many each panel shows. On one line they are as wide as that asks, so that no panel has an empty end.
    """

    epochs: Sequence[int]
    measures: int
    across: int
    beside: bool
    height: float
    title: float
    key: float

    @property
    def panels(self) -> int:
        """How many panels a measure has."""
        return len(self.epochs)

    @property
    def block(self) -> float:
        """How wide the panels of a measure are together."""
        room = style.FULL_WIDTH_MM - LEFT - RIGHT
        return (room - (GAP + LEFT) * (self.measures - 1)) / self.measures if self.beside else room

    @property
    def widths(self) -> list[float]:
        """How wide each panel is."""
        alike = min((self.block + GAP) / self.across - GAP, WIDEST)
        if self.lines > 1:
            return [alike] * self.panels
        room, least = alike * self.panels, min(NARROWEST, alike)
        spare = room - least * self.panels
        wished = [max(0.0, room * n / sum(self.epochs) - least) for n in self.epochs]
        return [least + spare * (w / sum(wished) if any(wished) else 1 / self.panels) for w in wished]

    @property
    def lines(self) -> int:
        """On how many lines the panels of a measure stand."""
        return -(-self.panels // self.across)

    @property
    def row(self) -> float:
        """How far a line is below the one before."""
        return self.title + self.height + BELOW

    @property
    def total(self) -> float:
        """How high the figure is."""
        blocks = 1 if self.beside else self.measures
        return self.key + blocks * (self.lines * self.row + AXIS) + (blocks - 1) * APART

    def place(self, measure: int, k: int) -> tuple[float, float]:
        """Return the left end and the top of the panel number ``k`` of a measure, its title included."""
        line, column = divmod(k, self.across)
        down = self.key + line * self.row
        left = LEFT + sum(self.widths[line * self.across : k]) + column * GAP
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
    comparable: bool = True,
) -> None:
    """Draw loss or accuracy or both of every model over its epochs; panels of a measure have the same axes.

    Parameters
    ----------
    inputs : mapping of str to Path
        The stage ``training_<id>`` of each model: ``history.csv`` and ``training.json``. Its further trainings,
        ``training2_<id>`` and so on, are drawn as thin lines.
    measures : sequence of {"loss", "accuracy"}
        What is drawn.
    models : sequence of mapping
        ``id`` and ``title`` of each model.
    comparable : bool
        Whether the losses of all models are the same function, so that two may lie over one another.
    """
    histories = {m["id"]: read_course(inputs[f"training_{m['id']}"]) for m in models}
    table = pd.concat([history.assign(model=model) for model, history in histories.items()])
    curves = [prefix + m for m in measures for prefix in CURVE_PREFIXES.values()]
    rate = [name for name in table if name == "learning_rate"]
    table = table[["model", "epoch", *curves, *rate, "stopped"]]
    further = _read_further(inputs, models)
    drawn = pd.concat([table, *(history for each in further.values() for history in each)])
    best = {m: float(h["epoch"].iloc[row]) for m, h in histories.items() if (row := best_row(h)) is not None}
    panels = [models] if len(models) == OVERLAID and comparable else [[m] for m in models]
    key = _key(table, panels)
    epochs = {str(m): max(2, int(of["epoch"].max())) for m, of in drawn.groupby("model")}
    grid, titles = _arrange(panels, epochs, len(measures), style.key_mm(list(key), LEFT) + BELOW_KEY)
    with style.page(grid.total) as figure:
        sheet = style.add_sheet(figure)
        style.draw_key(sheet, key, LEFT, grid.total)
        for i, measure in enumerate(measures):
            for k, (panel, title) in enumerate(zip(panels, titles, strict=True)):
                left, top = grid.place(i, k)
                sheet.text(
                    left, top - grid.title + 1, title, va="baseline", size=typesetting.SMALL, linespacing=1.1
                )
                ax = _axes(figure, grid, i, k)
                _set_scales(ax, drawn, measure)
                if grid.lines == 1:
                    ax.set_xlim(1, grid.epochs[k])
                for model, (lines, marks) in _styles(panel).items():
                    mine = table[table["model"] == model]
                    for again in further[model]:
                        _thin_curves(ax, again, measure, lines)
                    _curves(ax, mine, measure, lines)
                    if i == 0 and len(models) != OVERLAID:
                        draw_rate(ax, mine, find_largest_rate(table), **marks)
                    if model in best:
                        ax.axvline(best[model], **{**BEST, "zorder": 0.5, **marks})
                _label(ax, grid, k, measure)
        style.save(figure, out, table, describe(table, models, measures, best))


def _read_further(inputs: Mapping[str, Path], models: Sequence[style.Model]) -> dict[str, list[pd.DataFrame]]:
    """Return the histories of the trainings of each model beyond its first."""
    return {
        m["id"]: [
            read_course(path).assign(model=m["id"])
            for name, path in inputs.items()
            if name.partition("_")[2] == m["id"] and name != f"training_{m['id']}"
        ]
        for m in models
    }


def _arrange(
    panels: Sequence[Sequence[style.Model]], epochs: Mapping[str, int], measures: int, key: float
) -> tuple[Grid, list[str]]:
    """Return the highest panels that fit on a page with as few on a line as that allows, and the titles on lines."""
    n, beside = len(panels), len(panels) <= BESIDE
    longest = [max(epochs[m["id"]] for m in panel) for panel in panels]
    named = ["" if len(panel) > 1 else panel[0]["title"] for panel in panels]
    for height in (TALL, 32.0, 24.0, 20.0, LOW):
        for across in range(n if n <= MOST_ACROSS else 4, MOST_ACROSS + 1):
            grid = Grid(longest, measures, across, beside, height, 0.0, key)
            titles = [
                typesetting.break_lines(title, width, typesetting.SMALL)
                for title, width in zip(named, grid.widths, strict=True)
            ]
            lines = max(title.count("\n") + 1 if title else 0 for title in titles)
            grid = replace(grid, title=TITLE_LINE * lines)
            if grid.total <= style.PAGE_MM:
                return grid, titles
    return grid, titles


def _key(table: pd.DataFrame, panels: Sequence[Sequence[style.Model]]) -> dict[str, dict[str, Any]]:
    shared = panels[0] if len(panels[0]) > 1 else []
    models = {m["title"]: {**_styles(shared)[m["id"]][1], "linewidth": 1.6} for m in shared}
    lines = {
        style.SPLIT_NAMES[s]: {"color": style.SPLIT_COLOURS[s], "linewidth": 1.6}
        | ({"color": style.QUIET, "linestyle": LINES[s], "linewidth": 1.1} if shared else {})
        for s in CURVE_PREFIXES
    }
    pair = len(panels) == OVERLAID or shared
    marks = make_key(table.drop(columns="learning_rate", errors="ignore") if pair else table)
    return {**models, **lines, **marks}


def _styles(panel: Sequence[style.Model]) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """Return by model how the curve of each split looks, and what the marks have of it: the model's colour in a shared panel."""
    if len(panel) == 1:
        return {panel[0]["id"]: ({s: {"color": style.SPLIT_COLOURS[s]} for s in CURVE_PREFIXES}, {})}
    colours = {m: {"color": line["color"]} for m, line in style.model_lines([m["id"] for m in panel]).items()}
    return {
        m["id"]: ({s: {**colours[m["id"]], "linestyle": LINES[s]} for s in CURVE_PREFIXES}, colours[m["id"]])
        for m in panel
    }


def _axes(figure: Figure, grid: Grid, measure: int, k: int) -> Axes:
    left, top = grid.place(measure, k)
    return style.place(figure, left, top - grid.title - grid.height, grid.widths[k], grid.height)


def _label(ax: Axes, grid: Grid, k: int, measure: str) -> None:
    """Write the numbers and names of the axes of the panel number ``k``, on the left and below the lowest."""
    lowest, first = k + grid.across >= grid.panels, k % grid.across == 0
    ax.tick_params(labelleft=first, labelbottom=lowest)
    name = f"{measure} (logarithmic)" if ax.get_yscale() == "log" else measure
    ax.set(xlabel="epoch" if lowest else "", ylabel=name if first else "")


def _curves(ax: Axes, mine: pd.DataFrame, measure: str, lines: Mapping[str, Mapping[str, Any]]) -> None:
    for split, prefix in CURVE_PREFIXES.items():
        marker = "o" if len(mine) == 1 else None
        ax.plot(
            mine["epoch"], mine[prefix + measure], linewidth=1.1, marker=marker, markersize=2, **lines[split]
        )
    draw_stop(ax, mine, measure)


def _thin_curves(ax: Axes, again: pd.DataFrame, measure: str, lines: Mapping[str, Mapping[str, Any]]) -> None:
    for split, prefix in CURVE_PREFIXES.items():
        ax.plot(
            again["epoch"], again[prefix + measure], linewidth=0.5, alpha=0.45, zorder=1.5, **lines[split]
        )


def _set_scales(ax: Axes, table: pd.DataFrame, measure: str) -> None:
    """Give a panel the axes that all panels of its measure have."""
    limits = _limits(table, measure)
    ax.set(xlim=(1, max(2, table["epoch"].max())))
    ax.xaxis.set_major_locator(
        MaxNLocator(nbins=6 if table["model"].nunique() == OVERLAID else 4, integer=True, steps=[1, 2, 5, 10])
    )
    if measure == "loss" and limits and limits[1] > WIDE_RANGE * limits[0]:
        ax.set_yscale("log")
        many = limits[1] <= VERY_WIDE_RANGE * limits[0]
        ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 3.0, 5.0) if many else (1.0, 3.0)))
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
