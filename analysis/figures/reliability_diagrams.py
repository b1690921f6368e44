"""Whether the probability of the predicted class is how often it is right: one panel for each model."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures import style, typesetting, wording
from analysis.progress import Progress

LEFT, RIGHT, GAP, MAX_SIDE, TITLE_LINE = 14.0, 3.0, 5.0, 54.0, 3.6
COUNTS, BETWEEN, AXIS = 5.0, 4.6, 10.0
EXPECTED = "#e3e7eb"
NAMES = {"raw": "as predicted", "corrected": "temperature-scaled"}


@dataclass(frozen=True)
class Limits:
    """What all panels share: where their axes begin, and the most images in a bin."""

    floor: float
    most: float

    @property
    def ends(self) -> tuple[float, float]:
        """Where the axes begin and end."""
        room = 0.015 * (1 - self.floor)
        return self.floor - room, 1 + room

    @property
    def ticks(self) -> list[float]:
        """Where their ticks are."""
        step = 2 if self.floor < 0.5 else 1
        return [tenth / 10 for tenth in range(10, -1, -step) if tenth / 10 >= self.floor]


@typesetting.with_fonts
def draw(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    models: Sequence[style.Model],
    split: str,
) -> None:
    """Draw the share of images that is right against their mean probability, and below how many they are.

    Shaded is where 95 % of the shares would lie if the probabilities were right (low and high of the table).

    Parameters
    ----------
    inputs : mapping of str to Path
        The stage ``evaluation_<id>`` of each model.
    models : sequence of mapping
        ``id`` and ``title`` of each model.
    split : str
        The split that is drawn.
    """
    table = _read(inputs, models, split)
    lines = style.model_lines([m["id"] for m in models])
    side, _ = style.column_widths(len(models), LEFT, RIGHT, GAP, MAX_SIDE)
    pitch = side + GAP  # few panels stand together, not at both ends of the page
    titles = [typesetting.break_lines(m["title"], pitch - GAP, typesetting.BASE, "semibold") for m in models]
    limits = Limits(_floor(table), float(table["n"].max()))
    key = _key()
    above = style.key_mm(list(key), LEFT) + 4 + TITLE_LINE * max(title.count("\n") + 1 for title in titles)
    height = above + side + len(NAMES) * (COUNTS + BETWEEN) + AXIS
    with style.page(height) as figure:
        style.draw_key(style.add_sheet(figure), key, LEFT, height)
        for k, (m, title) in enumerate(zip(models, titles, strict=True)):
            rows, colour = table[table["model"] == m["id"]], lines[m["id"]]["color"]
            left, top = LEFT + k * pitch, height - above
            ax = style.place(figure, left, top - side, side, side)
            _panel(ax, rows, colour, limits)
            ax.set_title(title, linespacing=1.1, pad=4)
            ax.set_ylabel("share correct" if k == 0 else "")
            ax.tick_params(labelleft=k == 0, labelbottom=False)
            _counts_below(figure, rows, colour, (left, top - side, side), limits, named=k == 0)
        style.save(figure, out, table, describe(table, models, split))


def _read(inputs: Mapping[str, Path], models: Sequence[style.Model], split: str) -> pd.DataFrame:
    """Return the bins of the probabilities of the predicted classes."""
    tables = {m["id"]: pd.read_csv(inputs[f"evaluation_{m['id']}"] / "reliability.csv") for m in models}
    table = pd.concat([table.assign(model=model) for model, table in tables.items()])
    table = table[(table["split"] == split) & (table["score"] == "top")]
    return table[["model", "split", *(c for c in table.columns if c not in {"model", "split"})]]


def _key() -> dict[str, dict[str, Any]]:
    lines = {name: _line(of, style.INK) for of, name in NAMES.items()}
    return {**lines, "95 % range if calibrated": {"color": EXPECTED, "linewidth": 6}}


def _floor(table: pd.DataFrame) -> float:
    """Return where both axes begin: the tenth below everything that is drawn."""
    lowest = table[["confidence", "observed", "low"]].min().min()
    return 0.0 if math.isnan(lowest) else max(0.0, math.floor(10 * lowest) / 10)


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


def _panel(ax: Axes, rows: pd.DataFrame, colour: str, limits: Limits) -> None:
    ax.plot([0, 1], [0, 1], color=style.QUIET, linewidth=0.6)
    for probabilities in NAMES:
        mine = rows[rows["probabilities"] == probabilities]
        ax.fill_between(
            mine["confidence"], mine["low"], mine["high"], color=EXPECTED, linewidth=0, zorder=0.4
        )
        ax.plot(mine["confidence"], mine["observed"], **_line(probabilities, colour))
    ax.set(xlim=limits.ends, ylim=limits.ends, xticks=limits.ticks, yticks=limits.ticks)
    ax.grid()


def _counts_below(
    figure: Figure,
    rows: pd.DataFrame,
    colour: str,
    panel: tuple[float, float, float],
    limits: Limits,
    *,
    named: bool,
) -> None:
    """Draw how many images each bin has, a strip for each kind of probabilities, below a panel (left, bottom, side)."""
    left, bottom, side = panel
    for line, (of, name) in enumerate(NAMES.items(), start=1):
        ax = style.place(figure, left, bottom - line * (COUNTS + BETWEEN), side, COUNTS)
        _counts(ax, rows[rows["probabilities"] == of], _line(of, colour), limits)
        ax.tick_params(axis="y", labelleft=named)
        if named:
            place: dict[str, Any] = {"xytext": (0, 1.5), "textcoords": "offset points", "va": "bottom"}
            text = f"images in a bin, {name}"
            ax.annotate(text, (0, 1), xycoords="axes fraction", size=typesetting.SMALL, **place)
    ax.tick_params(labelbottom=True, length=2.5)
    ax.set_xlabel("mean probability")


def _counts(ax: Axes, rows: pd.DataFrame, line: Mapping[str, Any], limits: Limits) -> None:
    ax.vlines(rows["confidence"], 0, rows["n"], color=line["color"], linewidth=line["linewidth"])
    ax.set(xlim=limits.ends, xticks=limits.ticks, ylim=(0, 1.1 * limits.most), yticks=[limits.most])
    ax.yaxis.set_major_formatter("{x:,.0f}")
    ax.tick_params(labelbottom=False, length=0)
    ax.tick_params(axis="y", length=2)
    ax.grid(axis="y")


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
        parts.append(f"{m['title']}: {wording.join(courses) or 'undefined'}")
    return (
        f"Bins of images, {style.SPLIT_NAMES[split]}, whose share classified correctly lies outside the 95 % range of "
        f"calibrated probabilities: {'; '.join(parts)}."
    )


def _course(rows: pd.DataFrame) -> str:
    outside = ((rows["observed"] < rows["low"]) | (rows["observed"] > rows["high"])).sum()
    gap = (rows["confidence"] - rows["observed"]).abs().max()
    return f"{outside} of {len(rows)} (largest gap to the probability {gap:.2f})"
