"""The figure of the stages in the report's appendix: which kind of stage reads which."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from report.document.graph_layout import GAP_Y, Box, Layout, Point, arrange, drop_indirect
from report.writing.values import listed

if TYPE_CHECKING:
    from analysis.progress import Progress

LETTER, PADDING, HEIGHT, BETWEEN = 5.7, 6.0, 32.0, 24.0
INK, QUIET, FILL = "#1a1a1a", "#5f6670", "#eef1f4"
PX_TO_MM = 0.2645833
WIDEST_MM = 160.0


def draw(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    kinds: Sequence[Mapping[str, Any]],
) -> None:
    """Write ``figure.svg``, its table and its facts: the kinds of stages, each to the right of those that it reads.

    Parameters
    ----------
    kinds : sequence of mapping
        ``kind``, how ``many`` stages there are of it, what they ``run`` and which kinds they ``read``; each kind
        after those that it reads.
    """
    needs = {str(k["kind"]): set(k["read"]) for k in kinds}
    column = max(_measure_width(k) for k in kinds)
    placed = _turn_sideways(arrange(drop_indirect(needs), dict.fromkeys(needs, (HEIGHT, column))), column)
    scale = min(1.0, WIDEST_MM / ((placed.width + 2) * PX_TO_MM))
    width, height = (side * PX_TO_MM * scale for side in (placed.width + 2, placed.height + 2))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.1f}mm" height="{height:.1f}mm"'
        f' viewBox="-1 -1 {placed.width + 2:g} {placed.height + 2:g}" font-family="IBM Plex Sans">',
        '<defs><marker id="stages-tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7"'
        f' orient="auto"><path d="M0 0L8 4L0 8z" fill="{QUIET}"/></marker></defs>',
        *(_draw_arrow(points) for _, points in sorted(placed.arrows.items())),
        *(part for k in kinds for part in _draw_box(placed.boxes[str(k["kind"])], k)),
        "</svg>",
    ]
    (out / "figure.svg").write_text("\n".join(parts) + "\n", encoding="utf-8")
    with (out / "figure.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["kind", "stages", "runs", "reads"])
        rows.writerows([k["kind"], k["many"], " ".join(k["run"]), " ".join(k["read"])] for k in kinds)
    facts = {"alt": describe(kinds), "width_mm": round(width, 1)}
    (out / "figure.json").write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    progress(1, 1, "figures")


def describe(kinds: Sequence[Mapping[str, Any]]) -> str:
    """Return the figure in words: what each kind of stage reads."""
    return " ".join(f"{k['kind'].capitalize()} reads {listed(list(k['read']))}." for k in kinds if k["read"])


def _turn_sideways(down: Layout, column: float) -> Layout:
    """Return a layout of rows ``column`` high as one of columns, these closer together."""

    def turn(point: Point) -> Point:
        row, rest = divmod(point[1], column + GAP_Y)
        beyond = max(0.0, rest - column) * BETWEEN / GAP_Y
        return round(row * (column + BETWEEN) + min(rest, column) + beyond, 1), point[0]

    boxes = {name: Box(*turn((b.x, b.y)), b.height, b.width) for name, b in down.boxes.items()}
    arrows = {ends: [turn(point) for point in points] for ends, points in down.arrows.items()}
    return Layout(boxes, arrows, max(b.x + b.width for b in boxes.values()), down.width)


def _count_stages(kind: Mapping[str, Any]) -> str:
    return f"{kind['many']} stage{'s' if kind['many'] > 1 else ''}"


def _measure_width(kind: Mapping[str, Any]) -> float:
    return max(len(str(kind["kind"])) + 1, len(_count_stages(kind))) * LETTER + 2 * PADDING


def _draw_box(box: Box, kind: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f'<rect x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" height="{box.height:g}" rx="3" fill="{FILL}"'
        f' stroke="{QUIET}" stroke-width="0.8"/>'
    )
    middle = box.x + box.width / 2
    for y, size, weight, words in ((13.5, 10, 600, kind["kind"]), (25.5, 9.3, 400, _count_stages(kind))):
        yield (
            f'<text x="{middle:g}" y="{box.y + y:g}" text-anchor="middle" font-size="{size}"'
            f' font-weight="{weight}" fill="{INK}">{escape(str(words))}</text>'
        )


def _draw_arrow(points: Sequence[Point]) -> str:
    """Return an arrow: level within a column and curved between columns."""
    words = f"M{points[0][0]:g} {points[0][1]:g}"
    for i, ((x0, y0), (x1, y1)) in enumerate(pairwise(points)):
        bend = (x0 + x1) / 2
        words += f"C{bend:g} {y0:g} {bend:g} {y1:g} {x1:g} {y1:g}" if i % 2 else f"L{x1:g} {y1:g}"
    return (
        f'<path d="{words}" fill="none" stroke="{QUIET}" stroke-width="0.9" marker-end="url(#stages-tip)"/>'
    )
