"""Images of each class in each split, as bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.container import BarContainer

from analysis.figures import class_labels, style, typesetting, wording
from analysis.progress import Progress

LEFT = 28.0


@typesetting.with_fonts
def draw(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    classes: Sequence[style.Class],
) -> None:
    """Draw one bar per class and split, with its count.

    Parameters
    ----------
    inputs : mapping of str to Path
        The stages ``records`` and ``split``.
    classes : sequence of mapping
        ``id`` and ``label`` of each class.
    """
    table = count(
        pd.read_csv(inputs["records"] / "records.csv", usecols=["label"])["label"],
        pd.read_csv(inputs["split"] / "split.csv", usecols=["split"])["split"],
        [c["id"] for c in classes],
    )
    rows = class_labels.arrange_beside_bars(classes, room=style.PAGE_MM - 12, tallest=11.0)
    tall = rows.row * len(classes)
    with style.page(12 + tall + rows.key) as figure:
        width = 156 - LEFT - rows.wider
        ax = style.place(figure, LEFT + rows.wider, 10 + rows.key, width, tall)
        _bars(ax, table, rows, width)
        class_labels.draw_key_below(figure, classes, rows)
        style.save(figure, out, table, describe(table, classes))


def count(label: pd.Series[str], split: pd.Series[str], class_ids: Sequence[str]) -> pd.DataFrame:
    """Return the columns class, split, count and share (of the split), in the study's order."""
    pairs = pd.Series(1, pd.MultiIndex.from_arrays([label, split])).groupby(level=[0, 1]).sum().to_dict()
    total = split.value_counts().to_dict()
    rows = []
    for c in class_ids:
        for s in style.SPLIT_NAMES:
            n, whole = pairs.get((c, s), 0), total.get(s, 0)
            rows.append({"class": c, "split": s, "count": n, "share": n / whole if whole else None})
    return pd.DataFrame(rows)


def _bars(ax: Axes, table: pd.DataFrame, rows: class_labels.Rows, width: float) -> None:
    sns.barplot(
        table,
        x="count",
        y="class",
        hue="split",
        palette=style.SPLIT_COLOURS,
        saturation=1,
        width=0.78,
        legend=False,
        ax=ax,
    )
    most = max(1, int(table["count"].max()))
    limit = 1.18 * most
    drawn = [bars for bars in ax.containers if isinstance(bars, BarContainer)]
    for split, bars in zip(style.SPLIT_NAMES, drawn, strict=True):
        counts = table.loc[table["split"] == split, "count"]
        texts = [f"{n:,}" for n in counts]
        texts[0] += f"  {style.SPLIT_NAMES[split]}"
        ax.bar_label(bars, texts, padding=2.5, fontsize=typesetting.SMALL)
        limit = max(limit, class_labels.axis_end(counts, texts, width))
    ax.set_yticks(range(len(rows.names)), rows.names, **rows.type)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.set(xlabel="number of images", ylabel="", xlim=(0, limit))
    ax.xaxis.set_major_locator(style.locate_whole_numbers())
    ax.xaxis.set_major_formatter("{x:,.0f}")
    ax.grid(axis="x")


def describe(table: pd.DataFrame, classes: Sequence[style.Class]) -> str:
    """Return the figure in words."""
    called = style.class_labels(classes)
    total = table.groupby("class", sort=False)["count"].sum()
    splits = table.groupby("split", sort=False)["count"].sum()
    of_classes = wording.by_class({called[str(name)]: n for name, n in total.items()}, "{:,}".format)
    of_splits = wording.join([f"{style.SPLIT_NAMES[str(name)]} {n:,}" for name, n in splits.items()])
    most, fewest = called[str(total.idxmax())], called[str(total.idxmin())]
    return (
        f"Of {total.sum():,} images, by class: {of_classes}; by split: {of_splits}. "
        f"{most} is the largest class and {fewest} the smallest."
    )
