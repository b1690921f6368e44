"""Twenty figures as SVG: ours beside pyplot, seaborn and a tight layout, from the same tables.

Half are learning curves, half confusion matrices. Both ways read their tables from files and write one file a figure.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd

from analysis.figures import confusion_matrices, learning_curves
from analysis.figures.typesetting import FACES
from analysis.progress import silent
from benchmarks import harness
from report.pipeline.figures import FONTS_FOLDER

mpl.use("Agg")
import matplotlib.pyplot as plt  # the way of a notebook
import seaborn as sns

FIGURES, EPOCHS, GOAL = 20, 30, 2.0
CLASSES = ("bacterial", "viral", "covid_19", "healthy")
SPLITS = ("val", "test")


def write_tables(folder: Path) -> None:
    """Write a history and two matrices for every pair of figures, as stages write them."""
    rng = np.random.default_rng(0)
    for number in range(FIGURES // 2):
        place = folder / f"model-{number}"
        place.mkdir()
        epochs = np.arange(1, EPOCHS + 1)
        fall = np.exp(-epochs / 8)
        history = pd.DataFrame({"epoch": epochs})
        for prefix in ("", "val_"):
            history[f"{prefix}loss"] = fall + 0.3 + rng.normal(0, 0.02, EPOCHS)
            history[f"{prefix}accuracy"] = 0.9 - 0.5 * fall + rng.normal(0, 0.02, EPOCHS)
        history.to_csv(place / "history.csv", index=False)
        counts = {split: rng.integers(1, 400, (len(CLASSES), len(CLASSES))) for split in SPLITS}
        rows = [
            (split, true, predicted, matrix[i, k], matrix[i, k] / matrix[i].sum())
            for split, matrix in counts.items()
            for i, true in enumerate(CLASSES)
            for k, predicted in enumerate(CLASSES)
        ]
        columns = ["split", "y_true", "y_pred", "count", "share"]
        pd.DataFrame(rows, columns=columns).to_csv(place / "confusion.csv", index=False)


def ours(folder: Path) -> list[pd.DataFrame]:
    """Draw all figures as the report's stages do; return the table of each."""
    classes = [{"id": name, "label": name} for name in CLASSES]
    drawn = []
    for place in sorted(folder.glob("model-*")):
        fonts = {"fonts": FONTS_FOLDER}
        kinds: dict[str, Callable[..., None]] = {
            "curves": partial(learning_curves.draw, {"training": place, **fonts}, title="A model"),
            "confusion": partial(
                confusion_matrices.draw,
                {"evaluation": place, **fonts},
                classes=classes,
                title="A model",
                splits=SPLITS,
            ),
        }
        for kind, draw in kinds.items():
            out = place / kind
            out.mkdir(exist_ok=True)
            draw(out, scratch=out, progress=silent)
            drawn.append(pd.read_csv(out / "figure.csv"))
    return drawn


def notebook(folder: Path) -> list[pd.DataFrame]:
    """Draw all figures as a notebook does; return the table of each."""
    drawn = []
    for place in sorted(folder.glob("model-*")):
        history = pd.read_csv(place / "history.csv")
        fig, axes = plt.subplots(1, 2, figsize=(6.3, 2.4))
        for ax, measure in zip(axes, ("loss", "accuracy"), strict=True):
            sns.lineplot(x=history["epoch"], y=history[measure], ax=ax, label="training")
            sns.lineplot(x=history["epoch"], y=history[f"val_{measure}"], ax=ax, label="validation")
            ax.set_title(measure)
        plt.tight_layout()
        fig.savefig(place / "notebook-curves.svg")
        plt.close(fig)
        confusion = pd.read_csv(place / "confusion.csv")
        fig, axes = plt.subplots(1, 2, figsize=(6.3, 3))
        for ax, split in zip(axes, SPLITS, strict=True):
            rows = confusion[confusion["split"] == split]
            matrix = rows.pivot(index="y_true", columns="y_pred", values="count").loc[[*CLASSES], [*CLASSES]]
            sns.heatmap(matrix, annot=True, fmt="d", cmap="Blues", ax=ax)
            ax.set_title(split)
        plt.tight_layout()
        fig.savefig(place / "notebook-confusion.svg")
        plt.close(fig)
        drawn += [history, confusion]
    return drawn


def require_same(mine: list[pd.DataFrame], theirs: list[pd.DataFrame]) -> None:
    """Raise where both ways did not draw the same tables."""
    assert len(mine) == len(theirs) == FIGURES
    for a, b in zip(mine, theirs, strict=True):
        pd.testing.assert_frame_equal(a[list(b)], b)


def main() -> None:
    """Time both."""
    assert all((FONTS_FOLDER / name).is_file() for name in FACES)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_tables(folder)
        ways = {"ours": lambda: ours(folder), "pyplot, seaborn, tight layout": lambda: notebook(folder)}
        times = harness.time_in_turn(ways, require_same)
    mine, theirs = times.values()
    ratio = theirs.cpu_median / mine.cpu_median
    harness.keep(
        "figures",
        work=f"{FIGURES} figures as SVG: learning curves and confusion matrices",
        goal=f"{GOAL:g} times pyplot, seaborn and a tight layout",
        reached=f"{ratio:.2f} times in CPU, {theirs.wall_median / mine.wall_median:.2f} on the clock",
        met=ratio >= GOAL,
        timings=times,
        notes=["Ours also writes the table, the alternative text, and embeds labels as text."],
    )


if __name__ == "__main__":
    main()
