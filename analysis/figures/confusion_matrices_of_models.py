"""The confusion matrices of all models on one split, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures import class_labels, style, typesetting, wording
from analysis.figures.heatmaps import COUNTS, NOTHING, SHADE, SHARES, draw_matrix, read_matrices
from analysis.progress import Progress

LEFT, RIGHT, GAP, TITLE_LINE, BELOW, LINE = 24.0, 2.0, 6.0, 3.4, 4.0, 3.2
SIDES = {2: 23.0, 3: 30.0, 4: 36.0}
LARGEST = 44.0
SMALLER = (44.0, 36.0, 30.0, 24.0, 20.0, 16.0, 12.0)
NOTE = 4.0


@dataclass(frozen=True)
class Layout:
    """Where the matrices stand, in mm.

    Parameters
    ----------
    side : float
        Of a matrix.
    titles : sequence of str
        Of the models, on lines.
    named : bool
        Whether the classes are named beside and below the matrices; otherwise numbers stand for them.
    """

    side: float
    titles: Sequence[str]
    named: bool = True

    @property
    def across(self) -> int:
        """How many matrices stand side by side."""
        room = style.FULL_WIDTH_MM - LEFT - RIGHT + GAP
        return min(len(self.titles), int(room // (self.side + GAP)))

    @property
    def title(self) -> float:
        """How high the highest title is."""
        return TITLE_LINE * max(t.count("\n") + 1 for t in self.titles)

    @property
    def row(self) -> float:
        """How far the matrices of one line are below those of the line above."""
        return self.title + 1 + self.side + BELOW

    @property
    def height(self) -> float:
        """How high the matrices of all models are with their titles."""
        return -(-len(self.titles) // self.across) * self.row


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
    """Draw a small heat map per model: counts, shaded by their share of the true class (row).

    Parameters
    ----------
    inputs : mapping of str to Path
        The stage ``evaluation_<id>`` of each model.
    classes, models : sequence of mapping
        ``id`` and ``label`` of each class, ``id`` and ``title`` of each model.
    split : str
        The split that is drawn.
    """
    table = _read(inputs, classes, models, split)
    panels = [read_matrices(table[table["model"] == m["id"]], classes) for m in models]
    layout = _arrange(classes, models)
    cell = layout.side / len(classes)
    cells = COUNTS if layout.named and COUNTS.fit(panels, cell, cell) else NOTHING
    names = [typesetting.break_lines(c["label"], layout.side, typesetting.SMALL) for c in classes]
    upright = max(typesetting.text_mm(name) for name in names) if layout.named else LINE
    below = 0.0 if layout.named else NOTE + class_labels.key_mm(classes)
    height = layout.height + upright + LINE + 1 + below
    with style.page(height) as figure:
        sheet = style.add_sheet(figure)
        for i, (counts, shares) in enumerate(panels):
            ax = _place(figure, sheet, layout, i, height)
            draw_matrix(ax, np.nan_to_num(shares), cells.texts(counts, shares), SHARES)
            _label(ax, layout, i, classes, names)
        if not layout.named:
            note = class_labels.key_mm(classes)
            sheet.text(LEFT, note + 1, SHADE, size=typesetting.SMALL, color=style.QUIET)
            class_labels.draw_key(sheet, classes, note)
        columns = ["model", "split", "y_true", "y_pred", "count", "share"]
        style.save(figure, out, table[columns], describe(table, classes, models))


def _read(
    inputs: Mapping[str, Path], classes: Sequence[style.Class], models: Sequence[style.Model], split: str
) -> pd.DataFrame:
    """Return the cells of all matrices."""
    table = pd.concat(
        [pd.read_csv(inputs[f"evaluation_{m['id']}"] / "confusion.csv").assign(model=m["id"]) for m in models]
    )
    ids = [c["id"] for c in classes]
    return table[(table["split"] == split) & table["y_true"].isin(ids) & table["y_pred"].isin(ids)]


def _arrange(classes: Sequence[style.Class], models: Sequence[style.Model]) -> Layout:
    """Return matrices large enough for the names of the classes, otherwise the largest that fit on a page."""

    def layout(side: float) -> Layout:
        titles = [typesetting.break_lines(m["title"], side + GAP - 2, typesetting.SMALL) for m in models]
        return Layout(side, titles)

    side = SIDES.get(len(classes), LARGEST)
    if max(LINE * (name.count("\n") + 1) for name in _beside(classes)) <= side / len(classes):
        return layout(side)
    key = class_labels.key_mm(classes)
    smaller = (layout(side) for side in SMALLER)
    found = next(tried for tried in smaller if tried.height + key <= style.PAGE_MM)
    return replace(found, named=False)


def _place(figure: Figure, sheet: Axes, layout: Layout, i: int, height: float) -> Axes:
    """Set the title of the matrix number ``i`` and return its axes."""
    x, top = LEFT + (layout.side + GAP) * (i % layout.across), height - layout.row * (i // layout.across)
    title = layout.titles[i]
    sheet.text(x, top - layout.title + 1, title, va="baseline", size=typesetting.SMALL, linespacing=1.1)
    return style.place(figure, x, top - layout.title - 1 - layout.side, layout.side, layout.side)


def _label(ax: Axes, layout: Layout, i: int, classes: Sequence[style.Class], names: Sequence[str]) -> None:
    """Write names or numbers of the classes along a matrix on the left or lower edge of the figure."""
    ax.tick_params(length=0)
    lowest, first = i + layout.across >= len(layout.titles), i % layout.across == 0
    if layout.named:
        ax.set_xticklabels(
            names if lowest else [], rotation=90, fontsize=typesetting.SMALL, multialignment="right"
        )
        ax.set_yticklabels(_beside(classes) if first else [], rotation=0, fontsize=typesetting.SMALL)
    else:
        _number(ax, len(classes), below=lowest, beside=first)
    ax.set(xlabel="predicted class" if lowest else "", ylabel="")


def _beside(classes: Sequence[style.Class]) -> list[str]:
    return [typesetting.break_lines(c["label"], LEFT - 6) for c in classes]


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
