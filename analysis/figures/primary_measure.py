"""The primary measure of all models and reference classifiers on one split, with intervals."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, ScalarFormatter

from analysis.figures import style, typesetting, wording
from analysis.progress import Progress
from analysis.vocabulary.measures import in_text
from analysis.vocabulary.reference_classifiers import MAJORITY, REFERENCES
from analysis.vocabulary.splits import ANALYSES, PRESCRIBED

NAMES, GAP, AXIS = 46.0, 3.0, 9.0
"""How wide names may be, the room beside them and that of the axis below, in mm."""
ROW, SECOND, LINE, OFFSET = 4.6, 1.6, 3.3, 0.22
RESULTS = "results.json"


@dataclass(frozen=True)
class Ranked:
    """The classifiers that are held against one another, by what.

    Parameters
    ----------
    models : sequence of mapping
        ``id`` and ``title`` of each model; the reference classifiers are added.
    measure, split : str
        Such as ``f1.macro`` on ``test``.
    analyses : sequence of str
        What each analysis adds to the names of models.
    """

    models: Sequence[style.Model]
    measure: str
    split: str
    analyses: Sequence[str]

    @property
    def titles(self) -> dict[str, str]:
        """What each model and reference classifier is called."""
        references = {r.id: r.title for r in REFERENCES}
        return {**{m["id"]: m["title"] for m in self.models}, **references}

    def result(self, model: str, analysis: str) -> str:
        """Return the name of the result of a model."""
        return f"{model}{analysis}.{self.split}.{self.measure}"


@typesetting.with_fonts
def draw(inputs: Mapping[str, Path], out: Path, *, scratch: Path, progress: Progress, **subject: Any) -> None:
    """Draw a dot and its interval for each classifier; below it, hollow, the same of the grouped analysis.

    The first table has the numbers.

    Parameters
    ----------
    inputs : mapping of str to Path
        The stage ``results``.
    subject
        The fields of `Ranked`.
    """
    shown = Ranked(**subject)
    results = json.loads((inputs["results"] / RESULTS).read_text(encoding="utf-8"))["results"]
    table = _read(results, shown)
    names = [typesetting.break_lines(title, NAMES, typesetting.BASE) for title in shown.titles.values()]
    analyses = table["analysis"].nunique()
    key = {ANALYSES[a].legend: _mark(a, {"color": style.INK}) for a in shown.analyses} if analyses > 1 else {}
    left = max(typesetting.text_mm(name, typesetting.BASE) for name in names) * typesetting.HINTED + GAP
    header = style.key_mm(list(key), left) + 1.5 if key else 0.0
    row = max(ROW + SECOND * (analyses - 1), LINE * max(name.count("\n") + 1 for name in names) + 1)
    row = min(row, (style.PAGE_MM - header - AXIS) / len(names))
    height = header + row * len(names) + AXIS
    with style.page(height) as figure:
        style.draw_key(style.add_sheet(figure), key, left, height)
        width = style.FULL_WIDTH_MM - left - GAP
        ax = style.place(figure, left, AXIS, width, row * len(names))
        _panel(ax, table, shown)
        ax.set_yticks(range(len(names)), names, fontsize=typesetting.BASE, linespacing=1.1)
        ax.set_xlabel(f"{in_text(shown.measure)}, {style.SPLIT_NAMES[shown.split]}{_level(table)}")
        style.save(figure, out, table, describe(table, shown))


def _read(results: Mapping[str, Mapping[str, Any]], shown: Ranked) -> pd.DataFrame:
    """Return the value and interval of each classifier in each analysis; a reference may have none in a study."""
    rows = [
        {
            "model": model,
            "analysis": analysis,
            "split": shown.split,
            "measure": shown.measure,
            **_values(item),
        }
        for analysis in shown.analyses
        for model in shown.titles
        for item in [results.get(shown.result(model, analysis), {})]
    ]
    return pd.DataFrame(rows)


def _values(item: Mapping[str, Any]) -> dict[str, float]:
    found = {name: item.get(name) for name in ("value", "low", "high", "level")}
    return {name: math.nan if value is None else float(value) for name, value in found.items()}


def _level(table: pd.DataFrame) -> str:
    """Return what the intervals are, where there are any."""
    levels = table["level"].dropna().unique()
    return f", with {100 * levels[0]:.4g} % intervals" if len(levels) == 1 else ""


def _panel(ax: Axes, table: pd.DataFrame, shown: Ranked) -> None:
    lines = style.model_lines([m["id"] for m in shown.models])
    places = {model: k for k, model in enumerate(shown.titles)}
    paired = len(shown.analyses) > 1
    limits = _limits(table)
    for row in table.to_dict("records"):
        shift = 0.0 if not paired else -OFFSET if row["analysis"] == PRESCRIBED.suffix else OFFSET
        y = places[row["model"]] + shift
        colour = lines.get(row["model"], {}).get("color", style.LOW_DETAIL_COLOUR)
        mark = _mark(row["analysis"], {"color": colour})
        if row["value"] >= limits[0]:
            ax.plot([row["low"], row["high"]], [y, y], color=colour, linewidth=mark["linewidth"])
            ax.plot([row["value"]], [y], **mark)
        if not row["value"] >= limits[0]:
            text = wording.three_digits(row["value"])
            ax.text(
                0.005,
                y,
                text if math.isnan(row["value"]) else f"← {text}",
                transform=ax.get_yaxis_transform(),
                va="center_baseline",
                fontsize=typesetting.SMALL,
                color=style.QUIET,
            )
    ax.axhline(len(shown.models) - 0.5, color=style.RULE, linewidth=0.6)
    ax.set(ylim=(len(places) - 0.5, -0.5), xlim=limits)
    ax.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    ax.xaxis.set_major_formatter(ScalarFormatter(useOffset=False))
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x")


def _limits(table: pd.DataFrame) -> tuple[float, float]:
    """Return the limits of the axis, a little beyond what is drawn; of a majority class far below all else the value is written."""
    others = table[table["model"] != MAJORITY.id]
    for rows in (others, table):
        ends = rows[["value", "low", "high"]].to_numpy(dtype=float)
        ends = ends[~pd.isna(ends)]
        if len(ends):
            room = 0.04 * max(float(ends.max() - ends.min()), 0.05)
            return float(ends.min()) - room, float(ends.max()) + room
    return 0.0, 1.0


def _mark(analysis: str, line: Mapping[str, Any]) -> dict[str, Any]:
    solid = analysis == PRESCRIBED.suffix
    return {
        **line,
        "linewidth": 1.3 if solid else 0.8,
        "marker": "D",
        "markersize": 4.0 if solid else 3.4,
        "markerfacecolor": line["color"] if solid else "white",
        "markeredgewidth": 0.8,
    }


def describe(table: pd.DataFrame, shown: Ranked) -> str:
    """Return the figure in words: each value with its interval, by analysis."""
    name = in_text(shown.measure)
    name = f"{name[:1].upper()}{name[1:]}, {style.SPLIT_NAMES[shown.split]}"
    sentences = list(_sentences(table, shown))
    return f"{name}: {'; '.join(sentences)}."


def _sentences(table: pd.DataFrame, shown: Ranked) -> Iterator[str]:
    for analysis, rows in table.groupby("analysis", sort=False):
        said = [
            f"{shown.titles[row['model']]} {wording.three_digits(row['value'])}"
            + wording.interval(row["low"], row["high"])
            for row in rows.to_dict("records")
        ]
        legend = f"{ANALYSES[str(analysis)].legend}: " if len(shown.analyses) > 1 else ""
        yield legend + wording.join(said)
