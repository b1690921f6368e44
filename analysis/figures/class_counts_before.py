"""Class counts as the data come and as they are split here, on one axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes

from analysis.figures import class_labels, style, typesetting, wording
from analysis.progress import Progress

LEFT, RIGHT, GAP, TOP, AXIS, BAR = 34.0, 10.0, 12.0, 6.0, 9.0, 4.0
PARTS = ("train", "val", "test", "all")
COLOURS = {**style.SPLIT_COLOURS, "all": style.QUIET}
NAMES = {**style.SPLIT_NAMES, "all": "all images"}


@typesetting.with_fonts
def draw(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    classes: Sequence[style.Class],
) -> None:
    """Draw bars per class: the parts in which the data come (all where they come in none), and ours.

    Parameters
    ----------
    inputs : mapping of str to Path
        The stages ``records`` and ``split``.
    classes : sequence of mapping
        ``id`` and ``label`` of each class.
    """
    records = pd.read_csv(
        inputs["records"] / "records.csv", usecols=["label", "official"], keep_default_na=False
    )
    split = pd.read_csv(inputs["split"] / "split.csv", usecols=["split"])["split"]
    table = count(records, split, [c["id"] for c in classes])
    parts = {when: list(dict.fromkeys(rows["part"])) for when, rows in table.groupby("when", sort=False)}
    tallest = max(map(len, parts.values()))
    rows = class_labels.arrange_beside_bars(
        classes, room=style.PAGE_MM - TOP - AXIS, tallest=tallest * BAR + 3.0
    )
    panel = rows.row * len(classes)
    left = LEFT + rows.wider
    width = (style.FULL_WIDTH_MM - left - RIGHT - GAP) / 2
    with style.page(TOP + panel + AXIS + rows.key) as figure:
        axes = [style.place(figure, left + k * (width + GAP), AXIS + rows.key, width, panel) for k in (0, 1)]
        for k, (when, ax) in enumerate(zip(("before", "after"), axes, strict=True)):
            limit = _bars(ax, table[table["when"] == when], rows, width, named=k == 0)
            ax.set_xlim(0, max(1.25 * max(1, table["count"].max()), limit))
            ax.set_title("As the data come" if when == "before" else "As split here")
        end = max(ax.get_xlim()[1] for ax in axes)
        for ax in axes:
            ax.set_xlim(0, end)
        class_labels.draw_key_below(figure, classes, rows)
        style.save(figure, out, table, describe(table, classes))


def count(records: pd.DataFrame, split: pd.Series[str], class_ids: Sequence[str]) -> pd.DataFrame:
    """Return the columns when (before, after), part, class and count."""
    official = records["official"].where(records["official"] != "", "all")
    rows = []
    for when, part in (("before", official), ("after", split)):
        counts = pd.Series(1, pd.MultiIndex.from_arrays([part, records["label"]])).groupby(level=[0, 1]).sum()
        present = [p for p in PARTS if p in set(part)]
        rows += [
            {"when": when, "part": p, "class": c, "count": int(counts.get((p, c), 0))}
            for c in class_ids
            for p in present
        ]
    return pd.DataFrame(rows)


def _bars(ax: Axes, table: pd.DataFrame, rows: class_labels.Rows, width: float, *, named: bool) -> float:
    """Draw the bars; return where an axis ``width`` mm long must end for their numbers to have room."""
    limit = 0.0
    parts = list(dict.fromkeys(table["part"]))
    step = 0.8 / len(parts)
    for j, part in enumerate(parts):
        counts = table[table["part"] == part]["count"].to_numpy()
        places = [i - 0.4 + step * (j + 0.5) for i in range(len(rows.names))]
        bars = ax.barh(places, counts, height=step * 0.9, color=COLOURS[part])
        texts = [f"{n:,}" for n in counts]
        texts[0] += f"  {NAMES[part]}"
        ax.bar_label(bars, texts, padding=2, fontsize=typesetting.SMALL)
        limit = max(limit, class_labels.axis_end(counts, texts, width, GAP if named else RIGHT))
    names = rows.names if named else [""] * len(rows.names)
    ax.set_yticks(range(len(names)), names, **{**rows.type, "fontsize": typesetting.SMALL})
    ax.invert_yaxis()
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.set_xlabel("number of images")
    ax.xaxis.set_major_formatter("{x:,.0f}")
    ax.xaxis.set_major_locator(style.locate_whole_numbers())
    ax.grid(axis="x")
    return limit


def describe(table: pd.DataFrame, classes: Sequence[style.Class]) -> str:
    """Return the figure in words."""
    called = style.class_labels(classes)
    sentences = []
    for when, words in (("before", "As the data come"), ("after", "As split here")):
        rows = table[table["when"] == when]
        parts = []
        for part in dict.fromkeys(rows["part"]):
            mine = rows[rows["part"] == part]
            counts = dict(zip(mine["class"].map(called), mine["count"], strict=True))
            parts.append(f"{NAMES[part]}: {wording.by_class(counts, '{:,}'.format)}")
        sentences.append(f"{words}, {'; '.join(parts)}.")
    return " ".join(sentences)
