"""ROC curves of one model, validation beside test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd
from matplotlib.axes import Axes

from analysis.figures import style, typesetting, wording
from analysis.figures.subjects import OneModel
from analysis.progress import Progress
from analysis.vocabulary.measures import MACRO, MICRO

LEFT, RIGHT, GAP, TOP, LEGEND_ROW, AXIS, MAX_SIDE = 11.0, 3.0, 13.0, 8.0, 4.2, 11.0, 54.0
COLUMN, SMALL_COLUMN, LONGEST = 35.0, 26.0, 130.0
Areas: TypeAlias = Mapping[Any, Mapping[Any, float]]
AVERAGES = {MACRO: "mean of classes (macro)", MICRO: "all pooled (micro)"}


@dataclass(frozen=True)
class Line:
    """How one curve is drawn and named."""

    label: str
    colour: str
    dashes: str | tuple[int, tuple[float, ...]] = "-"


@dataclass(frozen=True)
class Legend:
    """The names of the curves on lines, their size of type, the left ends of the areas by split, and heights in mm."""

    names: Sequence[str]
    size: float
    columns: Mapping[str, float]
    row: float
    line: float

    @property
    def height(self) -> float:
        """How high the legend is, its heading among it."""
        return self.row * (len(self.names) + 1) + 1 + self.line * self.further(len(self.names))

    def further(self, k: int) -> int:
        """Return how many lines the first ``k`` names have beyond one each."""
        return sum(name.count("\n") for name in self.names[:k])


@typesetting.with_fonts
def draw(inputs: Mapping[str, Path], out: Path, *, scratch: Path, progress: Progress, **subject: Any) -> None:
    """Draw each class against the rest, their mean with its band, all pooled, and chance; areas stand below.

    Parameters
    ----------
    inputs : mapping of str to Path
        The stage ``evaluation``.
    subject
        The fields of `OneModel`.
    """
    model = OneModel(**subject)
    curves, bands, areas = _read(inputs["evaluation"], model.splits)
    lines, many = _lines(model.classes), len(model.splits)
    side, pitch = style.column_widths(many, LEFT, RIGHT, GAP, MAX_SIDE)
    legend = _arrange([line.label for line in lines.values()], model.splits, LEFT + (many - 1) * pitch)
    side = min(side, style.PAGE_MM - TOP - AXIS - legend.height)
    with style.page(TOP + side + AXIS + legend.height) as figure:
        for k, split in enumerate(model.splits):
            ax = style.place(figure, LEFT + k * pitch, legend.height + AXIS, side, side)
            _band(ax, bands[bands["split"] == split])
            _panel(ax, curves[curves["split"] == split], lines)
            ax.set_title(style.SPLIT_NAMES[split].capitalize())
        _legend(style.add_sheet(figure), lines, areas, legend)
        band = bands.rename(columns={"x": "fpr"})[["split", "curve", "fpr", "low", "high"]]
        table = pd.concat([curves, band])
        style.save(figure, out, table, describe(areas, lines, model.title, model.splits))


def _read(evaluation: Path, splits: Sequence[str]) -> tuple[pd.DataFrame, pd.DataFrame, Areas]:
    """Return the curves, the bands of the mean of the classes, and the areas by split and curve."""
    curves = pd.read_csv(evaluation / "roc.csv")
    bands = pd.read_csv(evaluation / "bands.csv")
    bands = bands[(bands["kind"] == "roc") & (bands["curve"] == MACRO) & bands["split"].isin(splits)]
    areas = pd.read_csv(evaluation / "auroc.csv").set_index(["split", "curve"])
    return curves, bands, areas.to_dict("index")


def _lines(classes: Sequence[style.Class]) -> dict[str, Line]:
    drawn = style.class_lines(classes)
    lines = {c["id"]: Line(c["label"], drawn[c["id"]]["color"], drawn[c["id"]]["linestyle"]) for c in classes}
    macro = Line(AVERAGES[MACRO], style.INK, (0, (4, 1.5)))
    return {**lines, MACRO: macro, MICRO: Line(AVERAGES[MICRO], style.INK, (0, (1, 1.2)))}


def _arrange(names: Sequence[str], splits: Sequence[str], last: float) -> Legend:
    """Return the legend with its areas below the panels, or at the edge in small type where names need more room."""
    end = style.FULL_WIDTH_MM - SMALL_COLUMN
    for last_column, column, size, row, line in (
        (last, COLUMN, typesetting.BASE, LEGEND_ROW, 3.4),
        (end, SMALL_COLUMN, typesetting.SMALL, 3.6, 2.9),
    ):
        columns = {split: last_column - column * k for k, split in enumerate(reversed(splits))}
        room = (min(columns.values()) - LEFT - 11) / typesetting.HINTED
        broken = [typesetting.break_lines(name, room, size) for name in names]
        legend = Legend(broken, size, columns, row, line)
        if broken == list(names) and legend.height <= LONGEST:
            break
    return legend


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


def _legend(sheet: Axes, lines: Mapping[str, Line], areas: Areas, legend: Legend) -> None:
    """Set a row for each curve: how it is drawn, its name, and under each panel its area there."""
    heading: dict[str, Any] = {"color": style.QUIET, "fontsize": typesetting.SMALL, "va": "center_baseline"}
    top = legend.height
    sheet.text(LEFT, top - legend.row / 2, "area under the curve (95 % interval)", **heading)
    for split, x in legend.columns.items():
        sheet.text(x, top - legend.row / 2, style.SPLIT_NAMES[split], **heading)
    for k, (name, line) in enumerate(lines.items()):
        y = top - (k + 1.5) * legend.row - legend.line * legend.further(k)
        sheet.plot(
            [LEFT, LEFT + 7],
            [y, y],
            color=line.colour,
            linestyle=line.dashes,
            linewidth=1.6,
            solid_capstyle="butt",
        )
        text: dict[str, Any] = {"va": "center_baseline", "fontsize": legend.size}
        for n, part in enumerate(legend.names[k].split("\n")):
            sheet.text(LEFT + 9, y - n * legend.line, part, **text)
        for split, x in legend.columns.items():
            area = areas[split, name]
            sheet.text(
                x,
                y,
                wording.three_digits(area["auroc"]) + wording.interval(area["low"], area["high"]),
                **text,
            )


def describe(areas: Areas, lines: Mapping[str, Line], title: str, splits: Sequence[str]) -> str:
    """Return the figure in words: the area under each curve."""
    sentences = [
        f"{title}, {style.SPLIT_NAMES[split]}: area under the curve "
        + _areas({line.label: areas[split, name]["auroc"] for name, line in lines.items()})
        + "."
        for split in splits
    ]
    return " ".join(sentences)


def _areas(areas: Mapping[str, float]) -> str:
    averages = [
        f"{label} {wording.three_digits(areas[label])}" for label in AVERAGES.values() if label in areas
    ]
    classes = {label: area for label, area in areas.items() if label not in AVERAGES.values()}
    if len(classes) > wording.MOST_SAID:
        return wording.join([wording.by_class(classes, wording.three_digits), *averages])
    return wording.join([f"{label} {wording.three_digits(area)}" for label, area in areas.items()])
