"""ROC or precision-recall curves of all models over one another, a panel for each class and split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from analysis.figures import style
from analysis.progress import Progress

LEFT, RIGHT, GAP, MAX_SIDE, AXIS = 13.0, 2.0, 5.0, 60.0, 10.0
HEADING, TITLE_LINE, VALUE_LINE, SPACE = 6.0, 3.6, 3.4, 7.0
SWATCH = 4.0


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
    side, pitch = style.columns(len(classes), LEFT, RIGHT, GAP, MAX_SIDE)
    labels = [style.fitted(c["label"], pitch - GAP, style.BASE) for c in classes]
    above = TITLE_LINE * max(label.count("\n") + 1 for label in labels)
    values = VALUE_LINE * (len(models) + (kind == "pr"))
    row = HEADING + above + values + 1.5 + side
    key = {m["title"]: {**tables.lines[m["id"]], "linewidth": 1.6} for m in models}
    key_height = style.key_mm(list(key), LEFT)
    height = key_height + 2 + len(splits) * (row + SPACE) - SPACE + AXIS
    with style.page(height) as figure:
        sheet = style.sheet(figure)
        style.key(sheet, key, LEFT, height)
        for i, split in enumerate(splits):
            top = height - key_height - 2 - i * (row + SPACE)
            _heading(sheet, split, what, top)
            for k, c in enumerate(classes):
                x = LEFT + k * pitch
                sheet.text(x, top - HEADING - above + 1.2, labels[k], va="baseline", linespacing=1.1)
                _values(sheet, tables, (split, c["id"]), (x, top - HEADING - above), pitch - GAP)
                ax = style.place(figure, x, top - row, side, side)
                _panel(ax, tables, (split, c["id"]))
                if kind == "roc" and k == 0:
                    style.label_chance(ax)
                ax.tick_params(labelleft=k == 0, labelbottom=i == len(splits) - 1)
                ax.set(xlabel=what.x if i == len(splits) - 1 else "", ylabel=what.y if k == 0 else "")
        style.save(figure, out, tables.curves, describe(tables, classes, splits, what))


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


def _heading(sheet: Axes, split: str, what: Kind, top: float) -> None:
    name = style.SPLIT_NAMES[split].capitalize()
    sheet.text(LEFT, top - 4, name, va="baseline", fontweight="semibold")
    x = LEFT + style.text_mm(name, style.BASE, "semibold") + 3
    note = f"{what.area} (95 % interval)"
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
        lines.append((LINES["prevalence"], f"prevalence {tables.prevalence[panel]:.3f}", ""))
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

    sentences = []
    for split in splits:
        parts = "; ".join(f"{c['label']}: {of_class(split, c['id'])}" for c in classes)
        sentences.append(f"{what.area.capitalize()}, {style.SPLIT_NAMES[split]}: {parts}.")
    return " ".join(sentences)
