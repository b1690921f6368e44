"""What model B calls otherwise than model A: both confusion matrices, and how many more or fewer in each cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.figures import confusion, style
from analysis.progress import Progress

LEFT, RIGHT, GAP, TITLE_LINE, AXIS = confusion.LEFT, 2.0, 5.0, 3.6, 8.0
DIVERGING = "PuOr"


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
    most = float(max(1, np.abs(moved).max()))
    panels = [
        (titles[a], np.nan_to_num(shares_a), confusion.texts(counts_a, shares_a), confusion.SHARES),
        (titles[b], np.nan_to_num(shares_b), confusion.texts(counts_b, shares_b), confusion.SHARES),
        (
            f"{titles[b]} − {titles[a]}",
            moved.astype(np.float64),
            np.vectorize(lambda n: style.signed(n, 0))(moved),
            confusion.Shades(DIVERGING, -most, most),
        ),
    ]
    side = (style.FULL_WIDTH_MM - LEFT - RIGHT - 2 * GAP) / 3
    headings = [style.fitted(title, side, style.BASE, "semibold") for title, *_ in panels]
    if "\n" in headings[2]:  # better broken before the sign than anywhere
        headings[2] = "\n− ".join(style.fitted(titles[m], side - 2, style.BASE, "semibold") for m in (b, a))
    top = 2.5 + TITLE_LINE * max(heading.count("\n") + 1 for heading in headings)
    bottom = AXIS + confusion.labels_mm(classes, side)
    with style.page(top + side + bottom) as figure:
        name = style.SPLIT_NAMES[split].capitalize()
        style.sheet(figure).text(1, bottom + side + 1.4, name, fontweight="semibold")
        for k, (heading, (_, values, written, shades)) in enumerate(zip(headings, panels, strict=True)):
            ax = style.place(figure, LEFT + k * (side + GAP), bottom, side, side)
            confusion.heat(ax, values, written, shades)
            confusion.label_axes(ax, classes, side, rows=k == 0)
            ax.set_title(heading, linespacing=1.1, pad=4)
        style.save(
            figure,
            out,
            _table(classes, split, counts_a, counts_b),
            describe(moved, classes, (titles[a], titles[b]), split),
        )


def _matrices(
    folder: Path, classes: Sequence[style.Class], split: str
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    table = pd.read_csv(folder / "confusion.csv")
    return confusion.matrices(table[table["split"] == split], classes)


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
    right = style.listed(
        [f"{label} {style.signed(n, 0)}" for label, n in zip(labels, moved.diagonal(), strict=True)]
    )
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
