"""Grad-CAM of a network on the test images it is most sure about: called right on the left, called wrong on the right.

Of each image stand side by side the image, its map over it, and that of the same network with random weights.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Hashable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from analysis.figures import style, typesetting, wording
from analysis.figures.radiographs import JPEG_QUALITY, PNG_URI, shrink
from analysis.progress import Progress
from analysis.vocabulary.attention import NETWORK, RIGHT, SHOWN_TABLE, WRONG

HEADS = {RIGHT: "Called right", WRONG: "Called wrong"}
COLUMNS = ("image", "Grad-CAM", "random weights")
LABEL, MARGIN, GAP, BETWEEN, BELOW = 26.0, 0.5, 1.2, 4.0, 3.5  # mm
HALF = (style.FULL_WIDTH_MM - 2 * MARGIN - LABEL + BETWEEN) / len(HEADS)
CELL = (HALF - BETWEEN + GAP) / len(COLUMNS) - GAP
LINE, LABEL_LINE, HEAD, KEY, KEY_WIDTH = 3.2, 4.0, 9.0, 5.0, 40.0  # mm
SMALL: dict[str, Any] = {"fontsize": typesetting.SMALL, "linespacing": 1.15}
COLOURS, MOST_COLOUR = "inferno", 0.75
"""Of a map; where it is highest, so much of the image's grey gives way."""
Levels = npt.NDArray[np.uint8]


@typesetting.with_fonts
def draw(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    classes: Sequence[style.Class],
    models: Sequence[style.Model],
) -> None:
    """Draw a row for each true class; fewer classes where they need more than a page.

    Parameters
    ----------
    inputs : mapping of str to Path
        The stage ``attention``.
    classes : sequence of mapping
        ``id`` and ``label`` of each class.
    models : sequence of mapping
        ``id`` and ``title`` of each model that it may be about.
    """
    folder = inputs["attention"]
    names = style.class_labels(classes)
    table = pd.read_csv(folder / SHOWN_TABLE)
    pictures = np.load(folder / "pictures.npy")
    about = json.loads((folder / NETWORK).read_text(encoding="utf-8"))
    title = next(m["title"] for m in models if m["id"] == about["model"])
    table = _fit(table, names, style.PAGE_MM - HEAD - KEY)
    rows = [mine for _, mine in table.groupby("y_true", sort=False)]
    top = HEAD + sum(_row_mm(row, names) for row in rows) + KEY
    with style.page(top) as figure:
        sheet = style.add_sheet(figure)
        for side, text in enumerate(HEADS.values()):
            sheet.text(_left(side), top, text, va="top", fontweight="semibold")
            for k, column in enumerate(COLUMNS):
                sheet.text(_left(side, k), top - HEAD + 1, column, va="bottom", color=style.QUIET, **SMALL)
        sheet.text(MARGIN, top - HEAD + 1, "true class", va="bottom", color=style.QUIET, **SMALL)
        top -= HEAD
        for row in rows:
            sheet.text(MARGIN, top, _label(row, names), va="top")
            for side, called in enumerate(HEADS):
                mine = row[row["called"] == called]
                for i, item in zip(mine.index.to_numpy(), mine.to_dict("records"), strict=True):
                    for k, pixels in enumerate(_blend(*pictures[i])):
                        _show(figure, pixels, _left(side, k), top)
                    sheet.text(_left(side), top - CELL - 1, _caption(item, names), va="top", **SMALL)
                    progress(int(i) + 1, len(table), "images")
                if mine.empty:
                    sheet.text(_left(side), top - CELL / 2, "no such image", color=style.QUIET)
            top -= _row_mm(row, names)
        _draw_key(figure, sheet)
        style.save(figure, out, table, describe(table, title))
    svg = (out / "figure.svg").read_text(encoding="utf-8")
    (out / "figure.svg").write_text(PNG_URI.sub(_to_jpeg, svg), encoding="utf-8")


def _left(side: int, k: int = 0) -> float:
    """Return where column ``k`` of a half begins, in mm."""
    return MARGIN + LABEL + side * HALF + k * (CELL + GAP)


def _show(figure: Figure, pixels: Levels, left: float, top: float) -> None:
    ax = style.place(figure, left, top - CELL, CELL, CELL)
    ax.imshow(shrink(pixels), interpolation="none")
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)


def _blend(grey: Levels, trained: Levels, random: Levels) -> tuple[Levels, Levels, Levels]:
    """Return an image in colour, (size, size, 3), and with each map over it."""
    plain = np.repeat(grey[..., None], 3, axis=-1)
    return plain, overlay(plain, trained), overlay(plain, random)


def overlay(image: Levels, heat: Levels) -> Levels:
    """Return images (..., 3) with maps (...) over them, all from 0 to 255: the higher, the more colour."""
    colour = mpl.colormaps[COLOURS](heat)[..., :3] * 255
    part = MOST_COLOUR * np.sqrt(heat[..., None] / 255)
    mixed: Levels = np.rint((1 - part) * image + part * colour).astype(np.uint8)
    return mixed


def _draw_key(figure: Figure, sheet: Axes) -> None:
    """Draw below the images what the colours are: over a middle grey."""
    ramp = np.linspace(0, 255, 256).astype(np.uint8)[None]
    left, bottom, height = _left(0) + 2, 0.5, 3.0
    ax = style.place(figure, left, bottom, KEY_WIDTH, height)
    ax.imshow(overlay(np.full((1, 256, 3), 128, np.uint8), ramp), aspect="auto", interpolation="none")
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    for x, text, ha in ((left - 1, "0", "right"), (left + KEY_WIDTH + 1, "highest value of the map", "left")):
        sheet.text(x, bottom + height / 2, text, ha=ha, va="center", **SMALL)


def _fit(table: pd.DataFrame, names: Mapping[str, str], room: float) -> pd.DataFrame:
    """Return the rows of as many classes as fit, of the first ones."""
    for class_id, mine in table.groupby("y_true", sort=False):
        room -= _row_mm(mine, names)
        if room < 0:
            return table.iloc[: int((table["y_true"] == class_id).to_numpy().argmax())]
    return table


def _caption(item: Mapping[Hashable, Any], names: Mapping[str, str]) -> str:
    """Return what the network says with which probability, how much of the maps is in the lungs, and which are 0."""
    lines = [f"{names[item['y_pred']]} {wording.three_digits(item['probability'])}"]
    if not (pd.isna(item["lung_share"]) or pd.isna(item["lung_share_random"])):
        lines.append(
            f"in the lungs: {wording.percent(item['lung_share'])}, random weights {wording.percent(item['lung_share_random'])}"
        )
    empty = [
        text for text, end in (("map", ""), ("map of random weights", "_random")) if item[f"is_empty{end}"]
    ]
    if empty:
        lines.append(f"{wording.join(empty)} 0 everywhere")
    return "\n".join(
        typesetting.break_lines(line, (HALF - BETWEEN) / typesetting.HINTED, typesetting.SMALL)
        for line in lines
    )


def _row_mm(row: pd.DataFrame, names: Mapping[str, str]) -> float:
    lines = max(_caption(item, names).count("\n") + 1 for item in row.to_dict("records"))
    return max(CELL + 1 + LINE * lines, LABEL_LINE * (_label(row, names).count("\n") + 1)) + BELOW


def _label(row: pd.DataFrame, names: Mapping[str, str]) -> str:
    """Return the true class of a row, on lines beside its images."""
    return typesetting.break_lines(names[row["y_true"].iloc[0]], LABEL - 3, typesetting.BASE)


def _to_jpeg(uri: re.Match[str]) -> str:
    with Image.open(BytesIO(base64.b64decode(uri[1]))) as png:
        jpeg = BytesIO()
        png.convert("RGB").save(jpeg, "JPEG", quality=JPEG_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(jpeg.getvalue()).decode()


def describe(table: pd.DataFrame, title: str) -> str:
    """Return the figure in words: how many images, and how much of the maps lies in the lungs."""
    if table.empty:
        return f"No image: there is no map of the {title}."
    counts = table["called"].value_counts()
    text = (
        f"{len(table)} test images, {counts.get(RIGHT, 0)} called right and {counts.get(WRONG, 0)} called wrong by the"
        f" {title}, each with its Grad-CAM map and that of random weights."
    )
    known = table.dropna(subset=["lung_share"])
    if len(known):
        low, high = known["lung_share"].min(), known["lung_share"].max()
        text += f" From {wording.percent(low)} to {wording.percent(high)} of a map lies in the lungs."
    return text
