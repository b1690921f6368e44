"""ROC or precision-recall curves of all models over one another, a panel for each class and split."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures import class_labels, style, typesetting, wording
from analysis.figures.score_curves_grid import GAP, HEADING, LEFT, RIGHT, SPACE, VALUE_LINE, Grid, arrange
from analysis.progress import Progress

AXIS, SWATCH = 10.0, 4.0
AREA, SHORT_SWATCH = 11.3, 2.2
"""How wide areas are that have no interval, and how long the line of the model before each is, in mm."""
SHORT_MM = 140.0
"""How high a figure of one split may be, which shares its page with text."""
CORNER, HIGH = 0.3, 0.9
"""Curves that are all so high at this false positive rate crowd in the upper left corner, which is drawn enlarged."""
INSET = (0.43, 0.2, 0.55, 0.52)
"""Where the enlarged corner stands in a panel: left, bottom, width and height, as shares of it."""
LARGE_ENOUGH = 22.0
"""How wide a panel is that has room for it, in mm."""


@dataclass(frozen=True)
class Kind:
    """What is drawn: the file and column of the areas, the names of the area and of both axes, what a coin's line is.

    ``intervals``: whether the areas above the panels have theirs, each on its line; those that a table has do not, and stand
    beside one another.
    """

    areas: str
    area: str
    x: str
    y: str
    coin: str
    intervals: bool

    def lines(self, models: int, pitch: float) -> int:
        """Return on how many lines the areas of so many models stand above panels that are ``pitch`` mm apart."""
        return models + 1 if self.intervals else -(-models // _areas_across(pitch))


KINDS = {
    "roc": Kind(
        "auroc",
        "area under the curve",
        "false positive rate",
        "true positive rate",
        "chance",
        intervals=False,
    ),
    "pr": Kind(
        "average_precision",
        "average precision",
        "recall (sensitivity)",
        "precision (PPV)",
        "prevalence",
        intervals=True,
    ),
}
SHORT_PERIOD = 2.4
"""Of dashes before an area, in widths of their line."""
LINES: dict[str, dict[str, Any]] = {
    "chance": {"color": style.QUIET, "linewidth": 0.8, "linestyle": (0, (1, 2))},
    "prevalence": {"color": style.QUIET, "linewidth": 0.8, "linestyle": (0, (3, 2))},
}


@dataclass(frozen=True)
class Tables:
    """The curves; areas by model, split, class; prevalence by split, class; how models are drawn and called."""

    curves: pd.DataFrame
    areas: Mapping[tuple[str, str, str], Mapping[str, float]]
    prevalence: Mapping[tuple[str, str], float]
    lines: Mapping[str, Mapping[str, Any]]
    titles: Mapping[str, str]

    def of(self, model: str, panel: tuple[str, str]) -> pd.DataFrame:
        """Return the points of the curve of a model in a panel: a split and a class."""
        return self._by_panel.get((model, *panel), self.curves.iloc[:0])

    @cached_property
    def _by_panel(self) -> dict[Any, pd.DataFrame]:
        return dict(iter(self.curves.groupby(["model", "split", "curve"], sort=False)))


@dataclass(frozen=True)
class ManyModels:
    """Several models on several splits.

    Parameters
    ----------
    kind : {"roc", "pr"}
        What is drawn, see `KINDS`.
    classes, models : sequence of mapping
        ``id`` and ``label`` of each class, ``id`` and ``title`` of each model.
    splits : sequence of str
        Those that are drawn one above the other.
    """

    kind: str
    classes: Sequence[style.Class]
    models: Sequence[style.Model]
    splits: Sequence[str]


@typesetting.with_fonts
def draw(inputs: Mapping[str, Path], out: Path, *, scratch: Path, progress: Progress, **subject: Any) -> None:
    """Draw a row of panels for each split, a column for each class, with the area of each curve above it.

    Parameters
    ----------
    inputs : mapping of str to Path
        The stage ``evaluation_<id>`` of each model.
    subject
        The fields of `ManyModels`.
    """
    shown = ManyModels(**subject)
    kind, tables = KINDS[shown.kind], _read(inputs, shown)
    key = {m["title"]: {**tables.lines[m["id"]], "linewidth": 1.6} for m in shown.models}
    key |= {kind.coin: LINES[kind.coin]}
    key_height = style.key_mm(list(key), LEFT) + 2
    page = style.PAGE_MM if len(shown.splits) > 1 else SHORT_MM
    room = page - key_height - AXIS
    grid = arrange(shown.classes, len(shown.splits), lambda pitch: kind.lines(len(shown.models), pitch), room)
    height = key_height + len(shown.splits) * grid.block - SPACE + AXIS + grid.key
    with style.page(height) as figure:
        sheet = style.add_sheet(figure)
        style.draw_key(sheet, key, LEFT, height)
        for i, split in enumerate(shown.splits):
            top, last = height - key_height - i * grid.block, i == len(shown.splits) - 1
            note = kind.area + (" (95 % interval)" if kind.intervals else "")
            _heading(sheet, split, note if grid.values else "", top)
            if grid.lines > 1:
                middle = top - (HEADING + grid.block - SPACE) / 2
                sheet.text(1, middle, kind.y, rotation=90, ha="left", va="center")
            _panels(figure, sheet, tables, shown, (split, top, last), grid)
        if grid.lines > 1:
            sheet.text((LEFT + style.FULL_WIDTH_MM) / 2, grid.key + 1.5, kind.x, ha="center")
        if grid.key:
            class_labels.draw_key(sheet, shown.classes, grid.key)
        style.save(figure, out, tables.curves, describe(tables, shown.classes, shown.splits, kind))


def _panels(
    figure: Figure, sheet: Axes, tables: Tables, shown: ManyModels, row: tuple[str, float, bool], grid: Grid
) -> None:
    """Draw the panels of a split, which begin ``top`` mm high; the last split has the labels of the axis below."""
    (split, top, last), kind = row, KINDS[shown.kind]
    for k, c in enumerate(shown.classes):
        line, column = divmod(k, grid.across)
        x, y = LEFT + column * grid.pitch, top - HEADING - grid.above - line * grid.row
        sheet.text(x, y + 1.2, grid.labels[k], va="baseline", linespacing=1.1, size=grid.size)
        if grid.values:
            (_values if kind.intervals else _areas)(sheet, tables, (split, c["id"]), (x, y), grid.pitch)
        ax = style.place(figure, x, top - grid.first - line * grid.row, grid.side, grid.high)
        _panel(ax, tables, (split, c["id"]))
        if shown.kind == "roc" and grid.side >= LARGE_ENOUGH and _crowded(tables, (split, c["id"])):
            _enlarge(ax, tables, (split, c["id"]))
        lowest = last and k + grid.across >= len(shown.classes)
        ax.tick_params(labelleft=column == 0, labelbottom=lowest)
        if grid.lines == 1:
            ax.set(xlabel=kind.x if last else "", ylabel=kind.y if k == 0 else "")


def _read(inputs: Mapping[str, Path], shown: ManyModels) -> Tables:
    ids, of_areas = [m["id"] for m in shown.models], KINDS[shown.kind].areas
    curves, areas = (
        pd.concat([pd.read_csv(inputs[f"evaluation_{i}"] / name).assign(model=i) for i in ids])
        for name in ("bands.csv", f"{of_areas}.csv")
    )
    drawn = (curves["kind"] == shown.kind) & curves["curve"].isin([c["id"] for c in shown.classes])
    curves = curves[drawn & curves["split"].isin(shown.splits)]
    columns = ["model", "split", "curve", "x", "y", "low", "high"]
    areas = areas.rename(columns={of_areas: "area"}).set_index(["model", "split", "curve"])
    by_curve: dict[Any, Any] = areas.to_dict("index")
    prevalence, lines = _prevalence(inputs, ids[0], shown.kind), style.model_lines(ids)
    return Tables(curves[columns], by_curve, prevalence, lines, {m["id"]: m["title"] for m in shown.models})


def _prevalence(inputs: Mapping[str, Path], model: str, kind: str) -> dict[Any, float]:
    """Return the precision of a coin, which is the same for every model; there is none in ROC curves."""
    if kind == "roc":
        return {}
    counts = pd.read_csv(inputs[f"evaluation_{model}"] / "confusion.csv")
    of_class = counts.groupby(["split", "y_true"])["count"].sum()
    return (of_class / of_class.groupby("split").sum()).to_dict()


def _heading(sheet: Axes, split: str, note: str, top: float) -> None:
    name = style.SPLIT_NAMES[split].capitalize()
    sheet.text(LEFT, top - 4, name, va="baseline", fontweight="semibold")
    x = LEFT + typesetting.text_mm(name, typesetting.BASE, "semibold") + 3
    sheet.text(x, top - 4, note, va="baseline", color=style.QUIET, size=typesetting.SMALL)


def _values(
    sheet: Axes, tables: Tables, panel: tuple[str, str], corner: tuple[float, float], pitch: float
) -> None:
    """Set the area of each model under one another, and the prevalence where the table has it."""
    (x, y), width = corner, pitch - GAP
    lines: list[tuple[dict[str, Any], str, str]] = []
    for model in tables.titles:
        area = tables.areas[model, *panel]
        line: dict[str, Any] = {**tables.lines[model], "linewidth": 1.6}
        lines.append((line, wording.three_digits(area["area"]), wording.interval(area["low"], area["high"])))
    if panel in tables.prevalence:
        share = f"{tables.prevalence[panel]:.3f}"
        named = f"prevalence {share}"
        fits = typesetting.text_mm(named) <= width - SWATCH - 1.5 + GAP
        lines.append((LINES["prevalence"], named if fits else share, ""))
    for drawn, value, between in lines:
        y -= VALUE_LINE
        text = value + between if typesetting.text_mm(value + between) <= width - SWATCH - 1.5 else value
        sheet.plot([x, x + SWATCH], [y + VALUE_LINE / 2] * 2, solid_capstyle="butt", **drawn)
        sheet.text(x + SWATCH + 1.5, y + VALUE_LINE / 2, text, va="center_baseline", size=typesetting.SMALL)


def _areas(
    sheet: Axes, tables: Tables, panel: tuple[str, str], corner: tuple[float, float], pitch: float
) -> None:
    """Set the areas of the models beside one another, on as many lines as they need."""
    across, (x, top) = _areas_across(pitch), corner
    for k, model in enumerate(tables.titles):
        line, column = divmod(k, across)
        x, y = x if column else corner[0], top - (line + 0.5) * VALUE_LINE
        area = tables.areas[model, *panel]["area"]
        text = "–" if math.isnan(area) else wording.three_digits(area)
        drawn = _swatch(tables.lines[model])
        sheet.plot([x, x + SHORT_SWATCH], [y, y], solid_capstyle="butt", **drawn)
        sheet.text(x + SHORT_SWATCH + 0.6, y, text, va="center_baseline", size=typesetting.SMALL)
        x += SHORT_SWATCH + 0.6 + typesetting.text_mm(text) + 1.7


def _swatch(line: Mapping[str, Any]) -> dict[str, Any]:
    """Return how a model's line is drawn before its area: dashes that would fill it are shortened, each kind to its own."""
    dashes = line["linestyle"]
    if dashes != "-":
        shorter = min(1.0, SHORT_PERIOD / sum(dashes[1]))
        dashes = (dashes[0], tuple(part * shorter for part in dashes[1]))
    return {**line, "linewidth": 1.6, "linestyle": dashes}


def _areas_across(pitch: float) -> int:
    return max(1, int((pitch - GAP + RIGHT + 2) // AREA))


def _panel(ax: Axes, tables: Tables, panel: tuple[str, str]) -> None:
    if panel in tables.prevalence:
        ax.plot([0, 1], [tables.prevalence[panel]] * 2, **LINES["prevalence"])
    else:
        ax.plot([0, 1], [0, 1], **LINES["chance"])
    _curves(ax, tables, panel)
    ax.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), xticks=(0, 0.5, 1), yticks=(0, 0.5, 1))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.yaxis.set_major_formatter("{x:g}")
    ax.grid()


def _curves(ax: Axes, tables: Tables, panel: tuple[str, str]) -> None:
    """Draw the bands of all models and then their curves; the last, dashed one lies upon the others, which show through it."""
    for model, line in tables.lines.items():
        mine = tables.of(model, panel)
        ax.fill_between(mine["x"], mine["low"], mine["high"], color=line["color"], alpha=0.18, linewidth=0)
    for model in tables.titles:
        mine, line = tables.of(model, panel), tables.lines[model]
        # A ROC curve begins where nothing is called positive.
        start = [] if panel in tables.prevalence else [0.0]
        ax.plot([*start, *mine["x"]], [*start, *mine["y"]], **line, linewidth=1.1)


def _crowded(tables: Tables, panel: tuple[str, str]) -> bool:
    """Whether all curves of a panel run so close to its upper left corner that they cannot be told apart there."""
    curves = [tables.of(model, panel) for model in tables.titles]
    return all(curve.loc[curve["x"] <= CORNER, "y"].max() >= HIGH for curve in curves)


def _enlarge(ax: Axes, tables: Tables, panel: tuple[str, str]) -> None:
    """Draw the upper left corner of a ROC panel enlarged into its lower right, where no curve runs."""
    corner = ax.inset_axes(INSET)
    _curves(corner, tables, panel)
    ends = (0, CORNER), (1 - CORNER, 1)
    corner.set(xlim=(-0.005, CORNER), ylim=(1 - CORNER, 1.005), xticks=ends[0], yticks=ends[1])
    corner.xaxis.set_major_formatter("{x:g}")
    corner.yaxis.set_major_formatter("{x:g}")
    corner.tick_params(length=1.5, pad=1.5)
    corner.spines[:].set(visible=True, color=style.QUIET)


def describe(tables: Tables, classes: Sequence[style.Class], splits: Sequence[str], kind: Kind) -> str:
    """Return the figure in words: the area of each model, by split and class."""

    def of_class(split: str, name: str) -> str:
        areas = (tables.areas[model, split, name]["area"] for model in tables.titles)
        named = zip(tables.titles.values(), areas, strict=True)
        return wording.join([f"{title} {wording.three_digits(area)}" for title, area in named])

    def of_model(split: str, model: str) -> str:
        areas = {c["label"]: tables.areas[model, split, c["id"]]["area"] for c in classes}
        return wording.by_class(areas, wording.three_digits)

    sentences = []
    for split in splits:
        if len(classes) <= wording.MOST_SAID:
            parts = "; ".join(f"{c['label']}: {of_class(split, c['id'])}" for c in classes)
        else:
            parts = "; ".join(f"{title}: {of_model(split, m)}" for m, title in tables.titles.items())
        sentences.append(f"{kind.area.capitalize()}, {style.SPLIT_NAMES[split]}: {parts}.")
    return " ".join(sentences)
