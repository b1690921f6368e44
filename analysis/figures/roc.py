"""ROC curves of one model, validation beside test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd
from matplotlib.axes import Axes

from analysis.figures import style
from analysis.progress import Progress

LEFT, RIGHT, GAP, TOP, LEGEND_ROW, AXIS, MAX_SIDE = 11.0, 3.0, 13.0, 8.0, 4.2, 11.0, 54.0
COLUMN = 35.0
Areas: TypeAlias = Mapping[Any, Mapping[Any, float]]
AVERAGES = {"macro": "mean of classes (macro)", "micro": "all pooled (micro)"}


@dataclass(frozen=True)
class Line:
    """How one curve is drawn and named."""

    label: str
    colour: str
    dashes: str | tuple[int, tuple[float, ...]] = "-"


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
    """Draw each class against the rest, their mean with its band, all pooled, and chance; areas stand below."""
    curves = pd.read_csv(inputs["evaluation"] / "roc.csv")
    bands = pd.read_csv(inputs["evaluation"] / "bands.csv")
    bands = bands[(bands["kind"] == "roc") & (bands["curve"] == "macro") & bands["split"].isin(splits)]
    areas: Areas = (
        pd.read_csv(inputs["evaluation"] / "auroc.csv").set_index(["split", "curve"]).to_dict("index")
    )
    lines = _lines(classes)
    legend = LEGEND_ROW * (len(lines) + 1) + 1
    side, pitch = style.columns(len(splits), LEFT, RIGHT, GAP, MAX_SIDE)
    with style.page(TOP + side + AXIS + legend) as figure:
        for k, split in enumerate(splits):
            ax = style.place(figure, LEFT + k * pitch, legend + AXIS, side, side)
            _band(ax, bands[bands["split"] == split])
            _panel(ax, curves[curves["split"] == split], lines)
            ax.set_title(style.SPLIT_NAMES[split].capitalize())
        last = LEFT + (len(splits) - 1) * pitch
        columns = {split: last - COLUMN * k for k, split in enumerate(reversed(splits))}
        _legend(style.sheet(figure), lines, areas, columns, legend)
        table = pd.concat(
            [curves, bands.rename(columns={"x": "fpr"})[["split", "curve", "fpr", "low", "high"]]]
        )
        style.save(figure, out, table, describe(areas, lines, title, splits))


def _lines(classes: Sequence[style.Class]) -> dict[str, Line]:
    colours = style.class_colours(classes)
    lines = {c["id"]: Line(c["label"], colours[c["id"]]) for c in classes}
    macro = Line(AVERAGES["macro"], style.INK, (0, (4, 1.5)))
    return {**lines, "macro": macro, "micro": Line(AVERAGES["micro"], style.INK, (0, (1, 1.2)))}


def _band(ax: Axes, band: pd.DataFrame) -> None:
    ax.fill_between(band["x"], band["low"], band["high"], color=style.INK, alpha=0.14, linewidth=0)


def _panel(ax: Axes, curves: pd.DataFrame, lines: Mapping[str, Line]) -> None:
    ax.plot([0, 1], [0, 1], color=style.QUIET, linewidth=0.6)
    style.label_chance(ax)
    for name, line in lines.items():
        rows = curves[curves["curve"] == name]
        ax.plot(rows["fpr"], rows["tpr"], color=line.colour, linestyle=line.dashes)
    ax.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    ax.set(xlabel="false positive rate (1 − specificity)", ylabel="true positive rate (sensitivity)")
    ax.grid()


def _legend(
    sheet: Axes, lines: Mapping[str, Line], areas: Areas, columns: Mapping[str, float], top: float
) -> None:
    """Set a row for each curve: how it is drawn, its name, and under each panel its area there."""
    heading: dict[str, Any] = {"color": style.QUIET, "fontsize": style.SMALL, "va": "center_baseline"}
    sheet.text(LEFT, top - LEGEND_ROW / 2, "area under the curve (95 % interval)", **heading)
    for split, x in columns.items():
        sheet.text(x, top - LEGEND_ROW / 2, style.SPLIT_NAMES[split], **heading)
    for k, (name, line) in enumerate(lines.items()):
        y = top - (k + 1.5) * LEGEND_ROW
        sheet.plot(
            [LEFT, LEFT + 7],
            [y, y],
            color=line.colour,
            linestyle=line.dashes,
            linewidth=1.6,
            solid_capstyle="butt",
        )
        sheet.text(LEFT + 9, y, line.label, va="center_baseline")
        for split, x in columns.items():
            area = areas[split, name]
            text = style.unit(area["auroc"]) + style.interval(area["low"], area["high"])
            sheet.text(x, y, text, va="center_baseline")


def describe(areas: Areas, lines: Mapping[str, Line], title: str, splits: Sequence[str]) -> str:
    """Return the figure in words: the area under each curve."""
    sentences = [
        f"{title}, {style.SPLIT_NAMES[split]}: area under the curve "
        + style.listed(
            [f"{line.label} {style.unit(areas[split, name]['auroc'])}" for name, line in lines.items()]
        )
        + "."
        for split in splits
    ]
    return " ".join(sentences)
