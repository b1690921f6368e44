"""ROC curves of one model, validation beside test."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures import style
from analysis.progress import Progress

LEFT, RIGHT, GAP, TOP, LEGEND_ROW, AXIS = 11.0, 3.0, 13.0, 8.0, 8.5, 11.0
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
    """Draw each class against the rest, their mean, all pooled, and chance; areas stand in the legend."""
    curves = pd.read_csv(inputs["evaluation"] / "roc.csv")
    areas = pd.read_csv(inputs["evaluation"] / "auroc.csv").set_index(["split", "curve"])["auroc"]
    lines = _lines(classes)
    columns = 3 if max(len(line.label) for line in lines.values()) <= 26 else 2
    legend = LEGEND_ROW * -(-len(lines) // columns)
    side = (style.FULL_WIDTH_MM - LEFT - RIGHT - GAP * (len(splits) - 1)) / len(splits)
    with style.page(TOP + side + AXIS + legend) as figure:
        for k, split in enumerate(splits):
            ax = style.place(figure, LEFT + k * (side + GAP), legend + AXIS, side, side)
            _panel(ax, curves[curves["split"] == split], lines)
            ax.set_title(style.SPLIT_NAMES[split].capitalize())
        _legend(figure, lines, areas, splits, columns)
        style.save(figure, out, curves, describe(areas, lines, title, splits))


def _lines(classes: Sequence[style.Class]) -> dict[str, Line]:
    colours = style.class_colours(classes)
    lines = {c["id"]: Line(c["label"], colours[c["id"]]) for c in classes}
    macro = Line(AVERAGES["macro"], style.INK, (0, (4, 1.5)))
    return {**lines, "macro": macro, "micro": Line(AVERAGES["micro"], style.INK, (0, (1, 1.2)))}


def _panel(ax: Axes, curves: pd.DataFrame, lines: Mapping[str, Line]) -> None:
    ax.plot([0, 1], [0, 1], color=style.QUIET, linewidth=0.6)
    ax.annotate(
        "chance",
        (0.5, 0.5),
        xytext=(2, -3),
        textcoords="offset points",
        color=style.QUIET,
        fontsize=style.SMALL,
        va="top",
    )
    for name, line in lines.items():
        rows = curves[curves["curve"] == name]
        ax.plot(rows["fpr"], rows["tpr"], color=line.colour, linestyle=line.dashes)
    ax.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    ax.set(xlabel="false positive rate (1 − specificity)", ylabel="true positive rate (sensitivity)")
    ax.grid()


def _legend(
    figure: Figure, lines: Mapping[str, Line], areas: pd.Series[float], splits: Sequence[str], columns: int
) -> None:
    rows = -(-len(lines) // columns)
    ax = style.place(figure, LEFT, 0, style.FULL_WIDTH_MM - LEFT, LEGEND_ROW * rows)
    ax.set(xlim=(0, columns), ylim=(rows, 0))
    ax.axis("off")
    for k, (name, line) in enumerate(lines.items()):
        x, y = k // rows, k % rows + 0.25
        ax.plot([x, x + 0.1], [y, y], color=line.colour, linestyle=line.dashes, linewidth=1.6)
        ax.text(x + 0.13, y, line.label, va="center")
        values = ", ".join(f"{style.SPLIT_NAMES[split]} {_area(areas[split, name])}" for split in splits)
        ax.text(x + 0.13, y + 0.42, f"AUC: {values}", va="center", fontsize=style.SMALL, color=style.QUIET)


def _area(value: float) -> str:
    if math.isnan(value):
        return "undefined"
    # Only a perfect curve is called 1.
    return "> 0.999" if 0.9995 <= value < 1 else f"{value:.3f}"


def describe(areas: pd.Series[float], lines: Mapping[str, Line], title: str, splits: Sequence[str]) -> str:
    """Return the figure in words: the area under each curve."""
    sentences = [
        f"{title}, {style.SPLIT_NAMES[split]}: area under the curve "
        + style.listed([f"{line.label} {_area(areas[split, name])}" for name, line in lines.items()])
        + "."
        for split in splits
    ]
    return " ".join(sentences)
