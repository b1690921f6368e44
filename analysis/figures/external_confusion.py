"""What networks call the images of an external set: its labels as rows, the classes of the study as columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from analysis.figures import class_labels, heatmaps, style, typesetting, wording
from analysis.figures.heatmaps import SHARES, Matrices
from analysis.progress import Progress

LEFT, RIGHT, GAP, TITLE, AXIS, NOTE = 34.0, 2.0, 6.0, 5.0, 8.0, 4.0
HIGHEST_ROW, LEAST_ROW = 11.0, 7.0
MOST_BESIDE, MOST_SMALL = 2, 6
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


@dataclass(frozen=True)
class Layout:
    """So many matrices side by side, their columns ``named`` or numbered with a key below; all in mm."""

    about: Subject
    across: int
    named: bool
    widest: float = WIDEST

    @property
    def columns(self) -> tuple[float, float]:
        """How wide a matrix is, and how far apart two of them begin."""
        return style.column_widths(self.across, LEFT, RIGHT, GAP, self.widest)

    @property
    def cell(self) -> tuple[float, float]:
        """Width and height of a cell."""
        lines = max(row.count("\n") + 1 for row in self.about.rows)
        height = max(LEAST_ROW, 1.5 + heatmaps.LINE * lines)
        return self.columns[0] / len(self.about.classes), min(HIGHEST_ROW, height)

    @property
    def titles(self) -> list[str]:
        """The titles of the models, on lines."""
        width = self.columns[0] / typesetting.HINTED
        return [
            typesetting.break_lines(m["title"], width, typesetting.BASE, "semibold")
            for m in self.about.models
        ]

    @property
    def block(self) -> tuple[float, float, float]:
        """How high the title, a matrix and what is below it are."""
        below = heatmaps.labels_mm(self.about.classes, self.columns[0]) if self.named else heatmaps.LINE
        title = TITLE * max(t.count("\n") + 1 for t in self.titles)
        return title, self.cell[1] * len(self.about.external), AXIS + below

    @property
    def key(self) -> float:
        """How high the key is, 0 where there is none."""
        return 0.0 if self.named else class_labels.key_mm(self.about.classes)

    @property
    def height(self) -> float:
        """How high the figure is."""
        return sum(self.block) * -(-len(self.about.models) // self.across) + NOTE + self.key

    @property
    def fits(self) -> bool:
        """Whether the labels of the columns stand apart and the figure keeps within a page."""
        names, upright = heatmaps.column_labels(self.about.classes, self.columns[0])
        lines = max(name.count("\n") + 1 for name in names) if upright and self.named else 1
        number = 0.0 if self.named else typesetting.text_mm(f"{len(self.about.classes)} ")
        return max(class_labels.LINE * lines, number) <= self.cell[0] and self.height <= style.PAGE_MM

    def axes(self, figure: Figure, k: int) -> Axes:
        """Return the axes of the matrix of model ``k``."""
        line, column = divmod(k, self.across)
        title, tall, _ = self.block
        width, pitch = self.columns
        bottom = self.height - line * sum(self.block) - title - tall
        return style.place(figure, LEFT + column * pitch, bottom, width, tall)


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
    layout = _arrange(about)
    tables = [
        pd.read_csv(inputs[f"external_{m['id']}"] / "confusion.csv").assign(model=m["id"])
        for m in about.models
    ]
    panels = [_read(table, about) for table in tables[: len(layout.about.models)]]
    cells = heatmaps.choose_cells(panels, layout.cell)
    with style.page(layout.height) as figure:
        for k, (counts, shares) in enumerate(panels):
            ax = layout.axes(figure, k)
            heatmaps.draw_matrix(ax, np.nan_to_num(shares), cells.texts(counts, shares), SHARES)
            _frame_matches(ax, about)
            _label(ax, layout, first=k % layout.across == 0)
            ax.set_title(layout.titles[k])
        note = cells.note.replace("true class", "label") or "second line and shade: share of the label (row)"
        sheet = style.add_sheet(figure)
        more = len(tables) - len(panels)
        note += "; framed: what the label matches" + (f"; models not drawn: {more}" if more else "")
        sheet.text(LEFT, layout.key + 1, note, size=typesetting.SMALL, color=style.QUIET)
        if layout.key:
            class_labels.draw_key(sheet, about.classes, layout.key)
        table = pd.concat(tables)
        style.save(figure, out, table[["model", *(c for c in table if c != "model")]], describe(table, about))


def _arrange(about: Subject) -> Layout:
    """Return the first layout in which the names of the columns stand apart and that keeps within a page.

    Matrices stand beside one another, else one above the other; where names have no room in either, numbers stand for
    them. Of many models the matrices become smaller, and of more than have room the first are drawn.
    """
    tries = [
        layout
        for drawn in range(len(about.models), 0, -1)
        for layout in _list_layouts(replace(about, models=about.models[:drawn]))
    ]
    return next((tried for tried in tries if tried.fits), tries[-1])


def _list_layouts(about: Subject) -> Iterator[Layout]:
    beside = min(MOST_BESIDE, len(about.models))
    for named in (True, False):
        yield Layout(about, beside, named)
        yield Layout(about, 1, named, style.FULL_WIDTH_MM)
    for across in range(beside + 1, MOST_SMALL + 1):
        yield Layout(about, across, named=False)


def _read(table: pd.DataFrame, about: Subject) -> Matrices:
    """Return counts and shares of one model, rows by label and columns by predicted class."""
    order = pd.MultiIndex.from_product([[c["id"] for c in about.external], [c["id"] for c in about.classes]])
    cells = table.set_index(["label", "y_pred"]).loc[order]
    shape = (len(about.external), len(about.classes))
    counts, shares = (cells[name].to_numpy().reshape(shape) for name in ("count", "share"))
    return heatmaps.round_rows(counts), shares.astype(np.float64)


def _frame_matches(ax: Axes, about: Subject) -> None:
    """Put frames around the classes that a label matches, in the place of those on a diagonal."""
    for patch in [*ax.patches]:
        patch.remove()
    for i, label in enumerate(about.external):
        for k, c in enumerate(about.classes):
            if c["id"] in label["matches"]:
                frame = Rectangle((k, i), 1, 1, fill=False, edgecolor=style.INK, linewidth=0.8, clip_on=False)
                ax.add_patch(frame)


def _label(ax: Axes, layout: Layout, *, first: bool) -> None:
    about = layout.about
    names, upright = [f"{k}" for k in range(1, len(about.classes) + 1)], False
    if layout.named:
        names, upright = heatmaps.column_labels(about.classes, layout.columns[0])
    turned: dict[str, Any] = {"rotation": 90, "multialignment": "right"} if upright else {"rotation": 0}
    ax.set_xticks(np.arange(len(names)) + 0.5, names, fontsize=typesetting.SMALL, **turned)
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
                f"{labels[str(label)]}: {most['count']:,.0f} of {most['n']:,} called {classes[most['y_pred']]}"
            )
        sentences.append(f"{model['title']}: {wording.join(said)}.")
    return " ".join(sentences)
