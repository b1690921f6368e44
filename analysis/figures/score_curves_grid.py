"""Where the panels of `score_curves_of_models` stand: one line of them for each split, or several of small ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from analysis.figures import class_labels, style, typesetting

LEFT, RIGHT, GAP, MAX_SIDE = 13.0, 2.0, 5.0, 48.0
HEADING, TITLE_LINE, VALUE_LINE, SPACE = 6.0, 3.6, 3.4, 5.0
BETWEEN, LABEL_LINE = 3.0, 3.0
LARGE_ENOUGH, SMALL_SIDE = 18.0, 13.0  # mm: the least side of panels in one line, and in several
FLAT = 0.65
"""How high panels in one line are, as a share of their width, where several splits stand below one another."""


@dataclass(frozen=True)
class Grid:
    """Where the panels of a split stand: ``across`` in a line, ``side`` wide and ``high``; their labels; all in mm.

    ``values``: how high the areas above a panel are, 0 where there is no room for them. ``key``: the key of the
    labels, 0 where they are not cut.
    """

    across: int
    lines: int
    side: float
    high: float
    pitch: float
    labels: Sequence[str]
    above: float
    values: float
    size: float
    key: float

    @property
    def first(self) -> float:
        """How high the heading and the first line of panels are."""
        return HEADING + self.above + self.values + 1.5 + self.high

    @property
    def row(self) -> float:
        """How far a line of panels is below the line before."""
        return self.first - HEADING + BETWEEN

    @property
    def block(self) -> float:
        """How far a split is below the split before."""
        return self.first + (self.lines - 1) * self.row + SPACE


def arrange(classes: Sequence[style.Class], splits: int, values: Callable[[float], int], room: float) -> Grid:
    """Return one line of panels where they are large enough, else the lines that make them largest in ``room`` mm.

    ``values``: on how many lines the areas of a panel stand, by how far panels are apart in mm.
    """
    side, pitch = style.column_widths(len(classes), LEFT, RIGHT, GAP, MAX_SIDE)
    labels = [
        typesetting.break_lines(c["label"], (side + 1) / typesetting.HINTED, typesetting.BASE)
        for c in classes
    ]
    above = TITLE_LINE * max(label.count("\n") + 1 for label in labels)
    line = Grid(
        len(classes), 1, side, side, pitch, labels, above, VALUE_LINE * values(pitch), typesetting.BASE, 0.0
    )
    if splits > 1:
        line = replace(line, high=FLAT * side)
    if side >= LARGE_ENOUGH and splits * line.block - SPACE <= room:
        return line
    tries = [
        _lines(classes, splits, (across, cut), lines, room)
        for cut in (False, True)
        for lines in (values, lambda _: 0)
        for across in range(3, 9)
    ]
    enough = (grid for grid in tries if grid.side >= SMALL_SIDE)
    # Labels in full are worth more than areas, and both more than size.
    first = next(enough, max(tries, key=lambda grid: grid.side))
    alike = [g for g in tries if bool(g.values) == bool(first.values) and bool(g.key) == bool(first.key)]
    return max(alike, key=lambda grid: grid.side)


def _lines(
    classes: Sequence[style.Class],
    splits: int,
    grid: tuple[int, bool],
    values: Callable[[float], int],
    room: float,
) -> Grid:
    """Return the panels as large as they can be with so many across, their labels cut to one line or not."""
    across, cut = grid
    lines = -(-len(classes) // across)
    wide = (style.FULL_WIDTH_MM - LEFT - RIGHT + GAP) / across - GAP
    widest = (wide + 1) / typesetting.HINTED
    labels: Sequence[str] = [typesetting.break_lines(c["label"], widest) for c in classes]
    if cut:
        labels = class_labels.number_and_cut(classes, widest, 1)
    above = LABEL_LINE * max(label.count("\n") + 1 for label in labels) + 0.6
    key = class_labels.key_mm(classes) if cut else 0.0
    heading = VALUE_LINE * values(wide + GAP)
    flat = Grid(across, lines, 0.0, 0.0, wide + GAP, labels, above, heading, typesetting.SMALL, key)
    high = (room - key + SPACE - splits * flat.block) / (splits * lines)
    side = min(wide, high, MAX_SIDE)
    return replace(flat, side=side, high=side)
