"""Figures and tables that float: the text moves up past one that does not fit on the rest of its page.

WeasyPrint breaks the page before such a figure and leaves the rest empty. So all blocks are measured on one endless
page, put on pages one after another as a compositor would, and each figure is moved in the tree to where it came to
stand: behind its place in the source, on the first page with room for it, and within its chapter unless that left
much of a page empty. Where more waits at a chapter's end than two pages hold, it is all set there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, takewhile
from math import inf
from xml.etree.ElementTree import Element

HEADINGS = {"h2", "h3", "h4", "h5"}
WHOLE = {"pre", "callout", "layout"}
LINE = 14.8 * 96 / 72
"""Height of a line of text in px, as ``pdf.css`` has it."""
MUCH = 0.25
"""The share of a page from which on it is filled with the next chapter rather than left empty before a figure."""
FAR = 2
"""Pages of figures that may wait for the next chapter: more would stand too far from what speaks of them."""
KEPT = 2
"""Lines of a paragraph that stay together on each side of a page break, as ``pdf.css`` has it."""
MARK = "block-"
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Block:
    """A heading, paragraph, figure or table: what it is, its height, and the space above it in px."""

    element: Element
    kind: str
    height: float
    above: float

    @property
    def floats(self) -> bool:
        """Whether text may move up past it."""
        return self.kind in {"figure", "table"}

    @property
    def least(self) -> float:
        """How much of it has to fit on a page for it to begin there."""
        return KEPT * LINE if self.kind == "text" else self.height


@dataclass
class Page:
    """The page that is being filled: its height and how much of it is used, in px, and the last block on it."""

    height: float
    used: float
    last: Block | None = None

    def room(self, block: Block) -> float:
        """Return how much space is left for ``block``."""
        if self.used == 0:
            return self.height
        below = self.last.above if self.last and self.last.floats else 0.0
        return self.height - self.used - max(block.above, below)

    def put(self, block: Block, tail: float = 0.0) -> None:
        """Set ``block``, and on pages to come what does not fit here with the ``tail`` that stays with its end."""
        room, rest = self.room(block), block.height
        if room < min(block.least + (tail if block.kind == "whole" else 0.0), self.height):
            room = self.height
        while rest > room or (rest > KEPT * LINE and room < rest + tail <= self.height):
            rest = max(rest - room + room % LINE, KEPT * LINE)
            room = self.height
        self.used, self.last = self.height - room + rest, block

    def turn(self) -> None:
        """Begin a new page."""
        self.used, self.last = 0.0, None


def mark(root: Element) -> list[Element]:
    """Return the blocks of a document; those that have no id get one for as long as they are measured."""
    blocks = list(_blocks(next(root.iter("main"))))
    for number, element in enumerate(blocks):
        element.attrib.setdefault("id", f"{MARK}{number}")
    return blocks


def _blocks(parent: Element) -> Iterator[Element]:
    for child in parent:
        if child.tag == "section":
            yield from _blocks(child)
        else:
            yield child


def measure(elements: Sequence[Element], boxes: Mapping[str, Box]) -> list[Block]:
    """Return the blocks with their sizes on one endless page (``boxes``: corners in px by id), their marks gone."""
    shown = [(element, boxes[element.attrib["id"]]) for element in elements if element.attrib["id"] in boxes]
    for element in elements:
        if element.attrib["id"].startswith(MARK):
            del element.attrib["id"]
    tops = [box[1] for _, box in shown]
    bottoms = [tops[0] if tops else 0.0, *(box[3] for _, box in shown)]
    blocks = [
        Block(element, _kind(element, bottom - top), bottom - top, max(0.0, top - before))
        for (element, _), before, top, bottom in zip(shown, bottoms, tops, bottoms[1:], strict=False)
    ]
    usual = min((b.above for a, b in pairwise(blocks) if a.kind == b.kind == "text"), default=0.0)
    # The space below a figure belongs to the figure.
    return [
        replace(block, above=usual) if before.floats and block.kind in {"text", "whole"} else block
        for before, block in zip([*blocks[:1], *blocks], blocks, strict=False)
    ]


def _kind(element: Element, height: float) -> str:
    """Return heading, figure, table (these two float), whole (cannot be broken) or text."""
    classes = set(element.get("class", "").split())
    if element.tag in HEADINGS:
        return "heading"
    if element.tag == "figure" and ("table" not in classes or "together" in classes):
        return "table" if "table" in classes else "figure"
    whole = WHOLE & {element.tag, *classes} or height < 2 * KEPT * LINE
    return "whole" if whole else "text"


def arrange(blocks: Sequence[Block], page: Page) -> list[Block]:
    """Return the blocks in the order in which they fill pages like ``page``, figures among themselves in theirs."""
    placed: list[Block] = []
    waiting: list[Block] = []

    def settle(much: float = 0.0) -> None:
        """Place what waits and fits, and what does not while it leaves less than ``much`` empty."""
        while chosen := _next(waiting, page, much):
            waiting.remove(chosen)
            page.put(chosen)
            placed.append(chosen)

    for index, block in enumerate(blocks):
        after_heading = bool(placed) and placed[-1].kind == "heading"
        if block.floats and not after_heading:
            waiting.append(block)
        else:
            if block.element.tag == "h2":
                last = "unnumbered" in block.element.get("class", "")
                over = sum(b.height for b in waiting) > FAR * page.height
                settle(inf if last or over else MUCH * page.height)
            if not after_heading and _needs(blocks[index:]) > page.room(block):
                page.turn()
                settle()
            page.put(block, _tail(blocks[index + 1 :]))
            placed.append(block)
        if placed[-1].kind != "heading" and not any(_is_equation(b) for b in blocks[index : index + 2]):
            settle()
    settle(inf)
    return placed


def _next(waiting: Sequence[Block], page: Page, much: float) -> Block | None:
    """Return the first figure or the first table that fits; else the first of all if it leaves less than ``much``."""
    first = {block.kind: block for block in reversed(waiting)}
    spare = LINE if page.used else 0.0  # measured heights are not those of broken text to the last pixel
    fitting = [b for b in waiting if first[b.kind] is b and b.height + spare <= page.room(b)]
    forced = [block for block in waiting[:1] if page.room(block) < much]
    return next(iter(fitting or forced), None)


def _is_equation(block: Block) -> bool:
    return block.element.find("span[@class='equation']") is not None


def _tail(blocks: Sequence[Block]) -> float:
    """Return the height of the equations that come first, which stay with the lines above them."""
    return sum(block.above + block.height for block in takewhile(_is_equation, blocks))


def _needs(blocks: Sequence[Block]) -> float:
    """Return how much space the first block needs to begin here: a heading, that what follows begins too."""
    needed = 0.0
    for number, block in enumerate(blocks):
        needed += block.above if number else 0.0
        if block.kind != "heading":
            return needed + block.least
        needed += block.height
    return needed


def move(root: Element, blocks: Sequence[Block]) -> None:
    """Bring the figures and tables of a document into the order of ``blocks``."""
    parents = {child: parent for parent in root.iter() for child in parent}
    for before, block in pairwise(blocks):
        if block.floats:
            parents[block.element].remove(block.element)
            parents[block.element] = parents[before.element]
            siblings = list(parents[before.element])
            parents[before.element].insert(siblings.index(before.element) + 1, block.element)
