"""What networks reach by how many images they were trained on: means with intervals, and each training as a dot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
from matplotlib.ticker import FixedLocator, NullLocator

from analysis.figures import style, typesetting, wording
from analysis.progress import Progress
from analysis.vocabulary.measures import in_text
from analysis.vocabulary.subsets import SUBSETS, TABLE, TRAININGS_TABLE

LEFT, WIDTH, HEIGHT, AXIS = 14.0, 100.0, 50.0, 10.0
APART = 1.02
"""How far the points of one model are beside those of the one before, as a factor of the number of images."""


@typesetting.with_fonts
def draw(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    models: Sequence[style.Model],
    measure: str,
) -> None:
    """Draw a line for each model over a logarithmic number of training images.

    Parameters
    ----------
    inputs : mapping of str to Path
        The stage ``subsets``.
    models : sequence of mapping
        ``id`` and ``title`` of each model.
    measure : str
        What is drawn, such as ``f1.macro``.
    """
    means, trainings = (pd.read_csv(inputs[SUBSETS] / name) for name in (TABLE, TRAININGS_TABLE))
    lines = style.model_lines([m["id"] for m in models])
    key = {m["title"]: lines[m["id"]] for m in models}
    top = style.key_mm(list(key), LEFT) + 2
    with style.page(top + HEIGHT + AXIS) as figure:
        style.draw_key(style.add_sheet(figure), key, LEFT, top + HEIGHT + AXIS)
        ax = style.place(figure, LEFT, AXIS, WIDTH, HEIGHT)
        for k, model in enumerate(models):
            line, shift = lines[model["id"]], APART**k
            mine, dots = (table[table["model"] == model["id"]] for table in (means, trainings))
            ax.plot(shift * mine["images"], mine["value"], marker="o", markersize=3, **line)
            ax.vlines(shift * mine["images"], mine["low"], mine["high"], color=line["color"], linewidth=0.9)
            ax.plot(
                shift * dots["images"], dots["value"], "o", markersize=2.2, color=line["color"], alpha=0.45
            )
        ax.set_xscale("log", base=2)
        ticks = sorted(means["images"].round().unique())
        ax.xaxis.set_major_locator(FixedLocator(ticks))
        ax.xaxis.set_minor_locator(NullLocator())
        ax.xaxis.set_major_formatter("{x:,.0f}")
        ax.set(xlabel="training images (logarithmic)", ylabel=in_text(measure))
        ax.grid(axis="y")
        style.save(figure, out, means, describe(means, models, measure))


def describe(means: pd.DataFrame, models: Sequence[style.Model], measure: str) -> str:
    """Return the figure in words: the measure of each model by the number of training images."""
    each = []
    for model in models:
        mine = means[means["model"] == model["id"]]
        steps = [
            f"{wording.three_digits(value)}{wording.interval(low, high)} on {images:,.0f} images"
            for value, low, high, images in mine[["value", "low", "high", "images"]].to_numpy()
        ]
        each.append(f"{model['title']} {wording.join(steps)}")
    return f"{in_text(measure)}: {'; '.join(each)}."
