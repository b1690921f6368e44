"""The one visual language of all figures: colours, sizes, keys, and how a figure is saved."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from analysis.figures.typesetting import (
    BASE,
    FAMILY,
    MM,
    SMALL,
    break_lines,
    families,
    register_fonts,
    text_mm,
)
from analysis.vocabulary.reference_classifiers import LOW_DETAIL
from analysis.vocabulary.splits import SPLITS

FULL_WIDTH_MM = 160.0
PAGE_MM = 205.0  # how high a figure may be: what pages of A4 and Letter have beside a caption (pdf.css)

INK = "#1a1a1a"
QUIET = "#5f6670"
RULE = "#d5d9de"
# Okabe and Ito's colours, told apart with every kind of colour vision; yellow is left out, too light for lines.
CLASS_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
CLASS_DASHES: Any = ("-", (0, (3.5, 1.2)), (0, (1, 1)), (0, (6, 1.2, 1, 1.2)))
# Apart from one another, from the grey and from the first four class colours with every kind of colour vision, and in
# grey print by their lightness. A fifth model and those after it have these colours again, with dashes.
MODEL_COLOURS = ("#332288", "#dd9500", "#a01c3c", "#1a1a1a")
MODEL_DASHES: Any = ("-", (0, (3.5, 1.2)), (0, (1, 1)))
LOW_DETAIL_COLOUR = "#4a5158"
SPLIT_COLOURS = {"train": "#8fa0b1", "val": "#882255", "test": "#2f4b6e"}
SPLIT_NAMES = {split.id: split.name for split in SPLITS.values()}
KEY_ROW, KEY_LINE, KEY_GAP = 4.2, 6.0, 6.0

RC: Any = {
    "font.family": [FAMILY],
    "font.size": BASE,
    "text.parse_math": False,
    "axes.formatter.useoffset": False,
    "axes.titlesize": BASE,
    "axes.titleweight": "semibold",
    "axes.titlelocation": "left",
    "axes.titlepad": 6,
    "axes.labelsize": BASE,
    "axes.labelcolor": INK,
    "axes.edgecolor": QUIET,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "text.color": INK,
    "grid.color": RULE,
    "grid.linewidth": 0.5,
    "lines.linewidth": 1.3,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.fonttype": "none",
}
NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}
# Names of groups repeat from figure to figure, which one page with several of them must not have.
GROUP_NAME = re.compile(r'<g id="[^"]*"')

Class: TypeAlias = Mapping[str, str]
Model: TypeAlias = Mapping[str, str]


@contextmanager
def page(height_mm: float, width_mm: float = FULL_WIDTH_MM) -> Iterator[Figure]:
    """Give an empty figure of this size in our style, to be drawn and saved within the block."""
    register_fonts()
    with mpl.rc_context({**RC, "font.family": families}):
        yield Figure(figsize=(width_mm * MM, height_mm * MM))


def place(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Return new axes of this size in mm, measured from the lower left corner of the figure."""
    full_width, full_height = (float(inches) / MM for inches in figure.get_size_inches())
    return figure.add_axes(
        (left / full_width, bottom / full_height, width / full_width, height / full_height)
    )


def column_widths(n: int, left: float, right: float, gap: float, widest: float) -> tuple[float, float]:
    """Return how wide each of ``n`` panels is and how far apart they begin, in mm.

    They fill the page between the margins, at least ``gap`` apart; where they would be wider than ``widest``,
    the space between them grows.
    """
    room = FULL_WIDTH_MM - left - right
    width = min((room + gap) / n - gap, widest)
    return width, (room - width) / max(1, n - 1)


def add_sheet(figure: Figure) -> Axes:
    """Return bare axes over the whole figure, in mm from its lower left corner, to set text and rules on."""
    width, height = (float(inches) / MM for inches in figure.get_size_inches())
    ax = place(figure, 0, 0, width, height)
    ax.set(xlim=(0, width), ylim=(0, height))
    ax.axis("off")
    return ax


def draw_key(ax: Axes, entries: Mapping[str, Mapping[str, Any]], left: float, top: float) -> None:
    """Set a key on a sheet, its first row ``top`` mm high: the line style of each label, side by side."""
    for (label, line), (x, row) in zip(entries.items(), _flow(list(entries), left), strict=True):
        y = top - (row + 0.5) * KEY_ROW
        ax.plot([x, x + KEY_LINE / 2, x + KEY_LINE], [y] * 3, markevery=[1], solid_capstyle="butt", **line)
        for k, text in enumerate(_entry(label, left)):
            ax.text(x + KEY_LINE + 1.5, y - k * KEY_ROW, text, va="center_baseline")


def key_mm(labels: Sequence[str], left: float) -> float:
    """Return how high a key with these labels is."""
    places = zip(labels, _flow(labels, left), strict=True)
    return KEY_ROW * max(row + len(_entry(label, left)) for label, (_, row) in places)


def _flow(labels: Sequence[str], left: float) -> list[tuple[float, int]]:
    x, row, places = left, 0, []
    lines = 1
    for label in labels:
        entry = _entry(label, left)
        width = KEY_LINE + 1.5 + max(text_mm(text, BASE) for text in entry)
        if x > left and x + width > FULL_WIDTH_MM - 1:
            x, row, lines = left, row + lines, 1
        places.append((x, row))
        x, lines = x + width + KEY_GAP, max(lines, len(entry))
    return places


def _entry(label: str, left: float) -> list[str]:
    """Return a label of a key on as many lines as it needs."""
    return break_lines(label, FULL_WIDTH_MM - 1 - left - KEY_LINE - 1.5, BASE).split("\n")


def locate_whole_numbers() -> MaxNLocator:
    """Return what sets the ticks of counts: as matplotlib does, but never between whole numbers."""
    return MaxNLocator("auto", steps=[1, 2, 2.5, 5, 10], integer=True)


def label_chance(ax: Axes) -> None:
    """Name the diagonal of ROC axes."""
    offset: dict[str, Any] = {"xytext": (2, -3), "textcoords": "offset points", "va": "top"}
    ax.annotate("chance", (0.5, 0.5), color=QUIET, fontsize=SMALL, **offset)


def save(figure: Figure, out: Path, table: pd.DataFrame, alt: str) -> None:
    """Write ``figure.svg``, the ``table`` it was drawn from, and its alternative text.

    Equal figures give equal bytes.
    """
    csv = table.to_csv(index=False, lineterminator="\n").encode()
    (out / "figure.csv").write_bytes(csv)
    with (
        mpl.rc_context({"svg.hashsalt": hashlib.sha256(csv).hexdigest()}),
        (out / "figure.svg").open("wb") as f,
    ):
        figure.savefig(f, format="svg", metadata=NO_METADATA)
    svg = (out / "figure.svg").read_text(encoding="utf-8")
    (out / "figure.svg").write_text(GROUP_NAME.sub("<g", svg), encoding="utf-8")
    facts = {"alt": alt, "width_mm": round(float(figure.get_figwidth()) / MM, 1)}
    text = json.dumps(facts, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    (out / "figure.json").write_text(text + "\n", encoding="utf-8")


def class_colours(classes: Sequence[Class]) -> dict[str, str]:
    """Return the colour of each class id: the same in every figure of a study."""
    return {c["id"]: CLASS_COLOURS[k % len(CLASS_COLOURS)] for k, c in enumerate(classes)}


def class_lines(classes: Sequence[Class]) -> dict[str, dict[str, Any]]:
    """Return colour and dashes of each class id: 25 differ; black with dashes is left to the averages."""
    plain = [(c, "-") for c in CLASS_COLOURS]
    dashed = [(c, d) for d in CLASS_DASHES[1:] for c in CLASS_COLOURS[:-1]]
    kinds = itertools.cycle([*plain, *dashed])
    return {
        c["id"]: {"color": colour, "linestyle": d} for c, (colour, d) in zip(classes, kinds, strict=False)
    }


def model_lines(ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return colour and dashes of each model id: twelve differ, and the same models look the same in every figure."""
    networks = [name for name in ids if name != LOW_DETAIL.id]
    kinds = itertools.cycle(itertools.product(MODEL_DASHES, MODEL_COLOURS))
    lines = {name: {"color": c, "linestyle": d} for name, (d, c) in zip(networks, kinds, strict=False)}
    return {**lines, LOW_DETAIL.id: {"color": LOW_DETAIL_COLOUR, "linestyle": (0, (4, 1.2))}}


def class_labels(classes: Sequence[Class]) -> dict[str, str]:
    """Return the label of each class id."""
    return {c["id"]: c["label"] for c in classes}
