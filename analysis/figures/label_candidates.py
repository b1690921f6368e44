"""The images with whose label a model disagrees the most, each with its label and what the model says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.datasets.images.decode import Grey, decode
from analysis.datasets.images.depth import read_depth
from analysis.figures import style, typesetting, wording
from analysis.figures.radiographs import embed_as_jpeg, shrink
from analysis.image_files import read_unchanged
from analysis.progress import Progress

MOST, ACROSS = 24, 6
GAP, LINE, MARGIN, NOTHING = 3.0, 3.2, 0.5, 8.0  # mm; the last is how high a figure without images is
CELL = (style.FULL_WIDTH_MM - 2 * MARGIN + GAP) / ACROSS - GAP
LONGEST = CELL / typesetting.HINTED  # a line of a caption
SHOWN = ("rank", "image_id", "label", "says", "p_label", "p_says", "conflict")


@typesetting.with_fonts
def draw(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    classes: Sequence[style.Class],
) -> None:
    """Draw the first images in their true proportions; fewer where long labels need more than a page.

    Parameters
    ----------
    inputs : mapping of str to Path
        ``candidates`` with ``candidates.csv``, ``records`` and the folder ``data``.
    classes : sequence of mapping
        ``id`` and ``label`` of each class.

    Raises
    ------
    DataError
        An image is no longer the one that was read.
    """
    table = pd.read_csv(inputs["candidates"] / "candidates.csv", keep_default_na=False)[list(SHOWN)]
    names = {c["id"]: c["label"] for c in classes}
    table = _fit(table.head(MOST).reset_index(drop=True), names)
    records = pd.read_csv(inputs["records"] / "records.csv", usecols=["image_id", "sha256"], dtype=str)
    digests = dict(zip(records["image_id"], records["sha256"], strict=True))
    depth = read_depth(inputs["records"])
    rows = [table.iloc[start : start + ACROSS] for start in range(0, len(table), ACROSS)]
    heights = [_row_mm(row, names) for row in rows]
    top = sum(heights) or NOTHING
    with style.page(top + MARGIN) as figure:
        for row, height in zip(rows, heights, strict=True):
            for column, (_, item) in enumerate(row.iterrows()):
                image_id = item["image_id"]
                pixels = decode(
                    read_unchanged(inputs["data"], image_id, digests[image_id]), depth=depth
                ).pixels
                _cell(figure, pixels, _captions(item, names), MARGIN + column * (CELL + GAP), top)
                progress(int(item["rank"]), len(table), "images")
            top -= height
        if not rows:
            figure.text(0, 0.5, "no image", va="center", color=style.QUIET)
        style.save(figure, out, table, describe(table, names))
    embed_as_jpeg(out / "figure.svg")


def _fit(table: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """Return as many rows of images as a page holds, of the first ones."""
    while len(table):
        starts = range(0, len(table), ACROSS)
        if (
            sum(_row_mm(table.iloc[start : start + ACROSS], names) for start in starts)
            < style.PAGE_MM - MARGIN
        ):
            break
        table = table.iloc[: starts[-1]]
    return table


def _captions(item: Any, names: Mapping[str, str]) -> tuple[str, str]:
    """Return number and label of an image, and what the model says, each with its probability, broken into lines."""
    label = f"{item['rank']}. {names[item['label']]} {wording.three_digits(item['p_label'])}"
    says = f"{names[item['says']]} {wording.three_digits(item['p_says'])}"
    return (
        typesetting.break_lines(label, LONGEST, typesetting.SMALL, "semibold"),
        typesetting.break_lines(says, LONGEST, typesetting.SMALL),
    )


def _row_mm(row: pd.DataFrame, names: Mapping[str, str]) -> float:
    captions = [_captions(item, names) for _, item in row.iterrows()]
    lines = max(sum(text.count("\n") + 1 for text in both) for both in captions)
    return CELL + LINE * (lines + 1) + GAP


def _cell(figure: Any, pixels: Grey, captions: tuple[str, str], left: float, top: float) -> None:
    ax = style.place(figure, left, top - CELL, CELL, CELL)
    ax.imshow(shrink(pixels), cmap="gray", vmin=0, vmax=255, interpolation="none")
    ax.set(anchor="S", xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    width, height = (float(inches) / typesetting.MM for inches in figure.get_size_inches())
    y = top - CELL - LINE
    for text, weight, colour in zip(captions, ("semibold", "normal"), (style.INK, style.QUIET), strict=True):
        for line in text.split("\n"):
            figure.text(
                left / width, y / height, line, fontsize=typesetting.SMALL, fontweight=weight, color=colour
            )
            y -= LINE


def describe(table: pd.DataFrame, names: Mapping[str, str]) -> str:
    """Return the figure in words: how many images of which label, and what the model says of them."""
    if table.empty:
        return "No image: the model disagrees with no label."
    pairs = Counter(zip(table["label"], table["says"], strict=True)).most_common()
    said = [f"{n} with the label {names[a]} of which the model says {names[b]}" for (a, b), n in pairs]
    rest = sum(n for _, n in pairs[wording.MOST_SAID :])
    more = [f"{rest} of other pairs of classes"] if rest else []
    return f"{len(table)} images as read: {wording.join([*said[: wording.MOST_SAID], *more])}."
