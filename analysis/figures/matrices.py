"""The confusion matrices of all models on one split, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.figures import style
from analysis.figures.confusion import SHARES, heat, matrices
from analysis.progress import Progress

LEFT, RIGHT, GAP, TITLE_LINE, BELOW, LINE = 24.0, 2.0, 6.0, 3.4, 4.0, 3.2
SIDES = {2: 23.0, 3: 30.0, 4: 36.0}
LARGEST = 44.0


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
    """Draw a small heat map per model: counts, shaded by their share of the true class (row)."""
    table = pd.concat(
        [pd.read_csv(inputs[f"evaluation_{m['id']}"] / "confusion.csv").assign(model=m["id"]) for m in models]
    )
    ids = [c["id"] for c in classes]
    table = table[(table["split"] == split) & table["y_true"].isin(ids) & table["y_pred"].isin(ids)]
    side = SIDES.get(len(classes), LARGEST)
    across = min(len(models), int((style.FULL_WIDTH_MM - LEFT - RIGHT + GAP) // (side + GAP)))
    pitch = side + GAP
    titles = [style.fitted(m["title"], side + GAP - 2, style.SMALL) for m in models]
    title = TITLE_LINE * max(t.count("\n") + 1 for t in titles)
    row, rows = title + 1 + side + BELOW, -(-len(models) // across)
    names = [style.fitted(c["label"], side, style.SMALL) for c in classes]
    upright = max(style.text_mm(name) for name in names) if across else 0.0
    height = rows * row + upright + LINE + 1
    with style.page(height) as figure:
        sheet = style.sheet(figure)
        for i, (model, name) in enumerate(zip(models, titles, strict=True)):
            x, top = LEFT + pitch * (i % across), height - row * (i // across)
            sheet.text(x, top - title + 1, name, va="baseline", size=style.SMALL, linespacing=1.1)
            ax = style.place(figure, x, top - title - 1 - side, side, side)
            counts, shares = matrices(table[table["model"] == model["id"]], classes)
            heat(
                ax,
                np.nan_to_num(shares),
                np.array([f"{n:,}" for n in counts.flat]).reshape(counts.shape),
                SHARES,
            )
            ax.tick_params(length=0)
            lowest, first = i + across >= len(models), i % across == 0
            ax.set_xticklabels(
                names if lowest else [], rotation=90, fontsize=style.SMALL, multialignment="right"
            )
            beside = [style.fitted(c["label"], LEFT - 6) for c in classes]
            ax.set_yticklabels(beside if first else [], rotation=0, fontsize=style.SMALL)
            ax.set(xlabel="predicted class" if lowest else "", ylabel="")
        columns = ["model", "split", "y_true", "y_pred", "count", "share"]
        style.save(figure, out, table[columns], describe(table, classes, models))


def describe(table: pd.DataFrame, classes: Sequence[style.Class], models: Sequence[style.Model]) -> str:
    """Return the figure in words: the share of each true class that each model finds."""
    labels = style.class_labels(classes)
    right = table[table["y_true"] == table["y_pred"]]
    parts = []
    for model in models:
        mine = right[right["model"] == model["id"]]
        found = [
            f"{labels[name]} {style.percent(share)}"
            for name, share in zip(mine["y_true"], mine["share"], strict=True)
            if share == share  # noqa: PLR0124
        ]
        parts.append(f"{model['title']}: {style.listed(found) or 'undefined'}")
    return f"Share of each true class found, {style.SPLIT_NAMES[str(table['split'].iloc[0])]}. {'; '.join(parts)}."
