"""How far model B differs from model A in each measure, on one split, with intervals."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import AutoMinorLocator, MaxNLocator

from analysis.figures import class_labels, style, typesetting, wording
from analysis.figures.subjects import Pair
from analysis.progress import Progress
from analysis.vocabulary.measures import MACRO, MEASURES, MICRO
from analysis.vocabulary.splits import GROUPED, PRESCRIBED

AVERAGES = {"": "all images", MICRO: "all images", MACRO: "mean of classes"}
# The class under which differences.<b>.csv has a measure of all images.
OVERALL = {m.id: "" if m.of_all else MICRO for m in MEASURES.values() if m.panel_of_all}
OF_CLASSES = tuple(m.id for m in MEASURES.values() if m.panel)
# The input of each analysis.
ANALYSES = {PRESCRIBED: "comparison", GROUPED: "grouped"}
LEGENDS = {analysis.key: analysis.legend for analysis in ANALYSES}
LEFT, WIDTH, VALUES, GAP, TITLE, AXIS = 31.0, 31.0, 9.0, 3.0, 8.0, 10.0
ROW, SECOND, LINE, OFFSET = 4.6, 3.2, 3.2, 0.19
COLUMNS = 3
SHORT_MM = 130.0
"""How high a figure of some measures may be, which shares its page with text."""
BAND = "#c0d2b8"


@dataclass(frozen=True)
class ComparedPair(Pair):
    """Two models that are compared by a declared measure.

    Parameters
    ----------
    margin : float
        The smallest difference that matters.
    primary : str
        The declared measure, such as ``f1.macro``.
    measures : sequence of str
        The ids of the measures that are drawn; none are all.
    """

    margin: float
    primary: str
    measures: Sequence[str] = ()

    @property
    def overall(self) -> list[tuple[str, str]]:
        """The measures of all images that are drawn, and the class they stand under; of AUC that of classes is enough."""
        return [
            row for row in OVERALL.items() if not self.measures or (row[0] in self.measures and not row[1])
        ]

    @property
    def of_classes(self) -> list[str]:
        """The measures of classes that are drawn."""
        return [m for m in self.measures if m in OF_CLASSES] or list(OF_CLASSES)

    @property
    def primary_row(self) -> tuple[str, str]:
        """The measure and class of the declared measure in ``differences.<b>.csv``."""
        measure, _, of = self.primary.partition(".")
        return measure, of


@dataclass(frozen=True)
class Forest:
    """What every panel shares: the classes, limits of the axis, the margin and whose it is."""

    classes: Collection[str]
    limits: tuple[float, float]
    margin: float
    primary: tuple[str, str]
    paired: bool


@typesetting.with_fonts
def draw(inputs: Mapping[str, Path], out: Path, *, scratch: Path, progress: Progress, **subject: Any) -> None:
    """Draw a dot and its interval for each measure; below it, hollow, the same of the grouped analysis.

    Parameters
    ----------
    inputs : mapping of str to Path
        The stage ``comparison`` and, where there is one, that of the grouped analysis, ``grouped``.
    subject
        The fields of `ComparedPair`.
    """
    pair = ComparedPair(**subject)
    table = _read(inputs, pair)
    usual, own = _levels(table, pair.primary_row)
    key = _key(table, f"margin ±{pair.margin:g}" + (f" ({own} interval)" if own != usual else ""))
    header = style.key_mm(list(key), LEFT)
    words = typesetting.break_lines(
        f"{pair.called[1]} − {pair.called[0]}, {style.SPLIT_NAMES[pair.split]}, with {usual} intervals",
        style.FULL_WIDTH_MM - LEFT,
        typesetting.BASE,
    )
    axis = AXIS + LINE * words.count("\n")
    lines, overall = -(-len(pair.of_classes) // COLUMNS), bool(pair.overall)
    page = SHORT_MM if pair.measures else style.PAGE_MM
    room = page - header - (overall + lines) * TITLE - axis
    rows, paired = _rows(pair.classes, table["analysis"].nunique(), room, lines)
    limits = _limits(table, pair.margin)
    forest = Forest({c["id"] for c in pair.classes}, limits, pair.margin, pair.primary_row, paired)
    blocks = [*[rows.row] * overall, *[rows.row * (len(pair.classes) + 1)] * lines]
    height = header + sum(blocks) + TITLE * len(blocks) + axis + rows.key
    with style.page(height) as figure:
        sheet = style.add_sheet(figure)
        style.draw_key(sheet, key, LEFT, height)
        _panels(
            figure,
            _measures(table, pair),
            forest,
            rows,
            [c["id"] for c in pair.classes],
            (height - header, blocks),
        )
        sheet.text((LEFT + style.FULL_WIDTH_MM - 1) / 2, rows.key + 1.5, words, ha="center")
        class_labels.draw_key_below(figure, pair.classes, rows)
        style.save(figure, out, table, describe(table, pair.classes, pair.called, pair.split))


def _read(inputs: Mapping[str, Path], pair: ComparedPair) -> pd.DataFrame:
    """Return the rows that are drawn, in drawing order; losses, where less is better, are not among them."""
    ids = [c["id"] for c in pair.classes]
    wanted = [*pair.overall, *((m, c) for m in pair.of_classes for c in (*ids, MACRO))]
    tables = []
    for analysis, name in ANALYSES.items():
        if name in inputs:
            table = pd.read_csv(inputs[name] / f"differences.{pair.b}.csv", keep_default_na=False)
            rows = table[table["split"] == pair.split].set_index(["measure", "class"]).loc[wanted]
            tables.append(rows.reset_index().assign(analysis=analysis.key))
    table = pd.concat(tables, ignore_index=True)
    values = ["a", "b", "difference", "low", "high", "level"]
    table[values] = table[values].apply(pd.to_numeric)
    return table[["analysis", "split", "measure", "class", *values]]


def _limits(table: pd.DataFrame, margin: float) -> tuple[float, float]:
    ends = table[["difference", "low", "high"]]
    low, high = min(-margin, ends.min().min()), max(margin, ends.max().max())
    room = 0.05 * (high - low)
    return float(low - room), float(high + room)


def _rows(
    classes: Sequence[style.Class], analyses: int, room: float, lines: int
) -> tuple[class_labels.Rows, bool]:
    """Return how the averages and the classes are called, how high their rows are, and whether values stand in pairs."""
    called = [*AVERAGES.values(), *(c["label"] for c in classes)]
    names = tuple(typesetting.break_lines(label, LEFT - 3) for label in called)
    row = ROW + SECOND * (analyses - 1)
    row = max(row, LINE * max(name.count("\n") + 1 for name in names) + 0.8)
    many = lines * (len(classes) + 1) + 1
    if row * many <= room:
        return class_labels.Rows(names, LEFT - 3, row, 0.0, close=False), False
    found = class_labels.arrange_rows(classes, room=room, tallest=row, times=many / len(classes))
    names = (*AVERAGES.values(), *found.names)
    return replace(
        found, names=names, wider=max(0.0, typesetting.HINTED * found.width + 3 - LEFT)
    ), analyses > 1


def _levels(table: pd.DataFrame, primary: tuple[str, str]) -> tuple[str, str]:
    """Return the level of most intervals and that of the primary measure, in percent; "no" without any."""
    own = (table["measure"] == primary[0]) & (table["class"] == primary[1])
    modes = [table.loc[rows, "level"].dropna().mode() for rows in (~own, own)]
    usual, of_primary = (f"{100 * mode[0]:.4g} %" if len(mode) else "no" for mode in modes)
    return usual, of_primary


def _key(table: pd.DataFrame, margin: str) -> dict[str, dict[str, Any]]:
    """Return how each analysis and the margin are drawn; one analysis alone needs no name."""
    names = list(table["analysis"].unique())
    drawn = {LEGENDS[name]: _mark(name, "o") for name in names if len(names) > 1}
    return {**drawn, margin: {"color": BAND, "linewidth": 6}}


def _panels(
    figure: Figure,
    measures: Sequence[Sequence[tuple[str, pd.DataFrame]]],
    forest: Forest,
    rows: class_labels.Rows,
    class_ids: Sequence[str],
    lines: tuple[float, Sequence[float]],
) -> None:
    """Draw a panel for each measure, in ``lines``: where the first begins, and how high the panels of each are, in mm."""
    called = dict(zip([*AVERAGES, *class_ids], rows.names, strict=True))
    values = VALUES * (1 + forest.paired)
    width = WIDTH + VALUES - values - rows.wider / COLUMNS
    bottom, heights = lines
    for line, (height, panels) in enumerate(zip(heights, measures, strict=True)):
        bottom -= TITLE + height
        for column, (name, drawn) in enumerate(panels):
            x = LEFT + rows.wider + column * (width + values + GAP)
            ax = style.place(figure, x, bottom, width, height)
            _panel(ax, drawn, forest)
            ax.set_title(name, fontsize=typesetting.SMALL + 0.5, pad=3)
            names = [called[of] if column == 0 else "" for of in drawn["class"].unique()]
            ax.set_yticks(range(len(names)), names, **rows.type)
            lowest = line == len(heights) - 1
            ax.tick_params(axis="x", labelbottom=lowest, length=2.5 if lowest else 0)


def _measures(table: pd.DataFrame, pair: ComparedPair) -> list[list[tuple[str, pd.DataFrame]]]:
    """Return what each panel is called and its rows, line by line: measures of all images, then those of classes."""
    pairs = pd.Series(list(zip(table["measure"], table["class"], strict=True)))
    overall = pairs.isin(pair.overall)
    first = [(MEASURES[m].panel_of_all, table[overall & (table["measure"] == m)]) for m, _ in pair.overall]
    others = [(MEASURES[m].panel, table[~overall & (table["measure"] == m)]) for m in pair.of_classes]
    return [*([first] if first else []), *(others[k : k + COLUMNS] for k in range(0, len(others), COLUMNS))]


def _panel(ax: Axes, rows: pd.DataFrame, forest: Forest) -> None:
    ax.axvline(0, color=style.QUIET, linewidth=0.6)
    names = list(rows["class"].unique())
    shifts = {PRESCRIBED.key: -OFFSET, GROUPED.key: OFFSET} if rows["analysis"].nunique() > 1 else {}
    for row in rows.to_dict("records"):
        y = names.index(row["class"])
        if (row["measure"], row["class"]) == forest.primary and row["analysis"] == PRESCRIBED.key:
            band = [-forest.margin, forest.margin]
            ax.fill_between(band, y - 0.5, y + 0.5, color=BAND, linewidth=0, zorder=0.4)
        _interval(ax, row, y + shifts.get(row["analysis"], 0), forest)
    ax.set(xlim=forest.limits, ylim=(len(names) - 0.5, -0.5))
    ax.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    digits = count_digits(ax.xaxis.get_major_locator().tick_values(*forest.limits))
    ax.xaxis.set_minor_locator(AutoMinorLocator(2))
    ax.tick_params(axis="x", which="minor", length=0)
    ax.grid(axis="x", which="minor", linewidth=0.3)
    ax.xaxis.set_major_formatter(lambda value, _: wording.signed(value, digits))
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x")


def count_digits(ticks: Sequence[float]) -> int:
    """Return how many digits tell the ticks of an axis apart and are true: one or two, or more of narrow axes."""
    low, high, step = ticks[0], ticks[-1], ticks[1] - ticks[0]
    return max(1 if high - low > 0.5 and step >= 0.1 else 2, -math.floor(math.log10(step) + 1e-9))


def _interval(ax: Axes, row: Mapping[Any, Any], y: float, forest: Forest) -> None:
    grouped = row["analysis"] == GROUPED.key
    mark = _mark(row["analysis"], "o" if row["class"] in forest.classes else "D")
    ax.plot([row["low"], row["high"]], [y, y], color=style.INK, linewidth=mark["linewidth"])
    ax.plot([row["difference"]], [y], **mark)
    text = "–" if pd.isna(row["difference"]) else wording.signed(row["difference"])
    ax.annotate(
        text,
        (1, round(y) if forest.paired else y),
        xycoords=ax.get_yaxis_transform(),
        xytext=(VALUES * (1 + (grouped and forest.paired)) * 72 * typesetting.MM, 0),
        textcoords="offset points",
        ha="right",
        va="center_baseline",
        fontsize=typesetting.SMALL,
        color=style.QUIET if grouped else style.INK,
    )


def _mark(analysis: str, marker: str) -> dict[str, Any]:
    solid = analysis == PRESCRIBED.key
    return {
        "color": style.INK,
        "linewidth": 1.1 if solid else 0.7,
        "marker": marker,
        "markersize": 3.6 if solid else 3.2,
        "markerfacecolor": style.INK if solid else "white",
        "markeredgewidth": 0.7,
    }


def describe(table: pd.DataFrame, classes: Sequence[style.Class], titles: tuple[str, str], split: str) -> str:
    """Return the figure in words: accuracy, where it is drawn, and macro F1, and the classes that moved most either way."""
    called = style.class_labels(classes)
    first = table[table["analysis"] == PRESCRIBED.key]
    means = "; ".join(
        f"{LEGENDS[str(analysis)]}: {_means(rows)}" if len(table) > len(first) else _means(rows)
        for analysis, rows in table.groupby("analysis", sort=False)
    )
    text = f"Difference {titles[1]} minus {titles[0]}, {style.SPLIT_NAMES[split]}: {means}."
    moved = first[first["class"].isin(called)].dropna(subset="difference").sort_values("difference")
    undefined = int(first["difference"].isna().sum())
    left_out = f" {undefined} of {len(first)} differences are undefined." if undefined else ""
    if moved.empty:
        return text + left_out
    ends = [
        f"{wording.signed(row['difference'])} ({MEASURES[row['measure']].panel} of {called[row['class']]})"
        for _, row in moved.iloc[[0, -1]].iterrows()
    ]
    return f"{text} Over classes and measures they range from {ends[0]} to {ends[1]}.{left_out}"


def _means(rows: pd.DataFrame) -> str:
    values = rows.set_index(["measure", "class"]).to_dict("index")
    named = {"accuracy": ("accuracy", ""), "macro F1": ("f1", MACRO)}
    return wording.join(
        [f"{name} {_with_interval(values[of])}" for name, of in named.items() if of in values]
    )


def _with_interval(row: Mapping[Any, float]) -> str:
    if math.isnan(row["difference"]):
        return "undefined"
    low, high = (wording.signed(row[end]) for end in ("low", "high"))
    between = "" if math.isnan(row["low"]) else f" ({low} to {high})"
    return wording.signed(row["difference"]) + between
