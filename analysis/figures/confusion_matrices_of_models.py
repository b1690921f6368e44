"""The confusion matrices of all models on one split, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.figures import class_labels, style, typesetting, wording
from analysis.figures.heatmaps import COUNTS, NOTHING, SHADE, SHARES, draw_matrix, read_matrices
from analysis.progress import Progress

LEFT, RIGHT, GAP, TITLE_LINE, BELOW, LINE = 24.0, 2.0, 6.0, 3.4, 4.0, 3.2
SIDES = {2: 23.0, 3: 30.0, 4: 36.0}
LARGEST = 44.0
SMALLER = (44.0, 36.0, 30.0, 24.0, 20.0, 16.0, 12.0)
NOTE = 4.0


@typesetting.with_fonts
def draw(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    classes: Sequence[style.Class],
    models: Sequence[style.Model],
    split: str,
) -> None:
    """Draw a small heat map per model: counts, shaded by their share of the true class (row)."""
    table = pd.concat(
        [pd.read_csv(inputs[f"evaluation_{m['id']}"] / "confusion.csv").assign(model=m["id"]) for m in models]
    )
    ids = [c["id"] for c in classes]
    table = table[(table["split"] == split) & table["y_true"].isin(ids) & table["y_pred"].isin(ids)]
    panels = {m["id"]: read_matrices(table[table["model"] == m["id"]], classes) for m in models}
    side = SIDES.get(len(classes), LARGEST)
    cell = side / len(classes)
    named = max(LINE * (name.count("\n") + 1) for name in _beside(classes)) <= cell
    if not named:
        side = next(
            side for side in SMALLER if _height(models, side) + class_labels.key_mm(classes) <= style.PAGE_MM
        )
    cells = COUNTS if named and COUNTS.fit(list(panels.values()), cell, cell) else NOTHING
    across = _across(models, side)
    pitch = side + GAP
    titles = _titles(models, side)
    title = TITLE_LINE * max(t.count("\n") + 1 for t in titles)
    row = title + 1 + side + BELOW
    names = [typesetting.break_lines(c["label"], side, typesetting.SMALL) for c in classes]
    upright = max(typesetting.text_mm(name) for name in names) if named else LINE
    below = 0.0 if named else NOTE + class_labels.key_mm(classes)
    height = _height(models, side) + upright + LINE + 1 + below
    with style.page(height) as figure:
        sheet = style.add_sheet(figure)
        for i, (model, name) in enumerate(zip(models, titles, strict=True)):
            x, top = LEFT + pitch * (i % across), height - row * (i // across)
            sheet.text(x, top - title + 1, name, va="baseline", size=typesetting.SMALL, linespacing=1.1)
            ax = style.place(figure, x, top - title - 1 - side, side, side)
            counts, shares = panels[model["id"]]
            draw_matrix(ax, np.nan_to_num(shares), cells.texts(counts, shares), SHARES)
            ax.tick_params(length=0)
            lowest, first = i + across >= len(models), i % across == 0
            if named:
                ax.set_xticklabels(
                    names if lowest else [], rotation=90, fontsize=typesetting.SMALL, multialignment="right"
                )
                beside = _beside(classes)
                ax.set_yticklabels(beside if first else [], rotation=0, fontsize=typesetting.SMALL)
            else:
                _number(ax, len(classes), below=lowest, beside=first)
            ax.set(xlabel="predicted class" if lowest else "", ylabel="")
        if not named:
            sheet.text(
                LEFT, class_labels.key_mm(classes) + 1, SHADE, size=typesetting.SMALL, color=style.QUIET
            )
            class_labels.draw_key(sheet, classes, class_labels.key_mm(classes))
        columns = ["model", "split", "y_true", "y_pred", "count", "share"]
        style.save(figure, out, table[columns], describe(table, classes, models))


def _beside(classes: Sequence[style.Class]) -> list[str]:
    return [typesetting.break_lines(c["label"], LEFT - 6) for c in classes]


def _titles(models: Sequence[style.Model], side: float) -> list[str]:
    return [typesetting.break_lines(m["title"], side + GAP - 2, typesetting.SMALL) for m in models]


def _across(models: Sequence[style.Model], side: float) -> int:
    return min(len(models), int((style.FULL_WIDTH_MM - LEFT - RIGHT + GAP) // (side + GAP)))


def _height(models: Sequence[style.Model], side: float) -> float:
    """Return how high the matrices of all models are with their titles, in mm."""
    title = TITLE_LINE * max(t.count("\n") + 1 for t in _titles(models, side))
    return -(-len(models) // _across(models, side)) * (title + 1 + side + BELOW)


def _number(ax: Axes, n: int, *, below: bool, beside: bool) -> None:
    """Write the numbers of some of ``n`` classes along a matrix."""
    numbers = [1, *range(5, n + 1, 5)]
    places = [number - 0.5 for number in numbers]
    for axis, shown in ((ax.xaxis, below), (ax.yaxis, beside)):
        axis.set_ticks(places if shown else [], [f"{k}" for k in numbers] if shown else [], rotation=0)


def describe(table: pd.DataFrame, classes: Sequence[style.Class], models: Sequence[style.Model]) -> str:
    """Return the figure in words: the share of each true class that each model finds."""
    called = style.class_labels(classes)
    right = table[table["y_true"] == table["y_pred"]]
    parts = []
    for model in models:
        mine = right[right["model"] == model["id"]]
        known = mine.dropna(subset="share")
        found = dict(zip(known["y_true"].map(called), known["share"], strict=True))
        parts.append(f"{model['title']}: {wording.by_class(found, wording.percent) or 'undefined'}")
    return f"Share of each true class found, {style.SPLIT_NAMES[str(table['split'].iloc[0])]}. {'; '.join(parts)}."
