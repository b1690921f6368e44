"""What model B predicts otherwise than model A: both confusion matrices, and how many more or fewer in each cell, coloured by better and worse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from analysis.figures import heatmaps, style, typesetting, wording
from analysis.figures.subjects import Pair
from analysis.progress import Progress

LEFT, RIGHT, GAP, TITLE_LINE, AXIS = heatmaps.LEFT, 2.0, 5.0, 3.6, 8.0
BETTER_OR_WORSE, SMALL_SIDE = "BrBG", 36.0
"""Brown where model B is worse and teal where it is better, apart with every kind of colour vision."""
KEY = {
    "better: more images right, fewer wrong": {"color": "#5ab4ac", "linewidth": 6},
    "worse: fewer right, more wrong": {"color": "#d8b365", "linewidth": 6},
}
SIGNED = heatmaps.Cells("", 2.5, lambda n, _: wording.signed(n, 0))


@dataclass(frozen=True)
class Confusions:
    """The matrices of two models on a split.

    Parameters
    ----------
    matrices : pair of matrices
        Counts and shares of each model.
    titles : pair of str
        What the models are called.
    split : str
        Where they were measured.
    """

    matrices: tuple[heatmaps.Matrices, heatmaps.Matrices]
    titles: tuple[str, str]
    split: str

    @property
    def difference(self) -> NDArray[np.int64]:
        """How many images more or fewer the second model has in each cell, shape (K, K)."""
        (first, _), (second, _) = self.matrices
        return second - first

    @property
    def gain(self) -> NDArray[np.float64]:
        """How much better the second model is in each cell: more images on the diagonal, fewer beside it, shape (K, K)."""
        difference = self.difference
        right = np.eye(len(difference), dtype=bool)
        return np.where(right, difference, -difference).astype(np.float64)

    @property
    def heading(self) -> str:
        """What is subtracted from what."""
        return f"{self.titles[1]} − {self.titles[0]}"

    @property
    def shades(self) -> heatmaps.Shades:
        """The colours of as much better or worse as there is; at most two thirds of the way to the darkest, to be read."""
        most = 1.3 * float(max(1, np.abs(self.difference).max()))
        return heatmaps.Shades(BETTER_OR_WORSE, -most, most)


@typesetting.with_fonts
def draw(inputs: Mapping[str, Path], out: Path, *, scratch: Path, progress: Progress, **subject: Any) -> None:
    """Draw the matrices of ``a`` and ``b``, shaded by the share of the row, and ``b - a`` in images.

    Parameters
    ----------
    inputs : mapping of str to Path
        The stages ``evaluation_a`` and ``evaluation_b``.
    subject
        The fields of `Pair`.
    """
    pair = Pair(**subject)
    first, second = (_read(inputs[f"evaluation_{side}"], pair) for side in ("a", "b"))
    confusions = Confusions((first, second), pair.called, pair.split)
    side = (style.FULL_WIDTH_MM - LEFT - RIGHT - 2 * GAP) / 3
    arranged = _beside if heatmaps.fit_beside(confusions.matrices, pair.classes, side) else _stacked
    with arranged(confusions, pair.classes) as figure:
        words = describe(confusions.difference, pair.classes, pair.called, pair.split)
        style.save(figure, out, _table(pair, first[0], second[0]), words)


@contextmanager
def _beside(both: Confusions, classes: Sequence[style.Class]) -> Iterator[Figure]:
    """Give the figure with the three matrices side by side."""
    panels = [
        *((np.nan_to_num(m[1]), heatmaps.BOTH.texts(*m), heatmaps.SHARES) for m in both.matrices),
        (both.gain, SIGNED.texts(both.difference, both.matrices[0][1]), both.shades),
    ]
    side = (style.FULL_WIDTH_MM - LEFT - RIGHT - 2 * GAP) / 3
    headings = [
        typesetting.break_lines(title, side, typesetting.BASE, "semibold")
        for title in (*both.titles, both.heading)
    ]
    if "\n" in headings[2]:  # better broken before the sign than anywhere
        names = (
            typesetting.break_lines(title, side - 2, typesetting.BASE, "semibold")
            for title in reversed(both.titles)
        )
        headings[2] = "\n− ".join(names)
    top = 2.5 + TITLE_LINE * max(heading.count("\n") + 1 for heading in headings)
    key = style.key_mm(list(KEY), LEFT)
    bottom = key + 1 + AXIS + heatmaps.labels_mm(classes, side)
    with style.page(top + side + bottom) as figure:
        name = style.SPLIT_NAMES[both.split].capitalize()
        sheet = style.add_sheet(figure)
        sheet.text(1, bottom + side + 1.4, name, fontweight="semibold")
        style.draw_key(sheet, KEY, LEFT, key)
        for k, (heading, (values, written, shades)) in enumerate(zip(headings, panels, strict=True)):
            ax = style.place(figure, LEFT + k * (side + GAP), bottom, side, side)
            heatmaps.draw_matrix(ax, values, written, shades)
            heatmaps.label_axes(ax, classes, side, rows=k == 0)
            ax.set_title(heading, linespacing=1.1, pad=4)
        yield figure


@contextmanager
def _stacked(both: Confusions, classes: Sequence[style.Class]) -> Iterator[Figure]:
    """Give the figure with both matrices small, as shades, above the large one of what changed."""
    pitch = (style.FULL_WIDTH_MM - LEFT) / 2
    upper = [typesetting.break_lines(title, pitch - 4, typesetting.BASE, "semibold") for title in both.titles]
    heading = typesetting.break_lines(both.heading, style.FULL_WIDTH_MM - 75, typesetting.BASE, "semibold")
    title = 2.5 + TITLE_LINE * max(text.count("\n") + 1 for text in upper)
    key = style.key_mm(list(KEY), LEFT) + 2
    layout = heatmaps.arrange_stack(
        classes, 1, title + SMALL_SIDE + 6 + key + TITLE_LINE * heading.count("\n")
    )
    cells = SIGNED if SIGNED.fit([(both.difference, both.matrices[0][1])], *layout.cell) else heatmaps.NOTHING
    with style.page(layout.height) as figure:
        name = style.SPLIT_NAMES[both.split].capitalize()
        sheet = style.add_sheet(figure)
        sheet.text(1, layout.height - title + 1.4, name, fontweight="semibold")
        style.draw_key(sheet, KEY, LEFT, layout.height - title - SMALL_SIDE - 6)
        for k, (counts, shares) in enumerate(both.matrices):
            bottom = layout.height - title - SMALL_SIDE
            ax = style.place(figure, LEFT + k * pitch, bottom, SMALL_SIDE, SMALL_SIDE)
            written = heatmaps.NOTHING.texts(counts, shares)
            heatmaps.draw_matrix(ax, np.nan_to_num(shares), written, heatmaps.SHARES)
            ax.set(xticks=[], yticks=[], xlabel="predicted class", ylabel="true class")
            ax.set_title(upper[k], linespacing=1.1, pad=4)
        ax = layout.axes(figure, 0)
        heatmaps.draw_matrix(ax, both.gain, cells.texts(both.difference, shares), both.shades)
        layout.label(ax, last=True)
        ax.set_title(heading, linespacing=1.1, pad=4)
        layout.finish(figure, classes, f"above, {heatmaps.SHADE}; below, how many images more or fewer")
        yield figure


def _read(evaluation: Path, pair: Pair) -> heatmaps.Matrices:
    table = pd.read_csv(evaluation / "confusion.csv")
    return heatmaps.read_matrices(table[table["split"] == pair.split], pair.classes)


def _table(pair: Pair, a: NDArray[np.int64], b: NDArray[np.int64]) -> pd.DataFrame:
    ids = [c["id"] for c in pair.classes]
    cells = [(true, predicted) for true in ids for predicted in ids]
    table = pd.DataFrame(cells, columns=["y_true", "y_pred"])
    table.insert(0, "split", pair.split)
    return table.assign(a=a.ravel(), b=b.ravel(), difference=(b - a).ravel())


def describe(
    difference: NDArray[np.int64], classes: Sequence[style.Class], titles: tuple[str, str], split: str
) -> str:
    """Return the figure in words: what moved on the diagonal, and most beside it either way."""
    labels = [c["label"] for c in classes]
    right = wording.by_class(
        dict(zip(labels, difference.diagonal(), strict=True)), lambda n: wording.signed(n, 0)
    )
    beside = np.where(np.eye(len(labels), dtype=bool), 0, difference)
    ends = []
    for place, sign in ((beside.argmax(), 1), (beside.argmin(), -1)):
        true, predicted = divmod(int(place), len(labels))
        n = beside[true, predicted]
        if n * sign > 0:
            ends.append(f"{wording.signed(n, 0)} of {labels[true]} predicted as {labels[predicted]}")
    errors = wording.join(ends) or "none moved"
    return (
        f"{titles[1]} minus {titles[0]}, {style.SPLIT_NAMES[split]}: images classified correctly: {right}. "
        f"Among the errors the largest changes are {errors}."
    )
