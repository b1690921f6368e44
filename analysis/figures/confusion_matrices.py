"""Confusion matrices of one model, validation beside test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.figures import heatmaps, style, typesetting, wording
from analysis.figures.heatmaps import AXIS, BOTH, GAP, LEFT, RIGHT, SHARES, TOP
from analysis.figures.subjects import OneModel
from analysis.progress import Progress

MAX_SIDE, MAX_CELL = 60.0, 19.0
"""How wide a matrix and a cell of it may be, in mm."""


@typesetting.with_fonts
def draw(inputs: Mapping[str, Path], out: Path, *, scratch: Path, progress: Progress, **subject: Any) -> None:
    """Draw a heat map per split: rows are true classes, the shade and the second line the share of the row.

    Parameters
    ----------
    inputs : mapping of str to Path
        The stage ``evaluation``.
    subject
        The fields of `OneModel`.
    """
    model = OneModel(**subject)
    table = pd.read_csv(inputs["evaluation"] / "confusion.csv")
    table = table[table["split"].isin(model.splits)]
    panels = {s: heatmaps.read_matrices(table[table["split"] == s], model.classes) for s in model.splits}
    side, _ = _widths(len(model.splits), model.classes)
    fit = heatmaps.fit_beside(list(panels.values()), model.classes, side)
    words = describe(table, model.classes, model.title)
    (_beside if fit else _stacked)(out, table, model.classes, panels, words)


def _widths(panels: int, classes: Sequence[style.Class]) -> tuple[float, float]:
    """Return how wide a matrix is, and how far it is from one matrix to the next."""
    return style.column_widths(panels, LEFT, RIGHT, GAP, min(MAX_SIDE, MAX_CELL * len(classes)))


def _beside(
    out: Path,
    table: pd.DataFrame,
    classes: Sequence[style.Class],
    panels: Mapping[str, heatmaps.Matrices],
    words: str,
) -> None:
    side, pitch = _widths(len(panels), classes)
    bottom = AXIS + heatmaps.labels_mm(classes, side)
    with style.page(TOP + side + bottom) as figure:
        for k, (split, (counts, shares)) in enumerate(panels.items()):
            ax = style.place(figure, LEFT + k * pitch, bottom, side, side)
            heatmaps.draw_matrix(ax, np.nan_to_num(shares), BOTH.texts(counts, shares), SHARES)
            heatmaps.label_axes(ax, classes, side, rows=k == 0)
            ax.set_title(style.SPLIT_NAMES[split].capitalize())
        style.save(figure, out, table, words)


def _stacked(
    out: Path,
    table: pd.DataFrame,
    classes: Sequence[style.Class],
    panels: Mapping[str, heatmaps.Matrices],
    words: str,
) -> None:
    layout = heatmaps.arrange_stack(classes, len(panels))
    cells = heatmaps.choose_cells(list(panels.values()), layout.cell)
    with style.page(layout.height) as figure:
        for k, (split, (counts, shares)) in enumerate(panels.items()):
            ax = layout.axes(figure, k)
            heatmaps.draw_matrix(ax, np.nan_to_num(shares), cells.texts(counts, shares), SHARES)
            layout.label(ax, last=k == len(panels) - 1)
            ax.set_title(style.SPLIT_NAMES[split].capitalize())
        layout.finish(figure, classes, cells.note)
        style.save(figure, out, table, words)


def describe(table: pd.DataFrame, classes: Sequence[style.Class], title: str) -> str:
    """Return the figure in words: what is found, and what is confused most."""
    labels = style.class_labels(classes)
    sentences = []
    for split, rows in table.groupby("split", sort=False):
        right = rows[rows["y_true"] == rows["y_pred"]].dropna(subset="share")
        wrong = rows[rows["y_true"] != rows["y_pred"]].sort_values("count", kind="stable").iloc[-1]
        found = dict(zip(right["y_true"].map(labels), right["share"], strict=True))
        sentences.append(
            f"{title}, {style.SPLIT_NAMES[str(split)]}: share of each true class found: {wording.by_class(found, wording.percent) or 'undefined'}; "
            f"most often confused: {wrong['count']:,} images of {labels[wrong['y_true']]} "
            f"predicted as {labels[wrong['y_pred']]}."
        )
    return " ".join(sentences)
