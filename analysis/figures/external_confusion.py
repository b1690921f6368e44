"""What networks call the images of an external set: its labels as rows, the classes of the study as columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from analysis.figures import heatmaps, style, typesetting, wording
from analysis.figures.heatmaps import SHARES, Matrices
from analysis.progress import Progress

LEFT, RIGHT, GAP, TITLE, AXIS, NOTE = 34.0, 2.0, 6.0, 5.0, 8.0, 4.0
HIGHEST_ROW, LEAST_ROW = 11.0, 7.0
MOST_BESIDE = 2
WIDEST = 74.0


@dataclass(frozen=True)
class Subject:
    """What the figure is about.

    Parameters
    ----------
    classes : sequence of mapping
        ``id`` and ``label`` of each class of the study.
    external : sequence of mapping
        ``id``, ``label`` and ``matches`` of each class of the external set.
    models : sequence of mapping
        ``id`` and ``title`` of each model.
    """

    classes: Sequence[style.Class]
    external: Sequence[Mapping[str, Any]]
    models: Sequence[style.Model]

    @property
    def rows(self) -> list[str]:
        """The labels of the external set, on lines."""
        return [typesetting.break_lines(c["label"], LEFT - 11) for c in self.external]


@typesetting.with_fonts
def draw(inputs: Mapping[str, Path], out: Path, *, scratch: Path, progress: Progress, **subject: Any) -> None:
    """Draw a heat map per model: images, and the share of the label (row); framed is what the label matches.

    Parameters
    ----------
    inputs : mapping of str to Path
        The stage ``external_<id>`` of each model.
    subject
        The fields of `Subject`.
    """
    about = Subject(**subject)
    tables = [
        pd.read_csv(inputs[f"external_{m['id']}"] / "confusion.csv").assign(model=m["id"])
        for m in about.models
    ]
    panels = [_read(table, about) for table in tables]
    across = min(MOST_BESIDE, len(panels))
    width, pitch = style.column_widths(across, LEFT, RIGHT, GAP, WIDEST)
    lines = max(row.count("\n") + 1 for row in about.rows)
    cell = width / len(about.classes), min(HIGHEST_ROW, max(LEAST_ROW, 1.5 + heatmaps.LINE * lines))
    cells = heatmaps.choose_cells(panels, cell)
    titles = [typesetting.break_lines(m["title"], width) for m in about.models]
    title = TITLE * max(t.count("\n") + 1 for t in titles)
    below = AXIS + heatmaps.labels_mm(about.classes, width)
    tall = cell[1] * len(about.external)
    block = title + tall + below
    height = block * -(-len(panels) // across) + NOTE
    with style.page(height) as figure:
        for k, (counts, shares) in enumerate(panels):
            line, column = divmod(k, across)
            bottom = height - line * block - title - tall
            ax = style.place(figure, LEFT + column * pitch, bottom, width, tall)
            heatmaps.draw_matrix(ax, np.nan_to_num(shares), cells.texts(counts, shares), SHARES)
            _frame_matches(ax, about)
            _label(ax, about, width, first=column == 0)
            ax.set_title(titles[k])
        note = cells.note.replace("true class", "label") or "second line and shade: share of the label (row)"
        sheet = style.add_sheet(figure)
        sheet.text(
            LEFT, 1, f"{note}; framed: what the label matches", size=typesetting.SMALL, color=style.QUIET
        )
        table = pd.concat(tables)
        style.save(figure, out, table[["model", *(c for c in table if c != "model")]], describe(table, about))


def _read(table: pd.DataFrame, about: Subject) -> Matrices:
    """Return counts and shares of one model, rows by label and columns by predicted class."""
    order = pd.MultiIndex.from_product([[c["id"] for c in about.external], [c["id"] for c in about.classes]])
    cells = table.set_index(["label", "y_pred"]).loc[order]
    shape = (len(about.external), len(about.classes))
    counts, shares = (cells[name].to_numpy().reshape(shape) for name in ("count", "share"))
    return counts.astype(np.int64), shares.astype(np.float64)


def _frame_matches(ax: Axes, about: Subject) -> None:
    """Put frames around the classes that a label matches, in the place of those on a diagonal."""
    for patch in [*ax.patches]:
        patch.remove()
    for i, label in enumerate(about.external):
        for k, c in enumerate(about.classes):
            if c["id"] in label["matches"]:
                frame = Rectangle((k, i), 1, 1, fill=False, edgecolor=style.INK, linewidth=0.8, clip_on=False)
                ax.add_patch(frame)


def _label(ax: Axes, about: Subject, width: float, *, first: bool) -> None:
    names, upright = heatmaps.column_labels(about.classes, width)
    turned: dict[str, Any] = {"rotation": 90, "multialignment": "right"} if upright else {"rotation": 0}
    ax.set_xticklabels(names, fontsize=typesetting.SMALL, **turned)
    ax.set_yticklabels(about.rows if first else [], rotation=0, fontsize=typesetting.SMALL)
    ax.tick_params(length=0)
    ax.set(xlabel="predicted class", ylabel="label" if first else "")


def describe(table: pd.DataFrame, about: Subject) -> str:
    """Return the figure in words: of each model what each label is called most often."""
    labels, classes = style.class_labels(about.external), style.class_labels(about.classes)
    sentences = []
    for model in about.models:
        of_model = table[table["model"] == model["id"]]
        said = []
        for label, rows in of_model[of_model["n"] > 0].groupby("label", sort=False):
            most = rows.sort_values("count", kind="stable").iloc[-1]
            said.append(
                f"{labels[str(label)]}: {most['count']:,} of {most['n']:,} called {classes[most['y_pred']]}"
            )
        sentences.append(f"{model['title']}: {wording.join(said)}.")
    return " ".join(sentences)
