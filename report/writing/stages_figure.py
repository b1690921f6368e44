"""The figure of the stages in the report's appendix: which kind of stage reads which, from the top down."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from report.document.graph_layout import GAP_Y, Box, Layout, Point, arrange, draw_path, drop_indirect
from report.writing.values import listed

if TYPE_CHECKING:
    from analysis.progress import Progress

LETTER, PADDING, HEIGHT, BETWEEN = 5.7, 6.0, 18.0, 17.0
SIZE = 10.0
"""The size of type in px where the figure is no wider than a page: 7.5 pt."""
SMALLEST = 9.4
"""The size that it has at least on paper, in px: 7 pt."""
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
    """Write ``figure.svg``, its table and its facts: the kinds of stages, each below those that it reads.

    Parameters
    ----------
    kinds : sequence of mapping
        ``kind``, how ``many`` stages there are of it, what they ``run`` and which kinds they ``read``; each kind
        after those that it reads.
    """
    needs = {str(k["kind"]): set(k["read"]) for k in kinds}
    for size in (
        SIZE,
        SIZE * 1.25,
        SIZE * 1.6,
        SIZE * 2.2,
    ):  # a wide figure is scaled down, and its type is not
        sizes = {str(k["kind"]): (_measure_width(k, size), HEIGHT * size / SIZE) for k in kinds}
        placed = _close_rows(arrange(drop_indirect(needs), sizes), HEIGHT * size / SIZE)
        scale = min(1.0, WIDEST_MM / ((placed.width + 2) * PX_TO_MM))
        if size * scale >= SMALLEST:
            break
    width, height = (side * PX_TO_MM * scale for side in (placed.width + 2, placed.height + 2))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.1f}mm" height="{height:.1f}mm"'
        f' viewBox="-1 -1 {placed.width + 2:g} {placed.height + 2:g}" font-family="IBM Plex Sans">',
        '<defs><marker id="stages-tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7"'
        f' orient="auto"><path d="M0 0L8 4L0 8z" fill="{QUIET}"/></marker></defs>',
        *(_draw_arrow(points) for _, points in sorted(placed.arrows.items())),
        *(part for k in kinds for part in _draw_box(placed.boxes[str(k["kind"])], k, size)),
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


def _close_rows(down: Layout, row: float) -> Layout:
    """Return a layout whose rows, ``row`` high, are closer together."""

    def close(point: Point) -> Point:
        number, rest = divmod(point[1], row + GAP_Y)
        beyond = max(0.0, rest - row) * BETWEEN / GAP_Y
        return point[0], round(number * (row + BETWEEN) + min(rest, row) + beyond, 1)

    boxes = {name: Box(*close((b.x, b.y)), b.width, b.height) for name, b in down.boxes.items()}
    arrows = {ends: [close(point) for point in points] for ends, points in down.arrows.items()}
    return Layout(boxes, arrows, down.width, max(b.y + b.height for b in boxes.values()))


def _count_stages(kind: Mapping[str, Any]) -> str:
    return f"{kind['many']} stage{'s' if kind['many'] > 1 else ''}"


def _measure_width(kind: Mapping[str, Any], size: float) -> float:
    letters = len(str(kind["kind"])) + len(_count_stages(kind)) + 2
    return (letters * LETTER + 2 * PADDING) * size / SIZE


def _draw_box(box: Box, kind: Mapping[str, Any], size: float) -> Iterator[str]:
    yield (
        f'<rect x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" height="{box.height:g}" rx="3" fill="{FILL}"'
        f' stroke="{QUIET}" stroke-width="0.8"/>'
    )
    x, y = box.x + box.width / 2, box.y + box.height / 2 + 0.35 * size
    yield (
        f'<text x="{x:g}" y="{y:g}" text-anchor="middle" font-size="{size:g}" fill="{INK}">'
        f'<tspan font-weight="600">{escape(str(kind["kind"]))}</tspan>, {_count_stages(kind)}</text>'
    )


def _draw_arrow(points: Sequence[Point]) -> str:
    return (
        f'<path d="{draw_path(points)}" fill="none" stroke="{QUIET}" stroke-width="0.9"'
        ' marker-end="url(#stages-tip)"/>'
    )
