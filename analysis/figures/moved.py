"""What model B calls otherwise than model A: both confusion matrices, and how many more or fewer in each cell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from analysis.figures import heatmaps, style
from analysis.progress import Progress

LEFT, RIGHT, GAP, TITLE_LINE, AXIS = heatmaps.LEFT, 2.0, 5.0, 3.6, 8.0
DIVERGING, SMALL_SIDE = "PuOr", 36.0
SIGNED = heatmaps.Cells("", 2.5, lambda n, _: style.signed(n, 0))


@dataclass(frozen=True)
class Pair:
    """The matrices of both models, how many pictures moved in each cell, the models' titles, and the split."""

    matrices: tuple[heatmaps.Matrices, heatmaps.Matrices]
    moved: NDArray[np.int64]
    titles: tuple[str, str]
    split: str

    @property
    def heading(self) -> str:
        """What is subtracted from what."""
        return f"{self.titles[1]} − {self.titles[0]}"

    @property
    def shades(self) -> heatmaps.Shades:
        """The colours of as many more or fewer as there are."""
        most = float(max(1, np.abs(self.moved).max()))
        return heatmaps.Shades(DIVERGING, -most, most)


@style.with_fonts
def draw(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    classes: Sequence[style.Class],
    a: str,
    b: str,
    titles: Mapping[str, str],
    split: str,
) -> None:
    """Draw the matrices of ``a`` and ``b``, shaded by the share of the row, and ``b - a`` in pictures."""
    (counts_a, shares_a), (counts_b, shares_b) = (
        _matrices(inputs[f"evaluation_{side}"], classes, split) for side in ("a", "b")
    )
    moved = counts_b - counts_a
    pair = Pair(((counts_a, shares_a), (counts_b, shares_b)), moved, (titles[a], titles[b]), split)
    side = (style.FULL_WIDTH_MM - LEFT - RIGHT - 2 * GAP) / 3
    drawn = _beside if heatmaps.fit_beside(pair.matrices, classes, side) else _stacked
    with drawn(pair, classes) as figure:
        words = describe(moved, classes, pair.titles, split)
        style.save(figure, out, _table(classes, split, counts_a, counts_b), words)


@contextmanager
def _beside(pair: Pair, classes: Sequence[style.Class]) -> Iterator[Figure]:
    """Give the figure with the three matrices side by side."""
    panels = [
        *((np.nan_to_num(m[1]), heatmaps.BOTH.texts(*m), heatmaps.SHARES) for m in pair.matrices),
        (pair.moved.astype(np.float64), SIGNED.texts(pair.moved, pair.matrices[0][1]), pair.shades),
    ]
    side = (style.FULL_WIDTH_MM - LEFT - RIGHT - 2 * GAP) / 3
    headings = [style.fitted(title, side, style.BASE, "semibold") for title in (*pair.titles, pair.heading)]
    if "\n" in headings[2]:  # better broken before the sign than anywhere
        names = (style.fitted(title, side - 2, style.BASE, "semibold") for title in reversed(pair.titles))
        headings[2] = "\n− ".join(names)
    top = 2.5 + TITLE_LINE * max(heading.count("\n") + 1 for heading in headings)
    bottom = AXIS + heatmaps.labels_mm(classes, side)
    with style.page(top + side + bottom) as figure:
        name = style.SPLIT_NAMES[pair.split].capitalize()
        style.sheet(figure).text(1, bottom + side + 1.4, name, fontweight="semibold")
        for k, (heading, (values, written, shades)) in enumerate(zip(headings, panels, strict=True)):
            ax = style.place(figure, LEFT + k * (side + GAP), bottom, side, side)
            heatmaps.heat(ax, values, written, shades)
            heatmaps.label_axes(ax, classes, side, rows=k == 0)
            ax.set_title(heading, linespacing=1.1, pad=4)
        yield figure


@contextmanager
def _stacked(pair: Pair, classes: Sequence[style.Class]) -> Iterator[Figure]:
    """Give the figure with both matrices small, as shades, above the large one of what changed."""
    pitch = (style.FULL_WIDTH_MM - LEFT) / 2
    upper = [style.fitted(title, pitch - 4, style.BASE, "semibold") for title in pair.titles]
    heading = style.fitted(pair.heading, style.FULL_WIDTH_MM - 75, style.BASE, "semibold")
    title = 2.5 + TITLE_LINE * max(text.count("\n") + 1 for text in upper)
    layout = heatmaps.stack(classes, 1, title + SMALL_SIDE + 6 + TITLE_LINE * heading.count("\n"))
    cells = SIGNED if SIGNED.fit([(pair.moved, pair.matrices[0][1])], *layout.cell) else heatmaps.NOTHING
    with style.page(layout.height) as figure:
        name = style.SPLIT_NAMES[pair.split].capitalize()
        style.sheet(figure).text(1, layout.height - title + 1.4, name, fontweight="semibold")
        for k, (counts, shares) in enumerate(pair.matrices):
            bottom = layout.height - title - SMALL_SIDE
            ax = style.place(figure, LEFT + k * pitch, bottom, SMALL_SIDE, SMALL_SIDE)
            written = heatmaps.NOTHING.texts(counts, shares)
            heatmaps.heat(ax, np.nan_to_num(shares), written, heatmaps.SHARES)
            ax.set(xticks=[], yticks=[], xlabel="predicted class", ylabel="true class")
            ax.set_title(upper[k], linespacing=1.1, pad=4)
        ax = layout.axes(figure, 0)
        heatmaps.heat(ax, pair.moved.astype(np.float64), cells.texts(pair.moved, shares), pair.shades)
        layout.label(ax, last=True)
        ax.set_title(heading, linespacing=1.1, pad=4)
        layout.finish(figure, classes, f"above, {heatmaps.SHADE}; below, how many pictures more or fewer")
        yield figure


def _matrices(
    folder: Path, classes: Sequence[style.Class], split: str
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    table = pd.read_csv(folder / "confusion.csv")
    return heatmaps.matrices(table[table["split"] == split], classes)


def _table(
    classes: Sequence[style.Class], split: str, a: NDArray[np.int64], b: NDArray[np.int64]
) -> pd.DataFrame:
    ids = [c["id"] for c in classes]
    cells = [(true, predicted) for true in ids for predicted in ids]
    table = pd.DataFrame(cells, columns=["y_true", "y_pred"])
    table.insert(0, "split", split)
    return table.assign(a=a.ravel(), b=b.ravel(), difference=(b - a).ravel())


def describe(
    moved: NDArray[np.int64], classes: Sequence[style.Class], titles: tuple[str, str], split: str
) -> str:
    """Return the figure in words: what moved on the diagonal, and most beside it either way."""
    labels = [c["label"] for c in classes]
    right = style.of_classes(dict(zip(labels, moved.diagonal(), strict=True)), lambda n: style.signed(n, 0))
    beside = np.where(np.eye(len(labels), dtype=bool), 0, moved)
    ends = []
    for place, sign in ((beside.argmax(), 1), (beside.argmin(), -1)):
        true, predicted = divmod(int(place), len(labels))
        n = beside[true, predicted]
        if n * sign > 0:
            ends.append(f"{style.signed(n, 0)} of {labels[true]} called {labels[predicted]}")
    errors = style.listed(ends) or "none moved"
    return (
        f"{titles[1]} minus {titles[0]}, {style.SPLIT_NAMES[split]}: pictures called rightly: {right}. "
        f"Among the errors the largest changes are {errors}."
    )
