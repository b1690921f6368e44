"""Confusion matrices of one model, validation beside test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from analysis.figures import style
from analysis.progress import Progress

LEFT, GAP, TOP, RIGHT, LINE = 30.0, 6.0, 8.0, 2.0, 3.2
DARK = 0.55  # share above which white is easier to read on the shade than black


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
    side = (style.FULL_WIDTH_MM - LEFT - RIGHT - GAP * (len(splits) - 1)) / len(splits)
    bottom = 8 + LINE * max(label.count("\n") + 1 for label in _column_labels(classes))
    with style.page(TOP + side + bottom) as figure:
        for k, split in enumerate(splits):
            ax = style.place(figure, LEFT + k * (side + GAP), bottom, side, side)
            _matrix(ax, table[table["split"] == split], classes, labelled=k == 0)
            ax.set_title(style.SPLIT_NAMES[split].capitalize())
        style.save(figure, out, table, describe(table, classes, title))


def _matrix(ax: Axes, table: pd.DataFrame, classes: Sequence[style.Class], *, labelled: bool) -> None:
    # The table has a row per cell, row by row in the order of the classes.
    k = len(classes)
    counts = table["count"].to_numpy(dtype=int).reshape(k, k)
    shares = table["share"].to_numpy(dtype=float).reshape(k, k)
    texts = [[_cell(*cell) for cell in zip(*rows, strict=True)] for rows in zip(counts, shares, strict=True)]
    sns.heatmap(
        np.nan_to_num(shares),
        vmin=0,
        vmax=1,
        cmap="Blues",
        annot=np.array(texts),
        fmt="",
        annot_kws={"size": style.SMALL, "linespacing": 1.25},
        cbar=False,
        linewidths=1,
        linecolor="white",
        ax=ax,
    )
    for text, share in zip(ax.texts, np.nan_to_num(shares).flat, strict=True):
        text.set_color("white" if share > DARK else style.INK)
    for i in range(k):
        ax.add_patch(Rectangle((i, i), 1, 1, fill=False, edgecolor=style.INK, linewidth=0.8, clip_on=False))
    rows = [style.wrap(c["label"], 14) for c in classes] if labelled else []
    ax.set_xticklabels(_column_labels(classes), rotation=0, fontsize=style.SMALL)
    ax.set_yticklabels(rows, rotation=0, fontsize=style.SMALL)
    ax.tick_params(length=0)
    ax.set_xlabel("predicted class")
    ax.set_ylabel("true class" if labelled else "")


def _column_labels(classes: Sequence[style.Class]) -> list[str]:
    return [style.wrap(c["label"], 10) for c in classes]


def _cell(count: int, share: float) -> str:
    return f"{count:,}\n{'–' if np.isnan(share) else style.percent(share)}"


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
            f"{title}, {style.SPLIT_NAMES[str(split)]}: share of each true class found: {style.listed(found)}; "
            f"most often confused: {wrong['count']:,} pictures of {labels[wrong['y_true']]} "
            f"called {labels[wrong['y_pred']]}."
        )
    return " ".join(sentences)
