"""Images in rows, each with captions below it: how large they are, and how they are drawn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from matplotlib.figure import Figure

from analysis.datasets.images.decode import Grey
from analysis.figures import style, typesetting
from analysis.figures.radiographs import shrink

ACROSS = 6
GAP, LINE, MARGIN = 3.0, 3.2, 0.5  # mm
CELL = (style.FULL_WIDTH_MM - 2 * MARGIN + GAP) / ACROSS - GAP
LONGEST = CELL / typesetting.HINTED  # a line of a caption
Caption: TypeAlias = tuple[str, bool]
"""A text, and whether it is emphasised."""


def break_caption(text: str, *, strong: bool) -> Caption:
    """Return a caption on lines as wide as an image."""
    weight = "semibold" if strong else "normal"
    return typesetting.break_lines(text, LONGEST, typesetting.SMALL, weight), strong


def row_mm(captions: Iterable[Sequence[Caption]]) -> float:
    """Return how high a row of images is with the captions of each."""
    lines = max(sum(text.count("\n") + 1 for text, _ in mine) for mine in captions)
    return CELL + LINE * (lines + 1) + GAP


def draw_image(figure: Figure, pixels: Grey, captions: Sequence[Caption], column: int, top: float) -> None:
    """Draw an image in its true proportions, its cell ``top`` mm high, and its captions below."""
    left = MARGIN + column * (CELL + GAP)
    ax = style.place(figure, left, top - CELL, CELL, CELL)
    ax.imshow(shrink(pixels), cmap="gray", vmin=0, vmax=255, interpolation="none")
    ax.set(anchor="S", xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    width, height = (float(inches) / typesetting.MM for inches in figure.get_size_inches())
    y = top - CELL - LINE
    for text, strong in captions:
        weight, colour = ("semibold", style.INK) if strong else ("normal", style.QUIET)
        for line in text.split("\n"):
            figure.text(
                left / width, y / height, line, fontsize=typesetting.SMALL, fontweight=weight, color=colour
            )
            y -= LINE
