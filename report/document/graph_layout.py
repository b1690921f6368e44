"""Places the boxes of a graph in rows, so that arrows lead down and cross little."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

GAP_X, GAP_Y, LANE = 28.0, 44.0, 14.0
SWEEPS = 12

Point = tuple[float, float]
Sizes = Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class Box:
    """Where a node lies: its upper left corner, width and height."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Layout:
    """Boxes by node, the points that each arrow goes through, and the size of it all.

    Arrows are upright from an even point to the next, and go from one row to the next after an odd one.
    """

    boxes: Mapping[str, Box]
    arrows: Mapping[tuple[str, str], Sequence[Point]]
    width: float
    height: float


def draw_path(points: Sequence[Point]) -> str:
    """Return the SVG path of an arrow: upright within a row and curved between rows."""
    words = f"M{points[0][0]:g} {points[0][1]:g}"
    for i, ((x0, y0), (x1, y1)) in enumerate(pairwise(points)):
        bend = (y0 + y1) / 2
        words += f"C{x0:g} {bend:g} {x1:g} {bend:g} {x1:g} {y1:g}" if i % 2 else f"L{x1:g} {y1:g}"
    return words


def drop_indirect(needs: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Return ``needs`` without those that another need has already, itself or by its own needs.

    ``needs`` has each node after those that it needs.
    """
    above: dict[str, set[str]] = {}
    for node, before in needs.items():
        above[node] = before.union(*(above[name] for name in before))
    return {
        node: {name for name in before if not any(name in above[other] for other in before)}
        for node, before in needs.items()
    }


def assign_levels(needs: Mapping[str, set[str]]) -> dict[str, int]:
    """Return the row of each node: the length of the longest way to it; what needs nothing is above its reader."""
    level: dict[str, int] = {}
    for node, before in needs.items():
        level[node] = max((level[name] + 1 for name in before), default=0)
    for node, before in needs.items():
        readers = [level[other] for other, theirs in needs.items() if node in theirs]
        if readers and not before:
            level[node] = min(readers) - 1
    return level


def arrange(needs: Mapping[str, set[str]], sizes: Sizes) -> Layout:
    """Return where to draw the nodes, and the ways of the arrows.

    An arrow over several rows gets a lane of its own through those between, so that it meets no box.

    Parameters
    ----------
    needs : mapping of str to set of str
        For each node those from which an arrow leads to it; each node after those that it needs.
    sizes : mapping of str to (float, float)
        Width and height of each node in px.
    """
    level = assign_levels(needs)
    rows: list[list[str]] = [[] for _ in range(max(level.values(), default=-1) + 1)]
    for node in needs:
        rows[level[node]].append(node)
    widths = {node: width for node, (width, _) in sizes.items()}
    chains: dict[tuple[str, str], list[str]] = {}
    for node, before in needs.items():
        for name in sorted(before):
            between = range(level[name] + 1, level[node])
            lanes = {row: f"{name} > {node} in row {row}" for row in between}
            for row, lane in lanes.items():
                rows[row].append(lane)
                widths[lane] = LANE - GAP_X
            chains[name, node] = [name, *lanes.values(), node]
    return _place_boxes(rows, chains, sizes, _find_middles(rows, _find_neighbours(chains), widths))


def _find_neighbours(chains: Mapping[tuple[str, str], list[str]]) -> dict[str, list[str]]:
    links: dict[str, list[str]] = {}
    for chain in chains.values():
        for upper, lower in pairwise(chain):
            links.setdefault(upper, []).append(lower)
            links.setdefault(lower, []).append(upper)
    return links


def _find_middles(
    rows: list[list[str]], links: Mapping[str, list[str]], widths: Mapping[str, float]
) -> dict[str, float]:
    """Order the nodes of each row by the middles of their neighbours, and return the middle of each node."""
    middle = {node: float(i) for row in rows for i, node in enumerate(row)}
    for sweep in range(SWEEPS):
        for row in rows if sweep % 2 == 0 else reversed(rows):
            near = {node: [middle[other] for other in links.get(node, [node])] for node in row}
            wished = {node: sum(places) / len(places) for node, places in near.items()}
            row.sort(key=lambda node: (wished[node], middle[node]))
            middle.update(_spread_row(row, wished, widths))
    return middle


def _spread_row(
    row: Sequence[str], wished: Mapping[str, float], widths: Mapping[str, float]
) -> dict[str, float]:
    """Return middles as near to the wished ones as can be (least squares), in order and without overlap."""
    offsets: list[float] = []
    blocks: list[tuple[float, int]] = []
    for i, node in enumerate(row):
        apart = (widths[row[i - 1]] + widths[node]) / 2 + GAP_X if i else 0.0
        offsets.append(offsets[-1] + apart if i else 0.0)
        blocks.append((wished[node] - offsets[i], 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:  # they would overlap: move as one
            (a, m), (b, n) = blocks.pop(), blocks.pop()
            blocks.append(((a * m + b * n) / (m + n), m + n))
    places = [place for place, count in blocks for _ in range(count)]
    return {node: places[i] + offsets[i] for i, node in enumerate(row)}


def _place_boxes(
    rows: list[list[str]],
    chains: Mapping[tuple[str, str], Sequence[str]],
    sizes: Sizes,
    middle: Mapping[str, float],
) -> Layout:
    """Return the layout with its upper left corner at 0, 0."""
    left = min((middle[node] - size[0] / 2 for node, size in sizes.items()), default=0.0)
    boxes: dict[str, Box] = {}
    ways: dict[str, list[Point]] = {}
    y = 0.0
    for row in rows:
        height = max(sizes[node][1] for node in row if node in sizes)
        for node in row:
            x = round(middle[node] - left, 1)
            if node in sizes:
                boxes[node] = Box(round(x - sizes[node][0] / 2, 1), y, *sizes[node])
            ways[node] = [(x, y), (x, y + sizes.get(node, (0.0, 0.0))[1]), (x, y + height)]
        y += height + GAP_Y
    arrows = {
        (first, last): [*ways[first][1:], *(p for lane in lanes for p in ways[lane][::2]), ways[last][0]]
        for (first, last), (_, *lanes, _) in chains.items()
    }
    right = max((box.x + box.width for box in boxes.values()), default=0.0)
    return Layout(boxes, arrows, round(right, 1), max(y - GAP_Y, 0.0))
