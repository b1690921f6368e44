"""Decision curves: the net benefit of acting on each model, at each declared prevalence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from analysis.figures import style, typesetting, wording
from analysis.progress import Progress

LEFT, RIGHT, GAP, TITLE, HEIGHT, AXIS = 14.0, 3.0, 11.0, 6.0, 44.0, 10.0
MAX_WIDTH = 60.0
BELOW = 0.2  # how far the panels reach below 0, as a share of the prevalence, the most that can be gained
ALWAYS: dict[str, dict[str, Any]] = {
    "treat all": {"color": style.QUIET, "linewidth": 0.9, "linestyle": (0, (3, 2))},
    "treat none": {"color": style.QUIET, "linewidth": 0.9, "linestyle": (0, (1, 2))},
}


@typesetting.with_fonts
def draw(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    models: Sequence[style.Model],
) -> None:
    """Draw net benefit against the threshold, with that of treating everybody and of treating nobody.

    Parameters
    ----------
    inputs : mapping of str to Path
        The stage ``evaluation_<id>`` of each model.
    models : sequence of mapping
        ``id`` and ``title`` of each model.
    """
    table = pd.concat(
        [pd.read_csv(inputs[f"evaluation_{m['id']}"] / "decision.csv").assign(model=m["id"]) for m in models]
    )
    table = table[table["split"] == "test"]
    table = table[["model", "split", "prevalence", "threshold", "net_benefit", "treat_all"]]
    lines = style.model_lines([m["id"] for m in models])
    key = {m["title"]: {**lines[m["id"]], "linewidth": 1.6} for m in models} | ALWAYS
    key_height = style.key_mm(list(key), LEFT)
    prevalences = sorted(table["prevalence"].unique())
    width, pitch = style.column_widths(len(prevalences), LEFT, RIGHT, GAP, MAX_WIDTH)
    height = key_height + 2 + TITLE + HEIGHT + AXIS
    with style.page(height) as figure:
        style.draw_key(style.add_sheet(figure), key, LEFT, height)
        for k, prevalence in enumerate(prevalences):
            ax = style.place(figure, LEFT + k * pitch, AXIS, width, HEIGHT)
            _panel(ax, table[table["prevalence"] == prevalence], lines, prevalence)
            ax.set_title(f"Prevalence {wording.percent(prevalence)}")
            ax.set_ylabel("net benefit" if k == 0 else "")
        style.save(figure, out, table, describe(table, models))


def _panel(ax: Axes, table: pd.DataFrame, lines: Mapping[str, Mapping[str, Any]], prevalence: float) -> None:
    ax.axhline(0, **ALWAYS["treat none"])
    everybody = table.drop_duplicates("threshold").sort_values("threshold")
    ax.plot(everybody["threshold"], everybody["treat_all"], **ALWAYS["treat all"])
    for model in reversed(table["model"].unique()):
        mine = table[table["model"] == model]
        ax.plot(mine["threshold"], mine["net_benefit"], **lines[model])
    ax.set(xlim=(0, 1), ylim=(-BELOW * prevalence, 1.04 * prevalence), xlabel="threshold probability")
    ax.set_xticks((0, 0.25, 0.5, 0.75, 1))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    ax.grid()


def describe(table: pd.DataFrame, models: Sequence[style.Model]) -> str:
    """Return the figure in words: at how many thresholds each model is above treating all and none."""
    parts = []
    for prevalence, rows in table.groupby("prevalence"):
        known = rows.dropna(subset=["net_benefit", "treat_all"])
        gains = known["net_benefit"] > known["treat_all"].clip(lower=0)
        share = {str(model): wording.percent(part.mean()) for model, part in gains.groupby(known["model"])}
        named = [f"{m['title']} {share.get(m['id'], 'undefined')}" for m in models]
        parts.append(f"prevalence {wording.percent(float(str(prevalence)))}: {wording.join(named)}")
    return (
        "Share of the thresholds, test, at which the net benefit lies above that of treating all and of "
        f"treating none: {'; '.join(parts)}."
    )
