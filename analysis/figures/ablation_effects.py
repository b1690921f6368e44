"""What each component of a network adds to the primary measure: to the network that has it, and to the baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from analysis.figures import style, typesetting, wording
from analysis.figures.measure_differences import BAND, count_digits
from analysis.progress import Progress
from analysis.vocabulary.ablation import ADD, EFFECTS_TABLE, LEAVE
from analysis.vocabulary.measures import in_text
from analysis.vocabulary.results import ABLATION

NAMES, GAP, VALUES, AXIS = 46.0, 3.0, 11.0, 9.5
"""How wide names may be, the room beside them, that of the values and that of the axis below, in mm."""
ROW, LINE, OFFSET = 8.5, 3.3, 0.19
SHIFTS = {LEAVE: -OFFSET, ADD: OFFSET}


@dataclass(frozen=True)
class Ablated:
    """What the effects are of.

    Parameters
    ----------
    components : sequence of mapping
        ``id`` and ``title`` of each, as it stands in a sentence.
    titles : mapping of str to str
        Of the network that a component is left out of, and of that it is added to, by effect.
    measure, split : str
        Such as ``f1.macro`` on ``test``.
    margin : float
        The largest effect that does not matter.
    """

    components: Sequence[Mapping[str, str]]
    titles: Mapping[str, str]
    measure: str
    split: str
    margin: float

    @property
    def names(self) -> dict[str, str]:
        """What each component is called at the beginning of a line."""
        return {c["id"]: c["title"][:1].upper() + c["title"][1:] for c in self.components}

    @property
    def legends(self) -> dict[str, str]:
        """What each effect is of."""
        return {LEAVE: f"left out of {self.titles[LEAVE]}", ADD: f"added to {self.titles[ADD]}"}


@typesetting.with_fonts
def draw(inputs: Mapping[str, Path], out: Path, *, scratch: Path, progress: Progress, **subject: Any) -> None:
    """Draw for each component both effects with their intervals, and a line from the one to the other.

    Parameters
    ----------
    inputs : mapping of str to Path
        The stage ``ablation``.
    subject
        The fields of `Ablated`.
    """
    shown = Ablated(**subject)
    table = pd.read_csv(inputs[ABLATION] / EFFECTS_TABLE)
    table = table.loc[
        table["effect"].isin(SHIFTS), ["component", "effect", "value", "low", "high", "level", "case"]
    ]
    names = [typesetting.break_lines(name, NAMES, typesetting.BASE) for name in shown.names.values()]
    key = {shown.legends[effect]: _mark(effect) for effect in SHIFTS if effect in set(table["effect"])}
    key[f"margin ±{shown.margin:g}"] = {"color": BAND, "linewidth": 6}
    left = max(typesetting.text_mm(name, typesetting.BASE) for name in names) * typesetting.HINTED + GAP
    header = style.key_mm(list(key), left) + 1.5
    row = max(ROW, LINE * max(name.count("\n") + 1 for name in names) + 1)
    height = header + row * len(names) + AXIS
    with style.page(height) as figure:
        style.draw_key(style.add_sheet(figure), key, left, height)
        ax = style.place(figure, left, AXIS, style.FULL_WIDTH_MM - left - VALUES - GAP, row * len(names))
        _panel(ax, table, shown)
        ax.set_yticks(range(len(names)), names, fontsize=typesetting.BASE, linespacing=1.1)
        measured = f"{in_text(shown.measure)}, {style.SPLIT_NAMES[shown.split]}"
        ax.set_xlabel(f"effect on {measured} (with it less without it)")
        style.save(figure, out, table, describe(table, shown))


def _panel(ax: Axes, table: pd.DataFrame, shown: Ablated) -> None:
    places = {component: k for k, component in enumerate(shown.names)}
    limits = _limits(table, shown.margin)
    ax.axvspan(-shown.margin, shown.margin, color=BAND, linewidth=0, zorder=0.4)
    ax.axvline(0, color=style.QUIET, linewidth=0.8)
    for component, rows in table.groupby("component", sort=False):
        heights = [places[str(component)] + SHIFTS[effect] for effect in rows["effect"]]
        ax.plot(rows["value"], heights, color=style.RULE, linewidth=2.2, solid_capstyle="round")
        for row, y in zip(rows.to_dict("records"), heights, strict=True):
            mark = _mark(row["effect"])
            ax.plot([row["low"], row["high"]], [y, y], color=style.INK, linewidth=mark["linewidth"])
            ax.plot([row["value"]], [y], **mark)
            ax.annotate(
                "–" if pd.isna(row["value"]) else wording.signed(row["value"]),
                (1, y),
                xycoords=ax.get_yaxis_transform(),
                xytext=(VALUES * 72 * typesetting.MM, 0),
                textcoords="offset points",
                ha="right",
                va="center_baseline",
                fontsize=typesetting.SMALL,
                color=style.INK if row["effect"] == LEAVE else style.QUIET,
            )
    ax.set(ylim=(len(places) - 0.5, -0.5), xlim=limits)
    ax.xaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10]))
    digits = count_digits(ax.xaxis.get_major_locator().tick_values(*limits))
    ax.xaxis.set_major_formatter(lambda value, _: wording.signed(value, digits))
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x")


def _limits(table: pd.DataFrame, margin: float) -> tuple[float, float]:
    ends = table[["value", "low", "high"]]
    low, high = min(-margin, ends.min().min()), max(margin, ends.max().max())
    room = 0.05 * (high - low)
    return float(low - room), float(high + room)


def _mark(effect: str) -> dict[str, Any]:
    solid = effect == LEAVE
    return {
        "color": style.INK,
        "linewidth": 1.3 if solid else 0.8,
        "marker": "D",
        "markersize": 4.0 if solid else 3.6,
        "markerfacecolor": style.INK if solid else "white",
        "markeredgewidth": 0.8,
    }


def describe(table: pd.DataFrame, shown: Ablated) -> str:
    """Return the figure in words: each effect with its interval, a sentence for those of each network."""
    sentences = []
    for effect, legend in shown.legends.items():
        rows = table[table["effect"] == effect].to_dict("records")
        if rows:
            said = wording.join([f"{shown.names[row['component']]} {_number(row)}" for row in rows])
            sentences.append(f"{legend[:1].upper()}{legend[1:]}: {said}.")
    return f"Effects on {in_text(shown.measure)}, {style.SPLIT_NAMES[shown.split]}. {' '.join(sentences)}"


def _number(row: Mapping[Any, Any]) -> str:
    if pd.isna(row["value"]):
        return "undefined"
    low, high = (wording.signed(row[end]) for end in ("low", "high"))
    between = "" if pd.isna(row["low"]) else f" ({low} to {high})"
    return wording.signed(row["value"]) + between
