"""What the first convolutions of a network make of one image: their channels, in grey."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.figures import style, typesetting
from analysis.figures.radiographs import embed_as_jpeg, shrink
from analysis.progress import Progress
from analysis.vocabulary.attention import LAYERS_TABLE

MOST = (32, 16, 16)
"""Channels shown of each layer, the first ones."""
ACROSS, GAP, MARGIN, TITLE = 8, 1.5, 0.5, 6.0
CELL = (style.FULL_WIDTH_MM - 2 * MARGIN + GAP) / ACROSS - GAP


@typesetting.with_fonts
def draw(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    classes: Sequence[style.Class],
    title: str,
) -> None:
    """Draw the image, and of each layer its channels, each from its lowest value (black) to its highest (white).

    Parameters
    ----------
    inputs : mapping of str to Path
        The stage ``activations``.
    classes : sequence of mapping
        ``id`` and ``label`` of each class.
    title : str
        The network's.
    """
    folder = inputs["activations"]
    table = pd.read_csv(folder / LAYERS_TABLE)
    maps = [np.load(folder / f"layer_{k}.npy") for k in range(len(table))]
    table["shown"] = [min(most, len(found)) for most, found in zip(MOST, maps, strict=False)]
    rows = [-(-shown // ACROSS) for shown in table["shown"]]
    top = CELL + sum(TITLE + n * (CELL + GAP) for n in rows) + MARGIN
    with style.page(top) as figure:
        sheet = style.add_sheet(figure)
        _show(figure, np.load(folder / "image.npy"), MARGIN, top)
        if len(table):
            label = style.class_labels(classes)[table["y_true"].iloc[0]]
            sheet.text(MARGIN + CELL + 2, top - CELL / 2, f"Test image, true class: {label}", va="center")
        top -= CELL
        for k, (n, found) in enumerate(zip(table["shown"], maps, strict=True)):
            sheet.text(MARGIN, top - TITLE / 2, _describe_layer(k, found, n), va="center")
            for i, channel in enumerate(found[:n]):
                row, column = divmod(i, ACROSS)
                _show(figure, channel, MARGIN + column * (CELL + GAP), top - TITLE - row * (CELL + GAP))
            top -= TITLE + rows[k] * (CELL + GAP)
            progress(k + 1, len(table), "layers")
        style.save(figure, out, table, describe(table, title))
    embed_as_jpeg(out / "figure.svg")


def _show(figure: Any, pixels: Any, left: float, top: float) -> None:
    ax = style.place(figure, left, top - CELL, CELL, CELL)
    ax.imshow(shrink(pixels), cmap="gray", vmin=0, vmax=255, interpolation="none")
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)


def _describe_layer(k: int, maps: Any, shown: int) -> str:
    channels, height, width = maps.shape
    part = "" if shown == channels else f", the first {shown} of"
    return f"Convolution {k + 1}{part or ':'} {channels} channels of {height} × {width}"


def describe(table: pd.DataFrame, title: str) -> str:
    """Return the figure in words: how many channels of which layers."""
    if table.empty:
        return f"A test image; the {title} has no convolution."
    layers = [
        f"{shown} of {channels} of convolution {k + 1}"
        for k, (shown, channels) in enumerate(zip(table["shown"], table["channels"], strict=True))
    ]
    return f"One test image and the channels that the {title} makes of it: {', '.join(layers)}."
