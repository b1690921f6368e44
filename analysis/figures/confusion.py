"""Confusion matrices of one model, validation beside test."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from analysis.figures import style
from analysis.progress import Progress

LEFT, GAP, TOP, RIGHT, LINE, AXIS, MAX_SIDE = 30.0, 6.0, 8.0, 2.0, 3.2, 8.0, 60.0
DARK = 0.2  # luminance of a shade below which white is easier to read on it than black


@dataclass(frozen=True)
class Shades:
    """The colour map of a heat map and the values at its ends."""

    cmap: str
    low: float
    high: float


SHARES = Shades("Blues", 0.0, 1.0)


def draw(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    classes: Sequence[style.Class],
    model: str,
    title: str,
    splits: Sequence[str],
) -> None:
    """Draw a heat map per split: rows are true classes, the shade and the second line the share of the row."""
    table = pd.read_csv(inputs["evaluation"] / "confusion.csv")
    table = table[table["split"].isin(splits)]
    side, pitch = style.columns(len(splits), LEFT, RIGHT, GAP, MAX_SIDE)
    bottom = AXIS + labels_mm(classes, side)
    with style.page(TOP + side + bottom) as figure:
        for k, split in enumerate(splits):
            ax = style.place(figure, LEFT + k * pitch, bottom, side, side)
            counts, shares = matrices(table[table["split"] == split], classes)
            heat(ax, np.nan_to_num(shares), texts(counts, shares), SHARES)
            label_axes(ax, classes, side, rows=k == 0)
            ax.set_title(style.SPLIT_NAMES[split].capitalize())
        style.save(figure, out, table, describe(table, classes, title))


def matrices(
    table: pd.DataFrame, classes: Sequence[style.Class]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return counts and shares of the true class, shape (K, K), of one split's rows of ``confusion.csv``."""
    order = pd.MultiIndex.from_product([[c["id"] for c in classes]] * 2)
    cells = table.set_index(["y_true", "y_pred"]).loc[order]
    shape = (len(classes), len(classes))
    counts, shares = (cells[name].to_numpy().reshape(shape) for name in ("count", "share"))
    return counts.astype(np.int64), shares.astype(np.float64)


def texts(counts: NDArray[np.int64], shares: NDArray[np.float64]) -> NDArray[np.str_]:
    """Return what is written into each cell: the count above its share of the row."""
    cells = [
        f"{count:,}\n{'–' if np.isnan(share) else style.percent(share)}"
        for count, share in zip(counts.flat, shares.flat, strict=True)
    ]
    return np.array(cells).reshape(counts.shape)


def heat(ax: Axes, values: NDArray[np.float64], written: NDArray[np.str_], shades: Shades) -> None:
    """Draw a matrix of shades with a text in each cell and a frame around those on the diagonal."""
    sns.heatmap(
        values,
        vmin=shades.low,
        vmax=shades.high,
        cmap=shades.cmap,
        annot=written,
        fmt="",
        annot_kws={"size": style.SMALL, "linespacing": 1.25},
        cbar=False,
        linewidths=1,
        linecolor="white",
        ax=ax,
    )
    colours = mpl.colormaps[shades.cmap](Normalize(shades.low, shades.high)(values))
    luminance = colours[..., :3] ** 2.2 @ (0.2126, 0.7152, 0.0722)
    for text, light in zip(ax.texts, luminance.flat, strict=True):
        text.set_color("white" if light < DARK else style.INK)
    for i in range(len(values)):
        ax.add_patch(Rectangle((i, i), 1, 1, fill=False, edgecolor=style.INK, linewidth=0.8, clip_on=False))


def label_axes(ax: Axes, classes: Sequence[style.Class], side: float, *, rows: bool) -> None:
    """Write the classes along a matrix ``side`` mm wide; columns upright where they would not fit beside another."""
    names, upright = column_labels(classes, side)
    beside = [style.fitted(c["label"], LEFT - 11) for c in classes] if rows else []
    turned: dict[str, Any] = {"rotation": 90, "multialignment": "right"} if upright else {"rotation": 0}
    ax.set_xticklabels(names, fontsize=style.SMALL, **turned)
    ax.set_yticklabels(beside, rotation=0, fontsize=style.SMALL)
    ax.tick_params(length=0)
    ax.set_xlabel("predicted class")
    ax.set_ylabel("true class" if rows else "")


def labels_mm(classes: Sequence[style.Class], side: float) -> float:
    """Return how high the labels of the columns of a matrix ``side`` mm wide are."""
    names, upright = column_labels(classes, side)
    size: Callable[[str], float] = style.text_mm if upright else lambda name: LINE * (name.count("\n") + 1)
    return max(size(name) for name in names)


def column_labels(classes: Sequence[style.Class], side: float) -> tuple[list[str], bool]:
    """Return the labels of the columns on several lines, and whether they stand upright."""
    cell = side / len(classes)
    words = [word for c in classes for word in c["label"].split()]
    if max(style.text_mm(word) for word in words) <= cell - 1:
        names = [style.fitted(c["label"], cell - 1) for c in classes]
        lines = max(name.count("\n") for name in names)  # as many for each: only then the first ones align
        return [name + "\n" * (lines - name.count("\n")) for name in names], False
    return [style.fitted(c["label"], LEFT - 11) for c in classes], True


def describe(table: pd.DataFrame, classes: Sequence[style.Class], title: str) -> str:
    """Return the figure in words: what is found, and what is confused most."""
    labels = style.class_labels(classes)
    sentences = []
    for split, rows in table.groupby("split", sort=False):
        right = rows[rows["y_true"] == rows["y_pred"]].dropna(subset="share")
        wrong = rows[rows["y_true"] != rows["y_pred"]].sort_values("count", kind="stable").iloc[-1]
        found = [
            f"{labels[name]} {style.percent(share)}"
            for name, share in zip(right["y_true"], right["share"], strict=True)
        ]
        sentences.append(
            f"{title}, {style.SPLIT_NAMES[str(split)]}: share of each true class found: {style.listed(found) or 'undefined'}; "
            f"most often confused: {wrong['count']:,} pictures of {labels[wrong['y_true']]} "
            f"called {labels[wrong['y_pred']]}."
        )
    return " ".join(sentences)
