"""ROC or precision-recall curves of all models over one another, a panel for each class and split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from analysis.figures import labels as class_labels
from analysis.figures import style
from analysis.progress import Progress

LEFT, RIGHT, GAP, MAX_SIDE, AXIS = 13.0, 2.0, 5.0, 60.0, 10.0
HEADING, TITLE_LINE, VALUE_LINE, SPACE = 6.0, 3.6, 3.4, 7.0
SWATCH = 4.0
BETWEEN, LABEL_LINE = 3.0, 3.0
LARGE_ENOUGH, SMALL_SIDE = 18.0, 13.0  # mm: the least side of panels in one line, and in several


@dataclass(frozen=True)
class Kind:
    """What is drawn: the file and column of the areas, and the names of the area and of both axes."""

    areas: str
    area: str
    x: str
    y: str


KINDS = {
    "roc": Kind("auroc", "area under the curve", "false positive rate", "true positive rate"),
    "pr": Kind("average_precision", "average precision", "recall (sensitivity)", "precision (PPV)"),
}
LINES: dict[str, dict[str, Any]] = {
    "chance": {"color": style.QUIET, "linewidth": 0.6},
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


@style.with_fonts
def draw(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    kind: str,
    classes: Sequence[style.Class],
    models: Sequence[style.Model],
    splits: Sequence[str],
) -> None:
    """Draw a row of panels for each split, a column for each class, with the area of each curve above it."""
    what, tables = KINDS[kind], _read(inputs, kind, classes, models, splits)
    key = {m["title"]: {**tables.lines[m["id"]], "linewidth": 1.6} for m in models}
    key_height = style.key_mm(list(key), LEFT) + 2
    grid = arrange(classes, len(splits), len(models) + (kind == "pr"), style.PAGE_MM - key_height - AXIS)
    height = key_height + len(splits) * grid.block - SPACE + AXIS + grid.key
    with style.page(height) as figure:
        sheet = style.sheet(figure)
        style.key(sheet, key, LEFT, height)
        for i, split in enumerate(splits):
            top, last = height - key_height - i * grid.block, i == len(splits) - 1
            _heading(sheet, split, grid.note(what), top)
            if grid.lines > 1:
                middle = top - (HEADING + grid.block - SPACE) / 2
                sheet.text(1, middle, what.y, rotation=90, ha="left", va="center")
            for k, c in enumerate(classes):
                line, column = divmod(k, grid.across)
                x, y = LEFT + column * grid.pitch, top - HEADING - grid.above - line * grid.row
                sheet.text(x, y + 1.2, grid.labels[k], va="baseline", linespacing=1.1, size=grid.size)
                if grid.values:
                    _values(sheet, tables, (split, c["id"]), (x, y), grid.pitch - GAP)
                ax = style.place(figure, x, top - grid.first - line * grid.row, grid.side, grid.side)
                _panel(ax, tables, (split, c["id"]))
                if kind == "roc" and k == 0 and grid.lines == 1:
                    style.label_chance(ax)
                lowest = last and k + grid.across >= len(classes)
                ax.tick_params(labelleft=column == 0, labelbottom=lowest)
                if grid.lines == 1:
                    ax.set(xlabel=what.x if last else "", ylabel=what.y if k == 0 else "")
        if grid.lines > 1:
            sheet.text((LEFT + style.FULL_WIDTH_MM) / 2, grid.key + 1.5, what.x, ha="center")
        if grid.key:
            class_labels.key(sheet, classes, grid.key)
        style.save(figure, out, tables.curves, describe(tables, classes, splits, what))


@dataclass(frozen=True)
class Grid:
    """Where the panels of a split stand: ``across`` in a line, ``side`` wide; their labels; all in mm.

    ``values``: how high the areas above a panel are, 0 where there is no room for them. ``key``: the key of the
    labels, 0 where they are not cut.
    """

    across: int
    lines: int
    side: float
    pitch: float
    labels: Sequence[str]
    above: float
    values: float
    size: float
    key: float

    def note(self, what: Kind) -> str:
        """Return what the numbers above the panels are, in a narrow panel also what is drawn dashed."""
        area = f"{what.area} (95 % interval)" if self.values else ""
        dashed = "dashed: prevalence" if what is KINDS["pr"] and self.lines > 1 else ""
        return "; ".join(filter(None, (area, dashed)))

    @property
    def first(self) -> float:
        """How high the heading and the first line of panels are."""
        return HEADING + self.above + self.values + 1.5 + self.side

    @property
    def row(self) -> float:
        """How far a line of panels is below the line before."""
        return self.first - HEADING + BETWEEN

    @property
    def block(self) -> float:
        """How far a split is below the split before."""
        return self.first + (self.lines - 1) * self.row + SPACE


def arrange(classes: Sequence[style.Class], splits: int, values: int, room: float) -> Grid:
    """Return one line of panels where they are large enough, else the lines that make them largest in ``room`` mm."""
    side, pitch = style.columns(len(classes), LEFT, RIGHT, GAP, MAX_SIDE)
    labels = [style.fitted(c["label"], (side + 1) / style.HINTED, style.BASE) for c in classes]
    above = TITLE_LINE * max(label.count("\n") + 1 for label in labels)
    line = Grid(len(classes), 1, side, pitch, labels, above, VALUE_LINE * values, style.BASE, 0.0)
    if side >= LARGE_ENOUGH and splits * line.block - SPACE <= room:
        return line
    tries = [
        _lines(classes, splits, (across, cut), height, room)
        for cut in (False, True)
        for height in (VALUE_LINE * values, 0.0)
        for across in range(3, 9)
    ]
    enough = (grid for grid in tries if grid.side >= SMALL_SIDE)
    # Labels in full are worth more than areas, and both more than size.
    first = next(enough, max(tries, key=lambda grid: grid.side))
    alike = [g for g in tries if bool(g.values) == bool(first.values) and bool(g.key) == bool(first.key)]
    return max(alike, key=lambda grid: grid.side)


def _lines(
    classes: Sequence[style.Class], splits: int, grid: tuple[int, bool], values: float, room: float
) -> Grid:
    """Return the panels as large as they can be with so many across, their labels cut to one line or not."""
    across, cut = grid
    lines = -(-len(classes) // across)
    wide = (style.FULL_WIDTH_MM - LEFT - RIGHT + GAP) / across - GAP
    widest = (wide + 1) / style.HINTED
    labels: Sequence[str] = [style.fitted(c["label"], widest) for c in classes]
    if cut:
        labels = class_labels.numbered_and_cut(classes, widest, 1)
    above = LABEL_LINE * max(label.count("\n") + 1 for label in labels) + 0.6
    key = class_labels.key_mm(classes) if cut else 0.0
    flat = Grid(across, lines, 0.0, wide + GAP, labels, above, values, style.SMALL, key)
    high = (room - key + SPACE - splits * flat.block) / (splits * lines)
    return replace(flat, side=min(wide, high, MAX_SIDE))


def _read(
    inputs: Mapping[str, Path],
    kind: str,
    classes: Sequence[style.Class],
    models: Sequence[style.Model],
    splits: Sequence[str],
) -> Tables:
    ids = [m["id"] for m in models]
    curves, areas = (
        pd.concat([pd.read_csv(inputs[f"evaluation_{i}"] / name).assign(model=i) for i in ids])
        for name in ("bands.csv", f"{KINDS[kind].areas}.csv")
    )
    drawn = (curves["kind"] == kind) & curves["curve"].isin([c["id"] for c in classes])
    curves = curves[drawn & curves["split"].isin(splits)]
    columns = ["model", "split", "curve", "x", "y", "low", "high"]
    areas = areas.rename(columns={KINDS[kind].areas: "area"}).set_index(["model", "split", "curve"])
    by_curve: dict[Any, Any] = areas.to_dict("index")
    titles = {m["id"]: m["title"] for m in models}
    return Tables(
        curves[columns], by_curve, _prevalence(inputs, ids[0], kind), style.model_lines(ids), titles
    )


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
    x = LEFT + style.text_mm(name, style.BASE, "semibold") + 3
    sheet.text(x, top - 4, note, va="baseline", color=style.QUIET, size=style.SMALL)


def _values(
    sheet: Axes, tables: Tables, panel: tuple[str, str], corner: tuple[float, float], width: float
) -> None:
    """Set the area of each model under one another, and the prevalence where the table has it."""
    x, y = corner
    lines: list[tuple[dict[str, Any], str, str]] = []
    for model in tables.titles:
        area = tables.areas[model, *panel]
        line: dict[str, Any] = {**tables.lines[model], "linewidth": 1.6}
        lines.append((line, style.unit(area["area"]), style.interval(area["low"], area["high"])))
    if panel in tables.prevalence:
        share = f"{tables.prevalence[panel]:.3f}"
        named = f"prevalence {share}"
        fits = style.text_mm(named) <= width - SWATCH - 1.5 + GAP
        lines.append((LINES["prevalence"], named if fits else share, ""))
    for drawn, value, between in lines:
        y -= VALUE_LINE
        text = value + between if style.text_mm(value + between) <= width - SWATCH - 1.5 else value
        sheet.plot([x, x + SWATCH], [y + VALUE_LINE / 2] * 2, solid_capstyle="butt", **drawn)
        sheet.text(x + SWATCH + 1.5, y + VALUE_LINE / 2, text, va="center_baseline", size=style.SMALL)


def _panel(ax: Axes, tables: Tables, panel: tuple[str, str]) -> None:
    split, curve = panel
    if panel in tables.prevalence:
        ax.plot([0, 1], [tables.prevalence[panel]] * 2, **LINES["prevalence"])
    else:
        ax.plot([0, 1], [0, 1], **LINES["chance"])
    rows = tables.curves[(tables.curves["split"] == split) & (tables.curves["curve"] == curve)]
    # The last is drawn first: the quiet one lies beneath the others.
    for model in reversed(list(tables.titles)):
        mine = rows[rows["model"] == model]
        line = tables.lines[model]
        ax.fill_between(mine["x"], mine["low"], mine["high"], color=line["color"], alpha=0.18, linewidth=0)
        # A ROC curve begins where nothing is called positive.
        start = [] if panel in tables.prevalence else [0.0]
        ax.plot([*start, *mine["x"]], [*start, *mine["y"]], **line, linewidth=1.1)
    ax.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), xticks=(0, 0.5, 1), yticks=(0, 0.5, 1))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.yaxis.set_major_formatter("{x:g}")
    ax.grid()


def describe(tables: Tables, classes: Sequence[style.Class], splits: Sequence[str], what: Kind) -> str:
    """Return the figure in words: the area of each model, by split and class."""

    def of_class(split: str, name: str) -> str:
        areas = (tables.areas[model, split, name]["area"] for model in tables.titles)
        named = zip(tables.titles.values(), areas, strict=True)
        return style.listed([f"{title} {style.unit(area)}" for title, area in named])

    def of_model(split: str, model: str) -> str:
        areas = {c["label"]: tables.areas[model, split, c["id"]]["area"] for c in classes}
        return style.of_classes(areas, style.unit)

    sentences = []
    for split in splits:
        if len(classes) <= style.MOST_SAID:
            parts = "; ".join(f"{c['label']}: {of_class(split, c['id'])}" for c in classes)
        else:
            parts = "; ".join(f"{title}: {of_model(split, m)}" for m, title in tables.titles.items())
        sentences.append(f"{what.area.capitalize()}, {style.SPLIT_NAMES[split]}: {parts}.")
    return " ".join(sentences)
