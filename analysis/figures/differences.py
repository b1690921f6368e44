"""How far model B differs from model A in each measure, on one split."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from analysis.figures import style
from analysis.progress import Progress

# The class under which differences.csv has a measure of all pictures.
OVERALL = {"accuracy": "", "mcc": "", "auroc": "micro"}
OVERALL_NAMES = {"accuracy": "Accuracy", "mcc": "Correlation (MCC)", "auroc": "AUC, all pooled"}
PER_CLASS_NAMES = {
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "ppv": "Precision (PPV)",
    "npv": "NPV",
    "f1": "F1",
    "auroc": "AUC, one against the rest",
}
LEFT, WIDTH, GAP, ROW, TWO_LINE_ROW, TITLE, AXIS = 32.0, 39.0, 4.5, 5.0, 7.0, 8.0, 10.0
LABEL_LETTERS = 24
COLUMNS = 3


def draw(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    classes: Sequence[style.Class],
    a: str,
    b: str,
    titles: Mapping[str, str],
    split: str,
) -> None:
    """Draw a dot and a stem from zero for each measure: overall, per class, and the mean of the classes."""
    table = pd.read_csv(inputs["comparison"] / "differences.csv", keep_default_na=False)
    table = _drawn(table[table["split"] == split], [c["id"] for c in classes])
    wrapped = any(len(c["label"]) > LABEL_LETTERS for c in classes)
    block = (TWO_LINE_ROW if wrapped else ROW) * (len(classes) + 1)
    bottoms = {2: AXIS, 1: AXIS + block + TITLE, 0: AXIS + 2 * (block + TITLE)}
    reach = 2.1 * max(0.02, table["difference"].abs().max())
    with style.page(bottoms[0] + ROW + TITLE) as figure:
        for k, (name, rows) in enumerate(_panels(table)):
            row, column = divmod(k, COLUMNS)
            height = ROW if row == 0 else block
            ax = style.place(figure, LEFT + column * (WIDTH + GAP), bottoms[row], WIDTH, height)
            _dots(ax, rows, style.class_colours(classes), reach)
            ax.set_title(name, fontsize=style.SMALL + 0.5, pad=3)
            labels = _row_labels(rows, classes) if column == 0 else [""] * len(rows)
            ax.set_yticks(range(len(rows)), labels)
            ax.tick_params(axis="x", labelbottom=row == 2, length=2.5 if row == 2 else 0)
        figure.text(
            (LEFT + 1.5 * WIDTH + GAP) / style.FULL_WIDTH_MM,
            1.5 / (bottoms[0] + ROW + TITLE),
            f"{titles[b]} − {titles[a]}, {style.SPLIT_NAMES[split]}",
            ha="center",
        )
        style.save(figure, out, table, describe(table, classes, (titles[a], titles[b]), split))


def _drawn(table: pd.DataFrame, class_ids: Sequence[str]) -> pd.DataFrame:
    """Return the rows that are drawn, in drawing order; losses, where less is better, are not among them."""
    wanted = [*OVERALL.items(), *((m, c) for m in PER_CLASS_NAMES for c in (*class_ids, "macro"))]
    rows = table.set_index(["measure", "class"]).loc[wanted].reset_index()
    values = ["a", "b", "difference"]
    return rows.assign(**rows[values].apply(pd.to_numeric))[["split", "measure", "class", *values]]


def _panels(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    whole = pd.Series(list(zip(table["measure"], table["class"], strict=True))).isin(list(OVERALL.items()))
    for measure, name in OVERALL_NAMES.items():
        yield name, table[whole & (table["measure"] == measure)]
    for measure, name in PER_CLASS_NAMES.items():
        yield name, table[~whole & (table["measure"] == measure)]


def _row_labels(rows: pd.DataFrame, classes: Sequence[style.Class]) -> list[str]:
    averages = {"": "all pictures", "micro": "all pictures", "macro": "mean of classes"}
    labels = {**averages, **style.class_labels(classes)}
    return [style.wrap(labels[name], LABEL_LETTERS) for name in rows["class"]]


def _dots(ax: Axes, rows: pd.DataFrame, colours: Mapping[str, str], reach: float) -> None:
    ax.axvline(0, color=style.QUIET, linewidth=0.6)
    for y, (name, value) in enumerate(zip(rows["class"], rows["difference"], strict=True)):
        if pd.isna(value):
            ax.annotate("undefined", (0, y), xytext=(4, 0), textcoords="offset points", **_text(0))
            continue
        colour = colours.get(name, style.INK)
        ax.plot([0, value], [y, y], color=colour, linewidth=1)
        ax.plot([value], [y], "o" if name in colours else "D", markersize=3.6, color=colour)
        text = style.signed(value)
        ax.annotate(
            text, (value, y), xytext=(-5 if value < 0 else 5, 0), textcoords="offset points", **_text(value)
        )
    ax.set(xlim=(-reach, reach), ylim=(len(rows) - 0.5, -0.5))
    ax.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10], symmetric=True))
    ax.xaxis.set_major_formatter(
        lambda value, _: style.signed(value, 1) if reach > 0.2 else style.signed(value, 2)
    )
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x")


def _text(value: float) -> dict[str, Any]:
    return {"ha": "right" if value < 0 else "left", "va": "center", "fontsize": style.SMALL}


def describe(table: pd.DataFrame, classes: Sequence[style.Class], titles: tuple[str, str], split: str) -> str:
    """Return the figure in words: accuracy, macro F1, and the classes that moved most either way."""
    labels = style.class_labels(classes)
    value = table.set_index(["measure", "class"])["difference"]
    means = style.listed(
        [
            f"{name} {'undefined' if pd.isna(value[key]) else style.signed(value[key])}"
            for name, key in {"accuracy": ("accuracy", ""), "macro F1": ("f1", "macro")}.items()
        ]
    )
    moved = table[table["class"].isin(labels)].dropna(subset="difference").sort_values("difference")
    text = f"Difference {titles[1]} minus {titles[0]}, {style.SPLIT_NAMES[split]}: {means}."
    if moved.empty:
        return text
    ends = [
        f"{style.signed(row['difference'])} ({PER_CLASS_NAMES[row['measure']]} of {labels[row['class']]})"
        for _, row in moved.iloc[[0, -1]].iterrows()
    ]
    return f"{text} Over classes and measures they range from {ends[0]} to {ends[1]}."
