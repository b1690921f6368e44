"""From the files that were found to the images of each split, as a flow diagram."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from analysis.figures import flow_counts, style, typesetting, wording
from analysis.figures.flow_counts import Flow, Track
from analysis.progress import Progress

LINE, PAD, GAP = 3.4, 1.3, 4.2
SIDE, BETWEEN = 41.0, 3.5
"""How wide what is left out stands beside the boxes, and how far from them."""
MIDDLE = style.FULL_WIDTH_MM / 2
HALF = MIDDLE - SIDE - BETWEEN - 0.5
"""How far the boxes reach from the middle to either side."""
EDGE: dict[str, Any] = {"color": style.QUIET, "linewidth": 0.7, "solid_capstyle": "butt"}
HEAD, PAIRS = "excluded", "image–class pairs"


@dataclass(frozen=True)
class Box:
    """A box of the way down: between ``left`` and ``right``, how many of what it has, what is left out, and where that stands."""

    left: float
    right: float
    number: int
    name: str
    left_out: Mapping[str, int]
    beside: float

    @property
    def lines(self) -> list[str]:
        """What is left out, on the lines of the list beside the box."""
        texts = [f"{reason}: {n:,}" for reason, n in self.left_out.items()]
        broken = [typesetting.break_lines(text, SIDE - 1).split("\n") for text in texts]
        return [f"{HEAD}:", *(line for text in broken for line in text)] if texts else []

    @property
    def height(self) -> float:
        """How high the box is, which has its number above its name."""
        return 2 * LINE + 2 * PAD

    @property
    def room(self) -> float:
        """How high the box is with the list beside it."""
        return max(self.height, LINE * len(self.lines))


@typesetting.with_fonts
def draw(inputs: Mapping[str, Path], out: Path, *, scratch: Path, progress: Progress) -> None:
    """Draw what was found, beside it what is left out and why, below it what is kept and the splits.

    Parameters
    ----------
    inputs : mapping of str to Path
        The stages ``records`` (``flow.csv`` and ``excluded.csv``) and ``split``.
    """
    split = pd.read_csv(inputs["split"] / "split.csv", usecols=["split"])["split"]
    flow = flow_counts.count(inputs["records"], split, flow_counts.count_repeated(inputs["split"]))
    levels = _levels(flow)
    note = [
        line
        for gap in flow.gaps
        for line in typesetting.break_lines(gap, style.FULL_WIDTH_MM - 2).split("\n")
    ]
    height = sum(max(box.room for box in level) for level in levels) + GAP * (len(levels) - 1) + 1
    height += (LINE * len(note) + 2) if note else 0
    with style.page(height) as figure:
        _draw_levels(style.add_sheet(figure), levels, height - 0.5, note)
        style.save(figure, out, flow.table(), describe(flow))


def _levels(flow: Flow) -> list[list[Box]]:
    """Return the boxes from the top down: found, those of both kinds where some are left out, kept, the splits."""
    left, right = MIDDLE - HALF, MIDDLE + HALF
    out_right = right + BETWEEN
    middle = (left + 10, right - 10)
    levels = [_found(flow)]
    if flow.labels and flow.left_out:
        levels.append([Box(*middle, flow.images.rest, _annotated(flow), flow.left_out, out_right)])
    several = flow.rows != flow.kept
    if flow.labels or flow.images.left_out or (flow.repeated and not several):
        levels.append([Box(*middle, flow.kept, "images kept", {} if several else flow.repeated, out_right)])
    if several:
        levels.append([Box(*middle, flow.rows, PAIRS, flow.repeated, out_right)])
    width = (2 * HALF - 2 * GAP) / 3
    levels.append(
        [
            Box(x := left + k * (width + GAP), x + width, n, f"{style.SPLIT_NAMES[s]} set", {}, out_right)
            for k, (s, n) in enumerate(flow.splits.items())
        ]
    )
    return levels


def _found(flow: Flow) -> list[Box]:
    """Return what was found: annotations on the left, images on the right, with no annotations in the middle."""
    left, right = MIDDLE - HALF, MIDDLE + HALF
    if not flow.labels:
        track = flow.images
        return [Box(left + 10, right - 10, track.found, track.name, track.left_out, right + BETWEEN)]
    labels, images = flow.labels, flow.images
    return [
        Box(left, MIDDLE - GAP / 2, labels.found, _called(labels), labels.left_out, 0.5),
        Box(MIDDLE + GAP / 2, right, images.found, _called(images), images.left_out, right + BETWEEN),
    ]


def _annotated(flow: Flow) -> str:
    """Return what images are called that have an annotation, or a row of a table."""
    one = flow_counts.unit(flow.labels).removesuffix("s") if flow.labels else ""
    return f"images with {'an' if one[:1] in 'aeiou' else 'a'} {one}"


def _called(track: Track) -> str:
    """Return what a track counts, where: ``annotations found``, ``rows of the table``."""
    return track.name


def _draw_levels(sheet: Axes, levels: Sequence[Sequence[Box]], top: float, note: Sequence[str]) -> None:
    above: list[tuple[float, float]] = []
    for level in levels:
        room = max(box.room for box in level)
        below = [(_centre(box), _draw_box(sheet, box, top, room)) for box in level]
        tops = [(_centre(box), top - (room - box.height) / 2) for box in level]
        _join(sheet, above, tops)
        above, top = below, top - room - GAP
    for k, line in enumerate(note):
        sheet.text(MIDDLE, top + GAP - 2 - k * LINE, line, ha="center", va="top", size=typesetting.SMALL)


def _centre(box: Box) -> float:
    return (box.left + box.right) / 2


def _draw_box(sheet: Axes, box: Box, top: float, room: float) -> float:
    """Draw a box in the middle of ``room`` mm below ``top``, and what is left out; return where its lower edge is."""
    y, middle = top - (room + box.height) / 2, top - room / 2
    face: dict[str, Any] = {"facecolor": "white", "edgecolor": style.QUIET, "linewidth": 0.7}
    sheet.add_patch(Rectangle((box.left, y), box.right - box.left, box.height, **face))
    x = _centre(box)
    sheet.text(
        x, middle + LINE / 2, f"{box.number:,}", ha="center", va="center_baseline", fontweight="semibold"
    )
    sheet.text(x, middle - LINE / 2, box.name, ha="center", va="center_baseline")
    if box.lines:
        at_left = box.beside < box.left
        edge, start = (box.left, box.beside + SIDE) if at_left else (box.right, box.beside - 1)
        sheet.plot([edge, start], [middle, middle], **EDGE)
        first = middle + LINE * (len(box.lines) - 1) / 2
        for k, line in enumerate(box.lines):
            place = (box.beside + SIDE - 1, "right") if at_left else (box.beside, "left")
            colour = style.QUIET if k == 0 else style.INK
            sheet.text(
                place[0],
                first - k * LINE,
                line,
                ha=place[1],
                va="center_baseline",
                size=typesetting.SMALL,
                color=colour,
            )
    return y


def _join(sheet: Axes, above: Sequence[tuple[float, float]], below: Sequence[tuple[float, float]]) -> None:
    """Draw the way from the boxes above to those below, each given by the middle of its edge."""
    if not above:
        return
    landing = max(y for _, y in below)
    bar = landing + GAP / 2
    for x, y in above:
        sheet.plot([x, x], [y, bar], **EDGE)
    ends = [x for x, _ in (*above, *below)]
    sheet.plot([min(ends), max(ends)], [bar, bar], **EDGE)
    for x, y in below:
        arrow = {
            "arrowstyle": "-|>,head_length=0.3,head_width=0.15",
            "color": style.QUIET,
            "linewidth": 0.7,
            "shrinkA": 0,
            "shrinkB": 0,
        }
        sheet.annotate("", (x, y), (x, bar), arrowprops=arrow)


def describe(flow: Flow) -> str:
    """Return the figure in words: what was found, left out and kept."""
    tracks = [_in_words(track) for track in (flow.labels, flow.images) if track]
    both = f"; of {_annotated(flow)} excluded: {_reasons(flow.left_out)}" if flow.left_out else ""
    splits = wording.join([f"{style.SPLIT_NAMES[s]} {n:,}" for s, n in flow.splits.items()])
    pairs = "" if flow.rows == flow.kept else f", {flow.rows:,} {PAIRS}"
    twice = f", excluded from all sets: {_reasons(flow.repeated)}" if flow.repeated else ""
    gaps = "".join(f"; {gap[0].lower()}{gap[1:].rstrip('.')}" for gap in flow.gaps)
    return f"{'; '.join(tracks)}{both}. {flow.kept:,} images kept{pairs}{twice}: {splits}{gaps}."


def _in_words(track: Track) -> str:
    left = f", excluded: {_reasons(track.left_out)}" if track.left_out else ""
    return f"{track.found:,} {_called(track)}{left}"


def _reasons(left_out: Mapping[str, int]) -> str:
    return wording.join([f"{reason} {n:,}" for reason, n in left_out.items()])
