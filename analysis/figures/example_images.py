"""A few training images of each class, as they came and as the networks see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.datasets.images.decode import Grey
from analysis.datasets.images.depth import read_depth
from analysis.figures import style, typesetting, wording
from analysis.figures.radiographs import embed_as_jpeg, read_image, shrink
from analysis.progress import Progress

IMAGES_OF_CLASS = 3
CELL, SPACE, GUTTER, TITLE, TITLE_LINE, NOTE = 21.0, 1.5, 5.0, 6.0, 3.6, 10.0
MOST_ROWS = 2
SMALLEST = 13.0  # mm; where images would be smaller, there are fewer of each class or more rows


@typesetting.with_fonts
def draw(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    classes: Sequence[style.Class],
    seed: int,
) -> None:
    """Draw per class a row of images in their true proportions above the same ones prepared.

    Parameters
    ----------
    inputs : mapping of str to Path
        The stages ``records``, ``split`` and ``images``, and the folder ``data``.
    classes : sequence of mapping
        ``id`` and ``label`` of each class.
    seed : int
        Of the choice of images.

    Raises
    ------
    DataError
        An image is no longer the one that was read.
    """
    records = pd.read_csv(inputs["records"] / "records.csv", usecols=["image_id", "label", "sha256"])
    split = pd.read_csv(inputs["split"] / "split.csv", usecols=["split"])["split"]
    layout = arrange([c["label"] for c in classes])
    table = choose(records[split == "train"], [c["id"] for c in classes], seed, layout.per_class)
    prepared = np.load(inputs["images"] / "images.npy", mmap_mode="r")
    depth = read_depth(inputs["images"])
    pairs = [
        (read_image(inputs["data"], image_id, sha256, depth), np.asarray(prepared[row]))
        for image_id, sha256, row in zip(table["image_id"], table["sha256"], table["row"], strict=True)
    ]
    table["height"], table["width"] = zip(*(raw.shape for raw, _ in pairs), strict=True)
    height = -(-len(classes) // layout.across) * layout.block - GUTTER + 1
    with style.page(height) as figure:
        for k, item in enumerate(classes):
            mine = [pairs[i] for i in np.flatnonzero(table["class"] == item["id"])]
            row, column = divmod(k, layout.across)
            corner = NOTE + column * (layout.width + GUTTER), height - row * layout.block
            _block(figure, mine, layout.titles[k], corner, layout, noted=column == 0)
        style.save(
            figure, out, table.drop(columns=["row", "sha256"]), describe(table, classes, prepared.shape[1])
        )
    embed_as_jpeg(out / "figure.svg")


@dataclass(frozen=True)
class Layout:
    """How many images a class has, how many classes stand in a row, how wide an image is, and the titles, in mm."""

    per_class: int
    across: int
    cell: float
    column: float
    titles: tuple[str, ...]

    @property
    def width(self) -> float:
        """How wide the column of a class is: no wider than images of full size."""
        return min(self.column, self.per_class * (CELL + SPACE))

    @property
    def title(self) -> float:
        """How high the highest title is."""
        return TITLE + TITLE_LINE * max(title.count("\n") for title in self.titles)

    @property
    def block(self) -> float:
        """How far the classes of one row are below those of the row above."""
        return self.title + 2 * self.cell + SPACE + GUTTER


def arrange(labels: Sequence[str]) -> Layout:
    """Return the lowest layout whose images are large enough; two of a class or three where two rows hold that.

    Where no images are large enough it is the layout with the largest.
    """
    every = [
        _layout(labels, per_class, across)
        for per_class in range(IMAGES_OF_CLASS, 0, -1)
        for across in range(1, len(labels) + 1)
    ]
    large = [layout for layout in every if layout.cell >= SMALLEST]
    if not large:
        return max(every, key=lambda layout: layout.cell)
    rows = {layout: -(-len(labels) // layout.across) for layout in large}
    several = [layout for layout in large if layout.per_class > 1 and rows[layout] <= MOST_ROWS]
    return min(several or large, key=lambda layout: (rows[layout], -layout.per_class, -layout.cell))


def _layout(labels: Sequence[str], per_class: int, across: int) -> Layout:
    width = (style.FULL_WIDTH_MM - NOTE + GUTTER) / across - GUTTER
    titles = tuple(
        typesetting.break_lines(
            label, min(width, per_class * (CELL + SPACE)) - SPACE, typesetting.BASE, "semibold"
        )
        for label in labels
    )
    wide = min(CELL, width / per_class - SPACE)
    room = (style.PAGE_MM - 1 + GUTTER) / -(-len(labels) // across)
    flat = Layout(per_class, across, 0.0, width, titles)
    return replace(flat, cell=min(wide, (room - flat.block) / 2))


def choose(train: pd.DataFrame, class_ids: Sequence[str], seed: int, per_class: int) -> pd.DataFrame:
    """Return class, image_id, sha256 and row (of records) of the images shown, the same for the same seed."""
    chosen = []
    for name in class_ids:
        rows = train[train["label"] == name]
        some = rows.sample(min(per_class, len(rows)), random_state=seed).sort_index()
        chosen.append(some.rename(columns={"label": "class"}).assign(row=some.index))
    return pd.concat(chosen, ignore_index=True)[["class", "image_id", "sha256", "row"]]


def _block(
    figure: Figure,
    pairs: Sequence[tuple[Grey, Grey]],
    title: str,
    corner: tuple[float, float],
    layout: Layout,
    *,
    noted: bool,
) -> None:
    full, (left, top), cell = figure.get_figheight() / typesetting.MM, corner, layout.cell
    for k, line in enumerate(title.split("\n")):
        y = (top - 4 - TITLE_LINE * k) / full
        figure.text(left / style.FULL_WIDTH_MM, y, line, fontweight="semibold", va="baseline")
    for k, pair in enumerate(pairs):
        for row, (pixels, note) in enumerate(zip(pair, ("as read", "prepared"), strict=True)):
            bottom = top - layout.title - cell - row * (cell + SPACE)
            ax = style.place(figure, left + k * (cell + SPACE), bottom, cell, cell)
            ax.imshow(shrink(pixels), cmap="gray", vmin=0, vmax=255, interpolation="none")
            ax.set(anchor="S" if row == 0 else "C", xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
            if noted and k == 0:
                x, y = (NOTE - 4) / style.FULL_WIDTH_MM, (bottom + cell / 2) / full
                figure.text(x, y, note, rotation=90, ha="center", va="center", color=style.QUIET)


def describe(table: pd.DataFrame, classes: Sequence[style.Class], size_px: int) -> str:
    """Return the figure in words: how many images of which class, their sizes before and after."""
    counts = table["class"].value_counts()
    shown = wording.join([f"{counts.get(c['id'], 0)} of {c['label']}" for c in classes])
    if len(classes) > wording.MOST_SAID:
        shown = f"{counts.min()} to {counts.max()} of each of {len(classes)} classes"
    return (
        f"{len(table)} images from the training split, {shown}, each twice: as read, "
        f"{table['width'].min()} to {table['width'].max()} pixels wide and {table['height'].min()} to "
        f"{table['height'].max()} high, and below prepared as a square of {size_px} by {size_px}."
    )
