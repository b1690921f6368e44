"""How wide and how high the images of each class are, as box plots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.cbook import boxplot_stats
from matplotlib.ticker import MaxNLocator, NullFormatter

from analysis.figures import class_labels, style, typesetting, wording
from analysis.progress import Progress

LEFT = 28.0
BOX = {"#000000": "#6b6b6b"}  # on black the line of the median would not be seen
SIDES = ("width", "height")
WHISKERS = (5, 95)
TICKS = (100, 200, 400, 800, 1600, 3200, 6400)
STATISTICS = {"whislo": "low", "q1": "quartile_1", "med": "median", "q3": "quartile_3", "whishi": "high"}


@typesetting.with_fonts
def draw(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    classes: Sequence[style.Class],
) -> None:
    """Draw a box per class for width and for height: quartiles, and whiskers from 5 to 95 percent.

    Parameters
    ----------
    inputs : mapping of str to Path
        The stage ``records``.
    classes : sequence of mapping
        ``id`` and ``label`` of each class.
    """
    records, measured = sizes(pd.read_csv(inputs["records"] / "records.csv"))
    table = summarise(records, [c["id"] for c in classes])
    rows = class_labels.arrange_beside_bars(classes, room=style.PAGE_MM - 12 - 4, tallest=9.0)
    tall = 4 + rows.row * len(classes)
    pitch = 67 - rows.wider / 2
    with style.page(12 + tall + rows.key) as figure:
        for k, side in enumerate(SIDES):
            ax = style.place(figure, LEFT + rows.wider + pitch * k, 10 + rows.key, pitch - 6, tall)
            _boxes(ax, records, side, measured, classes)
            ax.set_yticks(range(len(classes)), rows.names, **rows.type)
            if k:
                ax.set_yticklabels([])
        class_labels.draw_key_below(figure, classes, rows)
        style.save(figure, out, table, describe(table, classes, measured))


def sizes(records: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Return label, width and height of the images as published, or of the files if that is not known."""
    names = {"original_width": "width", "original_height": "height"}
    original = records[["label", *names]].rename(columns=names).dropna()
    if not original.empty:
        return original, "original"
    return records[["label", *SIDES]], "file"


def summarise(records: pd.DataFrame, class_ids: Sequence[str]) -> pd.DataFrame:
    """Return what is drawn: one row per side and class with the five numbers of its box, in pixels."""
    rows = []
    for side in SIDES:
        for name in class_ids:
            values = records.loc[records["label"] == name, side].to_numpy(dtype=float)
            box = boxplot_stats(values, whis=WHISKERS)[0] if len(values) else {}
            five = {column: box.get(key) for key, column in STATISTICS.items()}
            rows.append({"side": side, "class": name, "n": len(values), **five})
    return pd.DataFrame(rows)


def _boxes(ax: Axes, records: pd.DataFrame, side: str, measured: str, classes: Sequence[style.Class]) -> None:
    sns.boxplot(
        records,
        x=side,
        y="label",
        hue="label",
        order=[c["id"] for c in classes],
        palette={i: BOX.get(c, c) for i, c in style.class_colours(classes).items()},
        saturation=1,
        whis=WHISKERS,
        showfliers=False,
        width=0.55,
        linewidth=0.8,
        linecolor=style.INK,
        log_scale=True,
        legend=False,
        ax=ax,
    )
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    low, high = ax.get_xlim()
    ticks = [tick for tick in TICKS if low <= tick <= high]
    ax.set_xticks(ticks if len(ticks) > 1 else MaxNLocator(4, integer=True).tick_values(low, high)[1:-1])
    ax.xaxis.set_major_formatter("{x:,.0f}")
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.tick_params(axis="x", which="minor", length=0)
    ax.set(xlabel=f"{measured} {side} (pixels)", ylabel="")
    ax.grid(axis="x")


def describe(table: pd.DataFrame, classes: Sequence[style.Class], measured: str) -> str:
    """Return the figure in words."""
    called = style.class_labels(classes)
    wide, high = (table[table["side"] == side] for side in SIDES)
    known = wide.dropna(subset="median")
    of = dict(zip(known["median"], high.loc[high["class"].isin(known["class"]), "median"], strict=True))
    medians = dict(zip(known["class"].map(called), known["median"], strict=True))
    by_class = wording.by_class(medians, lambda width: f"{width:,.0f} by {of[width]:,.0f}")
    return (
        f"Median {measured} width by height in pixels: {by_class}. "
        f"The middle 90 % of the widths of a class lie between {wide['low'].min():,.0f} and "
        f"{wide['high'].max():,.0f} pixels."
    )
