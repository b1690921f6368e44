"""Whether the probability of the predicted class is how often it is right: one panel for each model."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from analysis.figures import style
from analysis.progress import Progress

LEFT, RIGHT, GAP, MAX_SIDE, TITLE_LINE = 14.0, 3.0, 6.0, 62.0, 3.6
COUNTS, BETWEEN, AXIS = 4.0, 1.5, 10.0
EXPECTED = "#e3e7eb"
NAMES = {"raw": "as predicted", "corrected": "corrected"}


def draw(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    classes: Sequence[style.Class],
    models: Sequence[style.Model],
    split: str,
) -> None:
    """Draw the share of pictures that is right against their mean probability, and below how many they are.

    Shaded is where 95 % of the shares would lie if the probabilities were right (low and high of the table).
    """
    table = pd.concat(
        [
            pd.read_csv(inputs[f"evaluation_{m['id']}"] / "reliability.csv").assign(model=m["id"])
            for m in models
        ]
    )
    table = table[(table["split"] == split) & (table["score"] == "top")]
    table = table[["model", "split", *(c for c in table.columns if c not in {"model", "split"})]]
    colours = style.model_colours([m["id"] for m in models])
    side, pitch = style.columns(len(models), LEFT, RIGHT, GAP, MAX_SIDE)
    titles = [style.fitted(m["title"], pitch - GAP, style.BASE, "semibold") for m in models]
    above = 2 + TITLE_LINE * max(title.count("\n") + 1 for title in titles)
    bottom = AXIS + len(NAMES) * (COUNTS + BETWEEN)
    floor, most = _floor(table), float(table["n"].max())
    with style.page(style.KEY_ROW + 2 + above + side + bottom) as figure:
        sheet = style.sheet(figure)
        key = {name: _line(of, style.INK) for of, name in NAMES.items()}
        key["95 % range if calibrated"] = {"color": EXPECTED, "linewidth": 6}
        key[f"pictures in a bin, at most {most:,.0f}"] = {"color": style.INK, "linestyle": "", "marker": "|"}
        style.key(sheet, key, LEFT, style.KEY_ROW + 2 + above + side + bottom)
        for k, (m, title) in enumerate(zip(models, titles, strict=True)):
            rows = table[table["model"] == m["id"]]
            ax = style.place(figure, LEFT + k * pitch, bottom, side, side)
            _panel(ax, rows, colours[m["id"]], floor)
            ax.set_title(title, linespacing=1.1, pad=4)
            ax.set_ylabel("share right" if k == 0 else "")
            ax.tick_params(labelleft=k == 0)
            for line, of in enumerate(reversed(NAMES)):
                y = AXIS + line * (COUNTS + BETWEEN)
                below = style.place(figure, LEFT + k * pitch, y, side, COUNTS)
                _counts(below, rows[rows["probabilities"] == of], _line(of, colours[m["id"]]), ax.get_xlim())
                below.set(ylim=(0, 1.05 * most), yticks=[])
                below.tick_params(labelbottom=line == 0, length=2.5 if line == 0 else 0)
                below.set_xlabel("mean probability" if line == 0 else "")
        style.save(figure, out, table, describe(table, models, split))


def _floor(table: pd.DataFrame) -> float:
    """Return where both axes begin: the tenth below everything that is drawn."""
    lowest = table[["confidence", "observed", "low"]].min().min()
    return 0.0 if math.isnan(lowest) else max(0.0, math.floor(10 * lowest) / 10)


def _ticks(floor: float) -> list[float]:
    step = 2 if floor < 0.5 else 1
    return [tenth / 10 for tenth in range(10, -1, -step) if tenth / 10 >= floor]


def _line(probabilities: str, colour: str) -> dict[str, Any]:
    if probabilities == "raw":
        return {
            "color": style.QUIET,
            "linewidth": 0.7,
            "marker": "o",
            "markersize": 2.6,
            "markerfacecolor": "white",
            "markeredgewidth": 0.7,
        }
    return {"color": colour, "linewidth": 1, "marker": "o", "markersize": 3.2, "markeredgewidth": 0}


def _panel(ax: Axes, rows: pd.DataFrame, colour: str, floor: float) -> None:
    ax.plot([0, 1], [0, 1], color=style.QUIET, linewidth=0.6)
    for probabilities in NAMES:
        mine = rows[rows["probabilities"] == probabilities]
        ax.fill_between(
            mine["confidence"], mine["low"], mine["high"], color=EXPECTED, linewidth=0, zorder=0.4
        )
        ax.plot(mine["confidence"], mine["observed"], **_line(probabilities, colour))
    room = 0.015 * (1 - floor)
    ax.set(xlim=(floor - room, 1 + room), ylim=(floor - room, 1 + room))
    ax.set(xticks=_ticks(floor), yticks=_ticks(floor))
    ax.tick_params(axis="x", labelbottom=False)
    ax.grid()


def _counts(ax: Axes, rows: pd.DataFrame, line: Mapping[str, Any], limits: tuple[float, float]) -> None:
    ax.vlines(rows["confidence"], 0, rows["n"], color=line["color"], linewidth=line["linewidth"])
    ax.set(xlim=limits, xticks=_ticks(limits[0]))
    ax.spines["left"].set_visible(False)


def describe(table: pd.DataFrame, models: Sequence[style.Model], split: str) -> str:
    """Return the figure in words: how many bins lie outside what is expected, and the largest gap."""
    parts = []
    for m in models:
        mine = table[table["model"] == m["id"]].dropna(subset=["confidence", "observed"])
        courses = [
            f"{name} {_course(rows)}"
            for of, name in NAMES.items()
            if not (rows := mine[mine["probabilities"] == of]).empty
        ]
        parts.append(f"{m['title']}: {style.listed(courses) or 'undefined'}")
    return (
        f"Bins of pictures, {style.SPLIT_NAMES[split]}, whose share right lies outside the 95 % range of "
        f"calibrated probabilities: {'; '.join(parts)}."
    )


def _course(rows: pd.DataFrame) -> str:
    outside = ((rows["observed"] < rows["low"]) | (rows["observed"] > rows["high"])).sum()
    gap = (rows["confidence"] - rows["observed"]).abs().max()
    return f"{outside} of {len(rows)} (largest gap to the probability {gap:.2f})"
