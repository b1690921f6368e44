"""Pairs of images that are one X-ray, side by side, with their files, sets and classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from analysis.audit.tables import read_table
from analysis.datasets.images.decode import Grey
from analysis.datasets.images.depth import read_depth
from analysis.figures import class_labels, style, typesetting, wording
from analysis.figures.radiographs import embed_as_jpeg, read_image, shrink
from analysis.figures.typesetting import text_mm
from analysis.progress import Progress

MOST_PAIRS = 6
BESIDE = 2
CELL, SPACE, GUTTER, BELOW, LINE = 24.0, 1.0, 4.0, 5.0, 2.9
MOST_LINES = 6  # of the set and class of an image
ELIDED = "…"
KINDS = {"exact": "equal pixels", "near": "nearly equal"}
ORDER = ("across_labels", "across_patients", "across_splits")
SIDES = ("first", "second")


@dataclass(frozen=True)
class Pair:
    """Two images, and the lines that stand beside them."""

    images: tuple[Grey, Grey]
    title: str
    lines: tuple[str, ...]


@typesetting.with_fonts
def draw(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    classes: Sequence[style.Class],
) -> None:
    """Draw at most `MOST_PAIRS` pairs, no two of one X-ray: first those of different labels, patients or sets.

    Parameters
    ----------
    inputs : mapping of str to Path
        The stages ``duplicates``, ``split`` and ``records``, and the folder ``data``.
    classes : sequence of mapping
        ``id`` and ``label`` of each class.

    Raises
    ------
    DataError
        An image is no longer the one that was read.
    """
    split = read_table(inputs["split"] / "split.csv")
    table = choose(read_table(inputs["duplicates"] / "pairs.csv"), split)
    sha256 = read_table(inputs["records"] / "records.csv").drop_duplicates("image_id").set_index("image_id")
    depth = read_depth(inputs["records"])
    labels = style.class_labels(classes)
    width = (style.FULL_WIDTH_MM + GUTTER) / BESIDE - GUTTER
    beside = (width - 2 * (CELL + SPACE) - 1) / typesetting.HINTED
    pairs = []
    for row in table.to_dict("records"):
        images = [
            read_image(inputs["data"], row[side], sha256.loc[row[side], "sha256"], depth) for side in SIDES
        ]
        lines = [line for side in SIDES for line in _describe(row, side, labels, beside)]
        pairs.append(Pair((images[0], images[1]), KINDS[row["kind"]], tuple(lines)))
    rows = -(-len(pairs) // BESIDE)
    written = max((len(pair.lines) + 1 for pair in pairs), default=0)
    block = max(CELL + BELOW, written * LINE + SPACE)
    height = max(1, rows) * block
    with style.page(height) as figure:
        sheet = style.add_sheet(figure)
        for k, pair in enumerate(pairs):
            line, column = divmod(k, BESIDE)
            corner = column * (width + GUTTER), height - line * block - CELL
            for place, pixels in enumerate(pair.images):
                ax = style.place(figure, corner[0] + place * (CELL + SPACE), corner[1], CELL, CELL)
                _show(ax, pixels)
            _write(sheet, pair, corner[0] + 2 * (CELL + SPACE) + 1, corner[1] + CELL)
        style.save(figure, out, table, describe(table, labels))
    embed_as_jpeg(out / "figure.svg")


def choose(pairs: pd.DataFrame, split: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs that are drawn, with the sets of their images, ``split_first`` and ``split_second``."""
    sets = split.drop_duplicates("image_id").set_index("image_id")["split"]
    table = pairs.assign(**{f"split_{side}": pairs[side].map(sets).fillna("") for side in SIDES})
    table["across_splits"] = (table["split_first"] != table["split_second"]).astype(int)
    ordered = table.astype(dict.fromkeys(ORDER, int)).sort_values(list(ORDER), ascending=False, kind="stable")
    columns = [
        "group",
        "kind",
        "score",
        *(f"{what}{side}" for side in SIDES for what in ("", "split_", "label_")),
    ]
    return ordered.drop_duplicates("group")[columns].head(MOST_PAIRS).reset_index(drop=True)


def _describe(row: Mapping[Any, Any], side: str, labels: Mapping[str, str], width: float) -> list[str]:
    """Return the lines on one image: its file, and its set and class."""
    name = typesetting.break_lines(elide(str(row[side]).rpartition("/")[2], 1.6 * width), width)
    of = [labels.get(label, label) for label in str(row[f"label_{side}"]).split("|")]
    what = ": ".join(filter(None, (style.SPLIT_NAMES.get(row[f"split_{side}"], ""), wording.join(of))))
    return [*name.split("\n")[:2], *class_labels.cut(what, width, MOST_LINES).split("\n")]


def elide(name: str, width: float) -> str:
    """Return a name that fits into ``width`` mm: of a longer one the ends, which tell it from others."""
    if text_mm(name) <= width:
        return name
    kept = len(name)
    while kept > 2 and text_mm(_ends(name, kept)) > width:
        kept -= 1
    return _ends(name, kept)


def _ends(name: str, kept: int) -> str:
    return f"{name[: kept - kept // 2]}{ELIDED}{name[len(name) - kept // 2 :]}"


def _show(ax: Axes, pixels: Grey) -> None:
    ax.imshow(shrink(pixels), cmap="gray", vmin=0, vmax=255, interpolation="none")
    ax.set(anchor="N", xticks=[], yticks=[])
    ax.spines[:].set_visible(False)


def _write(sheet: Axes, pair: Pair, left: float, top: float) -> None:
    sheet.text(left, top, pair.title, fontweight="semibold", size=typesetting.SMALL, va="top")
    for k, line in enumerate(pair.lines, start=1):
        sheet.text(left, top - k * LINE - 0.4, line, size=typesetting.SMALL, va="top")


def describe(table: pd.DataFrame, labels: Mapping[str, str]) -> str:
    """Return the figure in words: how many pairs, and of each its kind, sets and classes."""
    if table.empty:
        return "No two images are one X-ray."
    said = [
        f"{KINDS[row['kind']]}, {_side(row, 'first', labels)} and {_side(row, 'second', labels)}"
        for row in table.to_dict("records")
    ]
    return f"{len(table)} pairs of X-rays, each side by side: {'; '.join(said)}."


def _side(row: Mapping[Any, Any], side: str, labels: Mapping[str, str]) -> str:
    of = [labels.get(label, label) for label in str(row[f"label_{side}"]).split("|")]
    return f"{wording.join(of)} ({style.SPLIT_NAMES.get(row[f'split_{side}'], 'in no set')})"
