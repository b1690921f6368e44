"""Matrices of classes as heat maps: beside one another where the cells have room, otherwise one above the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from analysis.figures import class_labels, style, typesetting, wording
from analysis.vocabulary.measures import round_counts

LEFT, RIGHT, GAP, LINE, AXIS = 30.0, 2.0, 6.0, 3.2, 8.0
TOP, NOTE, TALLEST = 8.0, 4.0, 7.0
UPRIGHT = 26.0  # how long labels of columns may be, in mm, before numbers stand for them
DARK = 0.2  # luminance of a shade below which white is easier to read on it than black
Matrices: TypeAlias = tuple[NDArray[np.int64], NDArray[np.float64]]


@dataclass(frozen=True)
class Shades:
    """The colour map of a heat map and the values at its ends."""

    cmap: str
    low: float
    high: float


@dataclass(frozen=True)
class Cells:
    """What is written into each cell of a matrix, how high that is in mm, and what tells the reader of it."""

    note: str
    height: float
    written: Callable[[Any, float], str]

    def texts(self, counts: NDArray[np.int64], shares: NDArray[np.float64]) -> NDArray[np.str_]:
        """Return the text of each cell, shape (K, K)."""
        cells = [self.written(n, share) for n, share in zip(counts.flat, shares.flat, strict=True)]
        return np.array(cells).reshape(counts.shape)

    def fit(self, panels: Sequence[Matrices], width: float, height: float) -> bool:
        """Whether every text of these matrices has room in a cell of this size in mm."""
        texts = {text for matrices in panels for text in self.texts(*matrices).flat}
        return self.height <= height and max(map(typesetting.text_mm, texts)) <= width - MARGIN


MARGIN = 0.5
SHARES = Shades("Blues", 0.0, 1.0)
SHADE = "shade: share of the true class (row)"
BOTH = Cells("", 6.2, lambda n, share: f"{n:,}\n{'–' if np.isnan(share) else wording.percent(share)}")
COUNTS = Cells(f"numbers: images; {SHADE}", 2.5, lambda n, _: f"{n:,}")
PERCENT = Cells(
    "numbers and shade: percent of the true class (row)",
    2.5,
    lambda _, share: "–" if np.isnan(share) else wording.percent(share).removesuffix(" %"),
)
NOTHING = Cells(SHADE, 0.0, lambda *_: "")


def read_matrices(table: pd.DataFrame, classes: Sequence[style.Class]) -> Matrices:
    """Return counts and shares of the true class, shape (K, K), of one split's rows of ``confusion.csv``.

    Counts that are means of several trainings are rounded, see `round_rows`.
    """
    order = pd.MultiIndex.from_product([[c["id"] for c in classes]] * 2)
    cells = table.set_index(["y_true", "y_pred"]).loc[order]
    shape = (len(classes), len(classes))
    counts, shares = (cells[name].to_numpy().reshape(shape) for name in ("count", "share"))
    return round_rows(counts), shares.astype(np.float64)


def round_rows(counts: NDArray[Any]) -> NDArray[np.int64]:
    """Return counts that are means of several trainings as whole numbers; each row adds up to the images of its class."""
    return np.array([round_counts(row) for row in counts.tolist()], np.int64)


def draw_matrix(ax: Axes, values: NDArray[np.float64], written: NDArray[np.str_], shades: Shades) -> None:
    """Draw a matrix of shades with a text in each cell and a frame around those on the diagonal."""
    sns.heatmap(
        values,
        vmin=shades.low,
        vmax=shades.high,
        cmap=shades.cmap,
        annot=written,
        fmt="",
        annot_kws={"size": typesetting.SMALL, "linespacing": 1.25},
        cbar=False,
        linewidths=1 if len(values) <= wording.MOST_SAID else 0.4,
        linecolor="white",
        ax=ax,
    )
    colours = mpl.colormaps[shades.cmap](Normalize(shades.low, shades.high)(values))
    luminance = colours[..., :3] ** 2.2 @ (0.2126, 0.7152, 0.0722)
    for text, light in zip(ax.texts, luminance.flat, strict=True):
        text.set_color("white" if light < DARK else style.INK)
    for i in range(len(values)):
        ax.add_patch(Rectangle((i, i), 1, 1, fill=False, edgecolor=style.INK, linewidth=0.8, clip_on=False))


def fit_beside(panels: Sequence[Matrices], classes: Sequence[style.Class], side: float) -> bool:
    """Whether matrices ``side`` mm wide have room for counts and shares, and for the labels beside and below."""
    cell = side / len(classes)
    beside = [typesetting.break_lines(c["label"], LEFT - 11) for c in classes]
    below, upright = column_labels(classes, side)
    lines = max(name.count("\n") + 1 for name in beside)
    across = max(name.count("\n") + 1 for name in below) if upright else 0
    return (
        BOTH.fit(panels, cell, cell)
        and max(map(typesetting.text_mm, beside)) <= LEFT - 9
        and LINE * max(lines, across) <= cell
    )


def label_axes(ax: Axes, classes: Sequence[style.Class], side: float, *, rows: bool) -> None:
    """Write the classes along a matrix ``side`` mm wide; columns upright where they would not fit beside another."""
    names, upright = column_labels(classes, side)
    beside = [typesetting.break_lines(c["label"], LEFT - 11) for c in classes] if rows else []
    turned: dict[str, Any] = {"rotation": 90, "multialignment": "right"} if upright else {"rotation": 0}
    ax.set_xticklabels(names, fontsize=typesetting.SMALL, **turned)
    ax.set_yticklabels(beside, rotation=0, fontsize=typesetting.SMALL)
    ax.tick_params(length=0)
    ax.set_xlabel("predicted class")
    ax.set_ylabel("true class" if rows else "")


def labels_mm(classes: Sequence[style.Class], side: float) -> float:
    """Return how high the labels of the columns of a matrix ``side`` mm wide are."""
    names, upright = column_labels(classes, side)
    size: Callable[[str], float] = (
        typesetting.text_mm if upright else lambda name: LINE * (name.count("\n") + 1)
    )
    return max(size(name) for name in names)


def column_labels(classes: Sequence[style.Class], side: float) -> tuple[list[str], bool]:
    """Return the labels of the columns on several lines, and whether they stand upright."""
    cell = side / len(classes)
    words = [word for c in classes for word in c["label"].split()]
    if max(typesetting.text_mm(word) for word in words) <= cell - 1:
        names = [typesetting.break_lines(c["label"], cell - 1) for c in classes]
        lines = max(name.count("\n") for name in names)  # as many for each: only then the first ones align
        return [name + "\n" * (lines - name.count("\n")) for name in names], False
    return [typesetting.break_lines(c["label"], LEFT - 11) for c in classes], True


@dataclass(frozen=True)
class Stack:
    """Matrices one above the other, ``above`` mm below the upper edge: rows of all classes, columns upright or numbers."""

    rows: class_labels.Rows
    columns: tuple[str, ...]
    below: float
    many: int
    above: float

    @property
    def left(self) -> float:
        """How far from the left the matrices begin, in mm."""
        return self.rows.width + 7.0

    @property
    def cell(self) -> tuple[float, float]:
        """Width and height of a cell in mm."""
        return (style.FULL_WIDTH_MM - RIGHT - self.left) / len(self.columns), self.rows.row

    @property
    def height(self) -> float:
        """How high the figure is, in mm."""
        matrix = TOP + self.rows.row * len(self.columns)
        return self.above + self.many * matrix + self.below + AXIS + NOTE + self.rows.key

    def axes(self, figure: Figure, k: int) -> Axes:
        """Return the axes of the matrix number ``k`` from above."""
        width, height = (side * len(self.columns) for side in self.cell)
        bottom = self.height - self.above - (k + 1) * (TOP + height)
        return style.place(figure, self.left, bottom, width, height)

    def label(self, ax: Axes, *, last: bool) -> None:
        """Write the classes along a matrix, those of the columns only below the last."""
        places = np.arange(len(self.columns)) + 0.5
        turned = 90 if self.below > 2 * LINE else 0
        ax.set_xticks(
            places if last else [], self.columns if last else [], fontsize=typesetting.SMALL, rotation=turned
        )
        ax.set_yticks(places, self.rows.names, rotation=0, **self.rows.type)
        ax.tick_params(length=0)
        ax.set(xlabel="predicted class" if last else "", ylabel="")

    def finish(self, figure: Figure, classes: Sequence[style.Class], note: str) -> None:
        """Set what the rows are, what the cells show and, where labels are cut, the key."""
        sheet = style.add_sheet(figure)
        bottom = self.rows.key + NOTE + AXIS + self.below
        middle = (bottom + self.height - self.above - TOP) / 2
        sheet.text(1, middle, "true class", rotation=90, ha="left", va="center")
        sheet.text(self.left, self.rows.key + 1, note, size=typesetting.SMALL, color=style.QUIET)
        if self.rows.key:
            class_labels.draw_key(sheet, classes, self.rows.key)


def arrange_stack(classes: Sequence[style.Class], many: int, above: float = 0.0) -> Stack:
    """Return how ``many`` matrices stand one above the other on a page, ``above`` mm taken by something else."""
    names = [c["label"] for c in classes]
    longest = max(map(typesetting.text_mm, names))
    for columns, below in ((tuple(names), longest), (tuple(f"{k}" for k in range(1, len(names) + 1)), LINE)):
        room = style.PAGE_MM - above - many * TOP - AXIS - NOTE - below
        numbered = columns[0] == "1"
        rows = class_labels.arrange_rows(classes, room=room, tallest=TALLEST, times=many, numbered=numbered)
        if below <= UPRIGHT and not rows.key:
            break
    return Stack(rows, columns, below, many, above)


def choose_cells(panels: Sequence[Matrices], cell: tuple[float, float]) -> Cells:
    """Return the most that can be written into cells of this size in mm: counts with shares, one of them, nothing."""
    return next((cells for cells in (BOTH, COUNTS, PERCENT) if cells.fit(panels, *cell)), NOTHING)
