"""Draws the stages of a plan: state, time, and where and when each result was made."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from report.document.graph_layout import Box, Point, arrange, draw_path, drop_indirect
from report.engine.stage import kind_of
from report.terminal.quantities import format_duration

if TYPE_CHECKING:
    from report.engine.stage import Json
    from report.engine.status import StageStatus
    from report.engine.store import Record
    from report.workspace.plan import Plan

FONT = "'IBM Plex Sans', 'Helvetica Neue', Arial, sans-serif"
INK, MUTED, LINE = "#1f2328", "#59636e", "#8c959f"
COLOURS = {
    "fresh": ("#e3f3e9", "#1a7f4b"),
    "stale": ("#fde8d8", "#b3541e"),
    "waiting": ("#e4edfb", "#3a63ab"),
    "missing": ("#f1f1f3", "#6b6f76"),
}
DASHES = {"waiting": "6 3", "missing": "2 3"}
MEANINGS = {
    "fresh": "its result is there",
    "stale": "it would run",
    "waiting": "it runs if what it reads comes out different",
    "missing": "it never ran",
}
GROUP, GROUPED = "figure", "figures"
GROUP_ROWS = 12
MARGIN, HEAD, PADDING, LINE_HEIGHT, ROW_HEIGHT = 24.0, 88.0, 10.0, 17.0, 22.0
LETTER, BOLD_LETTER = 7.2, 8.6
"""In px: more than a letter takes on average, at a size of 13, in any font that may stand in for ours."""


@dataclass(frozen=True)
class StageFacts:
    """What is drawn of a stage; ``more`` is shown when one points at it."""

    name: str
    needs: frozenset[str]
    state: str
    seconds: float | None
    origin: str
    more: str

    @property
    def words(self) -> str:
        """The state and the time that it took, or would take."""
        about = "took" if self.state == "fresh" else "about"
        return self.state + (f", {about} {format_duration(self.seconds)}" if self.seconds is not None else "")


def draw_plan(plan: Plan, today: date) -> str:
    """Return a drawing of the stages of ``plan`` as they are now."""
    return draw_stages(plan.name, list(gather_facts(plan, today)))


def gather_facts(plan: Plan, today: date) -> Iterator[StageFacts]:
    """Yield what is known of each stage, in the plan's order; nothing runs."""
    from report.engine.status import status
    from report.engine.store import Store
    from report.engine.system.machine import describe_host
    from report.pipeline.stages import PROGRAM

    store, here = Store(plan.cache), describe_host()
    latest = store.latest(plan.cache_name)
    statuses = status(plan.stages, plan.cache, PROGRAM, plan_name=plan.cache_name)
    for stage, found in zip(plan.stages, statuses, strict=True):
        record = store.find_record(found.key or "") or store.find_record(latest.get(stage.name, ""))
        origin = (
            f"{describe_place(record.host, here)}, {format_day(record.finished, today)}" if record else ""
        )
        more = _list_details(found, stage.function, record)
        yield StageFacts(stage.name, stage.needs, found.state, found.expected_seconds, origin, more)


def describe_place(there: Mapping[str, Json], here: Mapping[str, Json]) -> str:
    """Return in words whether a result comes from such a machine as this one: its bits may depend on that."""
    if there.get("device") != here["device"]:
        return f"on {there.get('device')}"
    if there.get("instructions") != here["instructions"]:
        return "other instruction set"
    alike = all(there.get(name) == here[name] for name in ("system", "processor"))
    return "here" if alike else "other machine"


def format_day(finished: str, today: date) -> str:
    """Return ``today`` or a date such as ``3 Nov 2026``, as the calendar is here."""
    when = datetime.fromisoformat(finished).astimezone().date()
    return "today" if when == today else f"{when.day} {when:%b %Y}"


def _list_details(found: StageStatus, function: str, record: Record | None) -> str:
    lines = [found.name, function, *found.reasons]
    if record:
        lines += [f"{name}: {value}" for name, value in sorted(record.host.items())]
        lines += [f"finished {record.finished}", f"key {record.key}"]
    return "\n".join(lines)


def draw_stages(title: str, found: Sequence[StageFacts]) -> str:
    """Return the SVG of some stages; ``found`` has each after those that it needs."""
    nodes = _group_figures(found)
    homes = {fact.name: node for node, members in nodes.items() for fact in members}
    needs = {
        node: {homes[name] for fact in members for name in fact.needs} for node, members in nodes.items()
    }
    placed = arrange(drop_indirect(needs), {node: _measure(members) for node, members in nodes.items()})
    width = max(placed.width, 1000.0) + 2 * MARGIN
    height = placed.height + HEAD + 2 * MARGIN
    parts = [
        *_draw_head(title, found, width, height),
        f'<g transform="translate({(width - placed.width) / 2:g} {MARGIN + HEAD:g})">',
        *(_draw_arrow(points) for _, points in sorted(placed.arrows.items())),
        *(part for node, members in nodes.items() for part in _draw_node(placed.boxes[node], members)),
        "</g>",
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _group_figures(found: Sequence[StageFacts]) -> dict[str, list[StageFacts]]:
    """Return the boxes and what is in each: all figures in one, at the place of the last."""
    last = max((i for i, fact in enumerate(found) if kind_of(fact.name) == GROUP), default=-1)
    figures = [fact for fact in found if kind_of(fact.name) == GROUP]
    names = {fact.name for fact in figures}
    apart = len(figures) < 2 or any(fact.needs & names for fact in found[:last])
    nodes: dict[str, list[StageFacts]] = {}
    for i, fact in enumerate(found):
        if apart or fact.name not in names:
            nodes[fact.name] = [fact]
        elif i == last:
            nodes[GROUPED] = figures
    return nodes


def _describe_cells(fact: StageFacts) -> list[str]:
    return [fact.name.removeprefix(f"{GROUP}."), fact.words, fact.origin]


def _measure_columns(members: Sequence[StageFacts]) -> list[float]:
    columns = zip(*map(_describe_cells, members), strict=True)
    return [max(map(len, column)) * LETTER + PADDING for column in columns]


def _measure(members: Sequence[StageFacts]) -> tuple[float, float]:
    if len(members) == 1:
        name, *others = map(len, _describe_cells(members[0]))
        width = max(name * BOLD_LETTER, *(letters * LETTER for letters in others))
        return width + 2 * PADDING, 3 * LINE_HEIGHT + PADDING
    columns = math.ceil(len(members) / GROUP_ROWS)
    rows = math.ceil(len(members) / columns)
    width = columns * (sum(_measure_columns(members)) + PADDING) + PADDING
    return width, LINE_HEIGHT + 2 * PADDING + rows * ROW_HEIGHT


def _draw_head(title: str, found: Sequence[StageFacts], width: float, height: float) -> Iterator[str]:
    counts = Counter(fact.state for fact in found)
    summary = ", ".join(f"{counts[state]} {state}" for state in COLOURS if counts[state])
    label = f"{title}: {len(found)} stages, {summary}"
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}"'
        f' viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(label)}"'
        f' font-family="{FONT}" font-size="13" fill="{INK}">'
    )
    yield (
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8"'
        f' orient="auto"><path d="M0 0L8 4L0 8z" fill="{LINE}"/></marker></defs>'
    )
    yield f'<rect width="{width:g}" height="{height:g}" fill="#fff"/>'
    yield _draw_text(MARGIN, MARGIN + 14, label, size=18, weight=600)
    x = MARGIN
    for state, meaning in MEANINGS.items():
        yield _draw_rectangle(Box(x, MARGIN + 30, 18, 14), state)
        words = f"{state}: {meaning}"
        yield _draw_text(x + 25, MARGIN + 42, words)
        x += 25 + len(words) * LETTER
    notes = (
        "here: made on this kind of machine. An arrow leads to a stage that reads the result;"
        " it is left out where others lead there too."
    )
    yield _draw_text(MARGIN, MARGIN + 64, notes, colour=MUTED)


def _draw_node(box: Box, members: Sequence[StageFacts]) -> Iterator[str]:
    if len(members) > 1:
        yield from _draw_group(box, members)
        return
    fact = members[0]
    yield f"<g><title>{escape(fact.more)}</title>"
    yield _draw_rectangle(box, fact.state)
    lines = [box.y + PADDING / 2 + LINE_HEIGHT * (i + 0.8) for i in range(3)]
    yield _draw_text(box.x + PADDING, lines[0], fact.name, weight=600)
    yield _draw_text(box.x + PADDING, lines[1], fact.words, colour=COLOURS[fact.state][1])
    yield _draw_text(box.x + PADDING, lines[2], fact.origin, size=12, colour=MUTED)
    yield "</g>"


def _draw_group(box: Box, members: Sequence[StageFacts]) -> Iterator[str]:
    yield (
        f'<rect x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" height="{box.height:g}" rx="6"'
        f' fill="#fff" stroke="{LINE}"/>'
    )
    yield _draw_text(box.x + PADDING, box.y + PADDING + 10, f"{len(members)} {GROUPED}", weight=600)
    widths = _measure_columns(members)
    rows = math.ceil(len(members) / math.ceil(len(members) / GROUP_ROWS))
    for i, fact in enumerate(members):
        x = box.x + PADDING + i // rows * (sum(widths) + PADDING)
        y = box.y + PADDING + LINE_HEIGHT + i % rows * ROW_HEIGHT
        yield f"<g><title>{escape(fact.more)}</title>"
        yield _draw_rectangle(Box(x, y, sum(widths), ROW_HEIGHT - 3), fact.state)
        colours = (INK, COLOURS[fact.state][1], MUTED)
        for words, width, colour in zip(_describe_cells(fact), widths, colours, strict=True):
            yield _draw_text(x + PADDING / 2, y + 14, words, colour=colour)
            x += width
        yield "</g>"


def _draw_rectangle(box: Box, state: str) -> str:
    fill, stroke = COLOURS[state]
    dashes = f' stroke-dasharray="{DASHES[state]}"' if state in DASHES else ""
    return (
        f'<rect x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" height="{box.height:g}" rx="4"'
        f' fill="{fill}" stroke="{stroke}"{dashes}/>'
    )


def _draw_text(
    x: float, y: float, words: str, *, size: int = 13, weight: int = 400, colour: str = INK
) -> str:
    return f'<text x="{x:g}" y="{y:g}" font-size="{size}" font-weight="{weight}" fill="{colour}">{escape(words)}</text>'


def _draw_arrow(points: Sequence[Point]) -> str:
    return f'<path d="{draw_path(points)}" fill="none" stroke="{LINE}" stroke-width="1.3" marker-end="url(#tip)"/>'
