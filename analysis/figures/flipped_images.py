"""The images on which a second model changed sides the most: those it mended on the left, those it broke on the right."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.datasets.images.depth import read_depth
from analysis.figures import captioned_images, style, typesetting, wording
from analysis.figures.captioned_images import ACROSS, CELL, GAP, MARGIN, break_caption
from analysis.figures.radiographs import embed_as_jpeg, read_image
from analysis.figures.subjects import Pair
from analysis.progress import Progress
from analysis.vocabulary.results import CHANGED_SIDES

BESIDE = ACROSS // len(CHANGED_SIDES)
HALF = BESIDE * (CELL + GAP)
HEAD, TITLE, SPACE = 4.0, 1.5, 2.0  # mm


@typesetting.with_fonts
def draw(inputs: Mapping[str, Path], out: Path, *, scratch: Path, progress: Progress, **subject: Any) -> None:
    """Draw a row for each true class, in true proportions; fewer classes where long labels need more than a page.

    Parameters
    ----------
    inputs : mapping of str to Path
        ``comparison`` with ``flips.<b>.csv``, ``records`` and the folder ``data``.
    subject
        The fields of `Pair`.

    Raises
    ------
    DataError
        An image is no longer the one that was read.
    """
    pair = Pair(**subject)
    names = style.class_labels(pair.classes)
    table = pd.read_csv(inputs["comparison"] / f"flips.{pair.b}.csv", keep_default_na=False)
    table = table[(table["split"] == pair.split) & (table["number"] != "")]
    heads = [_break(f"only {title} right", HALF - GAP) for title in reversed(pair.called)]
    head = SPACE + HEAD * (1 + max(text.count("\n") for text in heads))
    table = _fit(table, names, style.PAGE_MM - head - MARGIN)
    records = pd.read_csv(inputs["records"] / "records.csv", usecols=["image_id", "sha256"], dtype=str)
    digests = dict(zip(records["image_id"], records["sha256"], strict=True))
    depth = read_depth(inputs["records"])
    rows = [mine for _, mine in table.groupby("y_true", sort=False)]
    top = head + sum(_row_mm(row, names) for row in rows) + MARGIN
    with style.page(top) as figure:
        sheet = style.add_sheet(figure)
        for side, text in enumerate(heads):
            sheet.text(MARGIN + side * HALF, top, text, va="top", fontweight="semibold")
        top -= head
        for row in rows:
            title = _title(row, names)
            sheet.text(MARGIN, top, title, va="top")
            below = top - _title_mm(title)
            for side, direction in enumerate(CHANGED_SIDES):
                mine = row[row["direction"] == direction]
                for column, (_, item) in enumerate(mine.iterrows(), BESIDE * side):
                    pixels = read_image(inputs["data"], item["image_id"], digests[item["image_id"]], depth)
                    captioned_images.draw_image(figure, pixels, _captions(item, names), column, below)
                    progress(int(item["number"]), len(table), "images")
                if mine.empty:
                    sheet.text(MARGIN + side * HALF, below - CELL / 2, "no such image", color=style.QUIET)
            top -= _row_mm(row, names)
        style.save(figure, out, table, describe(table, pair))
    embed_as_jpeg(out / "figure.svg")


def _fit(table: pd.DataFrame, names: Mapping[str, str], room: float) -> pd.DataFrame:
    """Return the rows of as many classes as fit, of the first ones."""
    for class_id, mine in table.groupby("y_true", sort=False):
        room -= _row_mm(mine, names)
        if room < 0:
            return table.iloc[: int((table["y_true"] == class_id).to_numpy().argmax())]
    return table


def _captions(item: Any, names: Mapping[str, str]) -> list[captioned_images.Caption]:
    """Return the number of an image and what each model says of it with which probability, the right one emphasised."""
    numbers = {"a": f"{item['number']}. ", "b": ""}
    return [
        break_caption(
            f"{number}{names[item[f'said_{side}']]} {wording.three_digits(item[f'p_said_{side}'])}",
            strong=item[f"said_{side}"] == item["y_true"],
        )
        for side, number in numbers.items()
    ]


def _row_mm(row: pd.DataFrame, names: Mapping[str, str]) -> float:
    title = _title_mm(_title(row, names))
    return title + captioned_images.row_mm(_captions(item, names) for _, item in row.iterrows())


def _title(row: pd.DataFrame, names: Mapping[str, str]) -> str:
    return _break(f"True class: {names[row['y_true'].iloc[0]]}", style.FULL_WIDTH_MM - 2 * MARGIN)


def _title_mm(title: str) -> float:
    return TITLE + HEAD * (1 + title.count("\n"))


def _break(text: str, width: float) -> str:
    return typesetting.break_lines(text, width, typesetting.BASE, "semibold")


def describe(table: pd.DataFrame, pair: Pair) -> str:
    """Return the figure in words: how many images of which class only one of the models gets right."""
    first, second = pair.called
    said = []
    for c in pair.classes:
        mine = table[table["y_true"] == c["id"]]["direction"].value_counts()
        if len(mine):
            said.append(f"{mine.get('fixed', 0)} and {mine.get('broken', 0)} of {c['label']}")
    if not said:
        return f"No image: {first} and {second} get the same images right."
    return f"{len(table)} images as read that only {second} or only {first} gets right: {wording.join(said)}."
