"""The one visual language of all figures: colours, type, and how a figure is saved."""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
import math
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ParamSpec, TypeAlias

import matplotlib as mpl
import pandas as pd
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path
from matplotlib.ticker import MaxNLocator

FONTS = Path(__file__).resolve().parents[2] / "templates" / "theme" / "fonts"
FAMILY = "IBM Plex Sans"
FACES = ("IBMPlexSans-Regular.ttf", "IBMPlexSans-SemiBold.ttf", "IBMPlexSans-Italic.ttf")
FULL_WIDTH_MM = 160.0
PAGE_MM = 205.0  # how high a figure may be: what pages of A4 and Letter have beside a caption (pdf.css)
MM = 1 / 25.4

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
LOW_DETAIL, LOW_DETAIL_COLOUR = "low_detail", "#7d848c"
SPLIT_COLOURS = {"train": "#8fa0b1", "val": "#882255", "test": "#2f4b6e"}
SPLIT_NAMES = {"train": "training", "val": "validation", "test": "test"}
SMALL, BASE = 7.0, 8.0
NARROW = 15.0  # words are not broken for columns narrower than this, in mm
HINTED = 1.065  # how much wider screens set small type where they fit letters to their pixels
WORD_PARTS = re.compile(r"(?<=[_\-/.,:;|])")
MOST_SAID = 8  # of how many classes the alternative text has each
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

families = [FAMILY]
"""Our font, and behind it those of the figure that is drawn."""
Params = ParamSpec("Params")
Class: TypeAlias = Mapping[str, str]
Model: TypeAlias = Mapping[str, str]


def with_fonts(draw: Callable[Params, None]) -> Callable[Params, None]:
    """Return ``draw`` with the fonts behind ours that it is given for characters which ours lacks.

    They are files, the inputs whose names begin with ``behind``.
    """

    @functools.wraps(draw)
    def drawn(*args: Params.args, **kwargs: Params.kwargs) -> None:
        inputs: Any = args[0]
        files = [path for name, path in sorted(inputs.items()) if name.startswith("behind")]
        families[:] = [FAMILY, *(_added(path) for path in files)]
        draw(*args, **kwargs)

    return drawn


def _added(path: Path) -> str:
    """Make a font known to matplotlib and return its family."""
    font_manager.fontManager.addfont(path)
    return next(font.name for font in font_manager.fontManager.ttflist[::-1] if font.fname == str(path))


@contextmanager
def page(height_mm: float, width_mm: float = FULL_WIDTH_MM) -> Iterator[Figure]:
    """Give an empty figure of this size in our style, to be drawn and saved within the block."""
    _register_fonts()
    with mpl.rc_context({**RC, "font.family": families}):
        yield Figure(figsize=(width_mm * MM, height_mm * MM))


def place(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Return new axes of this size in mm, measured from the lower left corner of the figure."""
    full_width, full_height = (float(inches) / MM for inches in figure.get_size_inches())
    return figure.add_axes(
        (left / full_width, bottom / full_height, width / full_width, height / full_height)
    )


def columns(n: int, left: float, right: float, gap: float, widest: float) -> tuple[float, float]:
    """Return how wide each of ``n`` panels is and how far apart they begin, in mm.

    They fill the page between the margins, at least ``gap`` apart; where they would be wider than ``widest``,
    the space between them grows.
    """
    room = FULL_WIDTH_MM - left - right
    width = min((room + gap) / n - gap, widest)
    return width, (room - width) / max(1, n - 1)


def sheet(figure: Figure) -> Axes:
    """Return bare axes over the whole figure, in mm from its lower left corner, to set text and rules on."""
    width, height = (float(inches) / MM for inches in figure.get_size_inches())
    ax = place(figure, 0, 0, width, height)
    ax.set(xlim=(0, width), ylim=(0, height))
    ax.axis("off")
    return ax


def key(ax: Axes, entries: Mapping[str, Mapping[str, Any]], left: float, top: float) -> None:
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
    return fitted(label, FULL_WIDTH_MM - 1 - left - KEY_LINE - 1.5, BASE).split("\n")


def whole_numbers() -> MaxNLocator:
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
    networks = [name for name in ids if name != LOW_DETAIL]
    kinds = itertools.cycle(itertools.product(MODEL_DASHES, MODEL_COLOURS))
    lines = {name: {"color": c, "linestyle": d} for name, (d, c) in zip(networks, kinds, strict=False)}
    return {**lines, LOW_DETAIL: {"color": LOW_DETAIL_COLOUR, "linestyle": "-"}}


def class_labels(classes: Sequence[Class]) -> dict[str, str]:
    """Return the label of each class id."""
    return {c["id"]: c["label"] for c in classes}


def wrap(label: str, width: int) -> str:
    """Return ``label`` on lines of at most ``width`` characters, words kept whole."""
    return "\n".join(textwrap.wrap(label, width, break_long_words=False)) or label


def text_mm(text: str, size: float = SMALL, weight: str = "normal") -> float:
    """Return the width of the widest line of ``text`` in our font, in mm."""
    return max(_line_mm(line, tuple(families), size, weight) for line in text.split("\n"))


@functools.lru_cache(maxsize=2**16)
def _line_mm(line: str, family: tuple[str, ...], size: float, weight: str) -> float:
    """Return the width of a line; lines are broken many times over, and measuring is slow."""
    _register_fonts()
    font = FontProperties(family=list(family), size=size, weight=weight)
    return float(text_to_path.get_text_width_height_descent(line, font, ismath=False)[0]) / 72 / MM


def fitted(text: str, width_mm: float, size: float = SMALL, weight: str = "normal") -> str:
    """Return ``text`` on lines that are at most so wide; only words that are wider themselves are broken."""
    lines: list[str] = []
    for word in text.split():
        limit = width_mm
        parts = [word]
        if text_mm(word, size, weight) > max(width_mm, NARROW):
            limit = max(width_mm, NARROW)
            parts = [p for part in WORD_PARTS.split(word) for p in _broken(part, limit, size, weight)]
        for k, part in enumerate(parts):
            longer = "".join((lines[-1], "" if k else " ", part)) if lines else part
            if lines and text_mm(longer, size, weight) <= limit:
                lines[-1] = longer
            else:
                lines.append(part)
    return "\n".join(lines)


def _broken(part: str, limit: float, size: float, weight: str) -> Sequence[str]:
    """Return a part of a word whole, or its characters where it does not fit on a line."""
    return [part] if text_mm(part, size, weight) <= limit else list(part)


def unit(value: float) -> str:
    """Return a value of 0 to 1 with three digits; only a perfect one is called 1."""
    if math.isnan(value):
        return "undefined"
    return "> 0.999" if 0.9995 <= value < 1 else f"{value:.3f}"


def interval(low: float, high: float) -> str:
    """Return `` (low–high)`` of values of 0 to 1, or nothing where there is none."""
    return "" if math.isnan(low) or math.isnan(high) else f" ({low:.3f}–{high:.3f})"


def signed(value: float, digits: int = 3) -> str:
    """Return ``value`` with its sign, minus being a minus and not a hyphen."""
    text = f"{value:+.{digits}f}"
    return text.replace("-", "−") if float(text) else f"{0:.{digits}f}"


def percent(share: float) -> str:
    """Return a share of 0 to 1 as whole percent."""
    return f"{100 * share:.0f} %"


def of_classes(values: Mapping[str, float], written: Callable[[float], str]) -> str:
    """Return each label with its value in words; of many the lowest and the highest; nothing of nothing."""
    if len(values) <= MOST_SAID:
        return listed([f"{label} {written(value)}" for label, value in values.items()])
    known = {label: value for label, value in values.items() if not math.isnan(value)}
    if not known:
        return "undefined"
    ends = (min(known, key=lambda label: known[label]), max(known, key=lambda label: known[label]))
    low, high = (f"{label} {written(known[label])}" for label in ends)
    return f"of {len(values)} classes from {low} to {high}"


def listed(words: Sequence[str]) -> str:
    """Return ``a, b and c``, or nothing of nothing."""
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def _register_fonts() -> None:
    known = {font.fname for font in font_manager.fontManager.ttflist}
    for face in FACES:
        path = str(FONTS / face)
        if path not in known:
            font_manager.fontManager.addfont(path)
