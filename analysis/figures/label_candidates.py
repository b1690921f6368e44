"""The images with whose label a model disagrees the most, each with its label and what the model says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.datasets.images.depth import read_depth
from analysis.figures import captioned_images, style, typesetting, wording
from analysis.figures.captioned_images import ACROSS, MARGIN, break_caption
from analysis.figures.radiographs import embed_as_jpeg, read_image
from analysis.progress import Progress

MOST = 24
NOTHING = 8.0  # mm, how high a figure without images is
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
                pixels = read_image(inputs["data"], image_id, digests[image_id], depth)
                captioned_images.draw_image(figure, pixels, _captions(item, names), column, top)
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


def _captions(item: Any, names: Mapping[str, str]) -> list[captioned_images.Caption]:
    """Return number and label of an image, and what the model says, each with its probability, broken into lines."""
    label = f"{item['rank']}. {names[item['label']]} {wording.three_digits(item['p_label'])}"
    says = f"{names[item['says']]} {wording.three_digits(item['p_says'])}"
    return [break_caption(label, strong=True), break_caption(says, strong=False)]


def _row_mm(row: pd.DataFrame, names: Mapping[str, str]) -> float:
    return captioned_images.row_mm(_captions(item, names) for _, item in row.iterrows())


def describe(table: pd.DataFrame, names: Mapping[str, str]) -> str:
    """Return the figure in words: how many images of which label, and what the model says of them."""
    if table.empty:
        return "No image: the model disagrees with no label."
    pairs = Counter(zip(table["label"], table["says"], strict=True)).most_common()
    said = [f"{n} with the label {names[a]} of which the model says {names[b]}" for (a, b), n in pairs]
    rest = sum(n for _, n in pairs[wording.MOST_SAID :])
    more = [f"{rest} of other pairs of classes"] if rest else []
    return f"{len(table)} images as read: {wording.join([*said[: wording.MOST_SAID], *more])}."
