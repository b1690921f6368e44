"""The confusion matrices of all models side by side, on the test set and where it fits on validation too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures import class_labels, style, typesetting, wording
from analysis.figures.heatmaps import BOTH, COUNTS, NOTHING, SHARES, draw_matrix, read_matrices
from analysis.progress import Progress

LEFT, RIGHT, GAP, TITLE_LINE, BELOW, LINE = 24.0, 0.7, 6.0, 3.4, 4.0, 3.2
NUMBERS = 2 * LINE + 1
"""How high the numbers of the classes are, below the matrices of the last line."""
SIDES = {2: (23.0, 27.0), 3: (24.0, 32.0), 4: (28.0, 38.0)}
"""Between which sides a matrix of so many classes is best, in mm."""
LARGEST = (44.0, 54.0)
"""The same of more classes, where these are named."""
SMALLER = (54.0, 44.0, 36.0, 30.0, 24.0, 20.0, 16.0, 12.0)
NBSP = "\u00a0"
NOTE, HEADING, APART, BETWEEN, NARROW_GAP = 4.0, 5.0, 3.0, 2.0, 2.5


@dataclass(frozen=True)
class Layout:
    """Where the matrices of each split stand, in mm.

    Parameters
    ----------
    side : float
        Of a matrix.
    titles : sequence of str
        Of the models, on lines.
    splits : sequence of str
        Those that are drawn.
    beside : bool
        Whether the splits stand beside one another on one line, and not one below the other.
    named : bool
        Whether the classes are named and numbered beside the first matrix of a line, and numbered below; otherwise numbers
        alone stand for them, and a key has their names.
    """

    side: float
    titles: Sequence[str]
    splits: Sequence[str]
    beside: bool = False
    named: bool = True

    @property
    def across(self) -> int:
        """How many matrices of a split stand side by side."""
        room = style.FULL_WIDTH_MM - LEFT - RIGHT + GAP
        return len(self.titles) if self.beside else min(len(self.titles), int(room // (self.side + GAP)))

    @property
    def title(self) -> float:
        """How high the highest title is."""
        return TITLE_LINE * max(t.count("\n") + 1 for t in self.titles)

    @property
    def row(self) -> float:
        """How far the matrices of one line are below those of the line above."""
        return self.title + 1 + self.side + BELOW

    @property
    def block(self) -> float:
        """How high the matrices of a split are with their titles and the heading."""
        return HEADING + -(-len(self.titles) // self.across) * self.row

    @property
    def height(self) -> float:
        """How high all matrices are."""
        blocks = 1 if self.beside else len(self.splits)
        return blocks * self.block + (blocks - 1) * APART

    def place(self, split: int, i: int) -> tuple[float, float]:
        """Return the left end, and how far below the upper edge the title begins, of matrix ``i`` of a split."""
        line, column = divmod(i, self.across)
        down = HEADING + self.row * line
        if self.beside:
            return LEFT + (self.side + NARROW_GAP) * (split * self.across + column) + BETWEEN * split, down
        return LEFT + (self.side + GAP) * column, down + split * (self.block + APART)


@typesetting.with_fonts
def draw(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    classes: Sequence[style.Class],
    models: Sequence[style.Model],
    splits: Sequence[str],
) -> None:
    """Draw a small heat map per model: counts, and where they have room below them their shares of the true class (row).

    Parameters
    ----------
    inputs : mapping of str to Path
        The stage ``evaluation_<id>`` of each model.
    classes, models : sequence of mapping
        ``id`` and ``label`` of each class, ``id`` and ``title`` of each model.
    splits : sequence of str
        The first is drawn, the others where the matrices of a split fit on one line.
    """
    layout = _arrange(classes, models, splits)
    table = _read(inputs, classes, models, layout.splits)
    panels = {
        (s, i): read_matrices(table[(table["model"] == m["id"]) & (table["split"] == s)], classes)
        for s in layout.splits
        for i, m in enumerate(models)
    }
    cell = layout.side / len(classes)
    cells = next(c for c in (BOTH, COUNTS, NOTHING) if c is NOTHING or c.fit([*panels.values()], cell, cell))
    below = 0 if layout.named else NOTE + class_labels.key_mm(classes)
    height = layout.height + NUMBERS + below
    with style.page(height) as figure:
        sheet = style.add_sheet(figure)
        for k, split in enumerate(layout.splits):
            x, down = layout.place(k, 0)
            name = style.SPLIT_NAMES[split].capitalize()
            sheet.text(x, height - down + HEADING - 3.6, name, va="baseline", fontweight="semibold")
        for (split, i), (counts, shares) in panels.items():
            k = layout.splits.index(split)
            ax = _place(figure, sheet, layout, (k, i), height)
            draw_matrix(ax, np.nan_to_num(shares), cells.texts(counts, shares), SHARES)
            _label(ax, layout, (k, i), classes)
        if not layout.named:
            note = class_labels.key_mm(classes)
            sheet.text(LEFT, note + 1, cells.note, size=typesetting.SMALL, color=style.QUIET)
            class_labels.draw_key(sheet, classes, note)
        columns = ["model", "split", "y_true", "y_pred", "count", "share"]
        style.save(figure, out, table[columns], describe(table, classes, models))


def _read(
    inputs: Mapping[str, Path],
    classes: Sequence[style.Class],
    models: Sequence[style.Model],
    splits: Sequence[str],
) -> pd.DataFrame:
    """Return the cells of all matrices, split by split."""
    table = pd.concat(
        [pd.read_csv(inputs[f"evaluation_{m['id']}"] / "confusion.csv").assign(model=m["id"]) for m in models]
    )
    ids = [c["id"] for c in classes]
    table = table[table["y_true"].isin(ids) & table["y_pred"].isin(ids)]
    return pd.concat([table[table["split"] == split] for split in splits])


def _arrange(classes: Sequence[style.Class], models: Sequence[style.Model], splits: Sequence[str]) -> Layout:
    """Return all splits on one line, or a line for each, or of many models the first split alone.

    Matrices are large enough for the names of the classes, otherwise the largest that fit on a page.
    """

    def layout(side: float, shown: Sequence[str], *, beside: bool = False) -> Layout:
        titles = [
            typesetting.break_lines(m["title"], side + (NARROW_GAP if beside else GAP) - 2, typesetting.SMALL)
            for m in models
        ]
        return Layout(side, titles, shown, beside)

    low, best = SIDES.get(len(classes), LARGEST)
    least = max(low, max(LINE * (name.count("\n") + 1) for name in _beside(classes)) * len(classes))
    width = style.FULL_WIDTH_MM - LEFT - RIGHT
    room, many = width + GAP, len(models) * len(splits)
    tries = [(splits, (width + NARROW_GAP - BETWEEN * (len(splits) - 1)) / many - NARROW_GAP, True)]
    tries += [
        (splits, min(max(least, (low + best) / 2), room / len(models) - GAP), False),
        (splits[:1], best, False),
        (splits[:1], least, False),
    ]
    for shown, side, beside in tries:
        fits = layout(min(best, side), shown, beside=beside)
        if least <= fits.side <= best and fits.height + NUMBERS <= style.PAGE_MM:
            return fits
    key = class_labels.key_mm(classes)
    smaller = (layout(side, splits[:1]) for side in SMALLER)
    found = next(tried for tried in smaller if tried.height + key <= style.PAGE_MM - NOTE - 2 * LINE)
    return replace(found, named=False)


def _place(figure: Figure, sheet: Axes, layout: Layout, of: tuple[int, int], height: float) -> Axes:
    """Set the title of the matrix of a split and model, and return its axes."""
    x, down = layout.place(*of)
    top = height - down
    title = layout.titles[of[1]]
    sheet.text(x, top - layout.title + 1, title, va="baseline", size=typesetting.SMALL, linespacing=1.1)
    return style.place(figure, x, top - layout.title - 1 - layout.side, layout.side, layout.side)


def _label(ax: Axes, layout: Layout, of: tuple[int, int], classes: Sequence[style.Class]) -> None:
    """Write names or numbers of the classes along a matrix on the left or lower edge of the figure."""
    split, i = of
    ax.tick_params(length=0)
    last = layout.beside or split == len(layout.splits) - 1
    lowest = last and i + layout.across >= len(layout.titles)
    first = i % layout.across == 0 and not (layout.beside and split)
    if layout.named:
        numbers = [f"{k}" for k in range(1, len(classes) + 1)] if lowest else []
        ax.set_xticklabels(numbers, rotation=0, fontsize=typesetting.SMALL)
        ax.set_yticklabels(
            [f"{k}{NBSP}{name}" for k, name in enumerate(_beside(classes), 1)] if first else [],
            rotation=0,
            fontsize=typesetting.SMALL,
        )
    else:
        _number(ax, len(classes), below=lowest, beside=first)
    if first and layout.named:
        above = 1 + 2 / layout.side
        ax.text(-1.5 / layout.side, above, "true class", ha="right", va="baseline", transform=ax.transAxes)
    ax.set(xlabel="predicted class" if lowest else "", ylabel="")


def _beside(classes: Sequence[style.Class]) -> list[str]:
    return [typesetting.break_lines(c["label"], LEFT - 6) for c in classes]


def _number(ax: Axes, n: int, *, below: bool, beside: bool) -> None:
    """Write the numbers of ``n`` classes along a matrix, of many those of some."""
    numbers = range(1, n + 1) if n <= wording.MOST_SAID else [1, *range(5, n + 1, 5)]
    places = [number - 0.5 for number in numbers]
    for axis, shown in ((ax.xaxis, below), (ax.yaxis, beside)):
        axis.set_ticks(places if shown else [], [f"{k}" for k in numbers] if shown else [], rotation=0)


def describe(table: pd.DataFrame, classes: Sequence[style.Class], models: Sequence[style.Model]) -> str:
    """Return the figure in words: the share of each true class that each model finds."""
    called = style.class_labels(classes)
    right = table[table["y_true"] == table["y_pred"]]
    sentences = []
    for split, of_split in right.groupby("split", sort=False):
        parts = []
        for model in models:
            known = of_split[of_split["model"] == model["id"]].dropna(subset="share")
            found = dict(zip(known["y_true"].map(called), known["share"], strict=True))
            parts.append(f"{model['title']}: {wording.by_class(found, wording.percent) or 'undefined'}")
        sentences.append(f"{style.SPLIT_NAMES[str(split)]}: {'; '.join(parts)}.")
    return " ".join(f"Share of each true class found, {sentence}" for sentence in sentences)
