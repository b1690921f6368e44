"""Figures and tables that float: the text moves up past one that does not fit on the rest of its page.

WeasyPrint breaks the page before such a figure and leaves the rest empty. So all blocks are measured on one endless
page, put on pages one after another as a compositor would, and each figure is moved in the tree to where it came to
stand: behind its place in the source, on the first page with room for it, and within its section. Where that left much
of a page empty, a figure may come earlier in its section than in the source, or go into the next; it goes into the next
chapter only where more than a third of the page would stay empty. Where more waits at a chapter's end than two pages hold, it is all set there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise, takewhile
from math import inf
from xml.etree.ElementTree import Element

SECTIONS = ("h2", "h3")
"""What figures stay in: a chapter, and of it a section where that leaves no more than little empty."""
HEADINGS = {"h2", "h3", "h4", "h5"}
KEPT_ROWS = 8
"""Lines of a long table, with its caption and head, that begin it on a page."""
UNBROKEN = "unbroken"
WHOLE = {"nav", "pre", "callout", "layout", UNBROKEN}
LINE = 14.0 * 96 / 72
"""Height of a line of text in px, as ``pdf.css`` has it."""
MUCH = 0.12
"""The share of a page from which on it is filled with later text rather than left empty before a figure."""
TOO_MUCH = 1 / 3
"""The share of a page that may be left empty at a chapter's end so that its figures stay in it."""
SOON = (0.0, 0.1, 0.2, 0.32)
"""Shares of a page that may be left empty before a figure, tried one after another, instead of filling them with text."""
FAR = 2
"""Pages of figures that may wait for the next chapter: more would stand too far from what speaks of them."""
KEPT = 2
"""Lines of a paragraph that stay together on each side of a page break, as ``pdf.css`` has it."""
KEPT_OF_BOX = 4 * LINE
"""How much of a longer one begins it on a page: its label and three lines."""
SHORT_BOX = 8 * LINE
"""Height up to which a box of the author's stays whole."""
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
        if self.kind != "text":
            return self.height
        if "author" in self.element.get("class", "").split():
            return min(self.height, KEPT_OF_BOX)
        return min(self.height, KEPT_ROWS * LINE) if self.is_table else KEPT * LINE

    @property
    def is_table(self) -> bool:
        """Whether it is a table, which floats unless it is so long that it may break."""
        return self.element.tag == "figure" and self.kind != "figure"


@dataclass
class Page:
    """The page that is being filled: its height and how much of it is used, in px, and the last block on it.

    ``feet`` has what was left empty at the foot of each page before it.
    """

    height: float
    used: float
    last: Block | None = None
    feet: list[float] = field(default_factory=list)

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
            self.feet.append(self.height - self.used)
            room = self.height
        while rest > room or (rest > KEPT * LINE and room < rest + tail <= self.height):
            rest = max(rest - room + room % LINE, KEPT * LINE)
            self.feet.append(0.0)
            room = self.height
        self.used, self.last = self.height - room + rest, block

    def turn(self) -> None:
        """Begin a new page."""
        self.feet.append(self.height - self.used)
        self.used, self.last = 0.0, None

    def copy(self) -> Page:
        """Return the same page, to try something on."""
        return replace(self, feet=[])


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
    """Return the blocks with their sizes on one endless page (``boxes``: corners in px by id), their marks gone.

    A short box of the author's is marked as one that stays whole.
    """
    shown = [(element, boxes[element.attrib["id"]]) for element in elements if element.attrib["id"] in boxes]
    for element in elements:
        if element.attrib["id"].startswith(MARK):
            del element.attrib["id"]
    for element, (_, top, _, bottom) in shown:
        if "author" in element.get("class", "").split() and bottom - top <= SHORT_BOX:
            element.set("class", f"{element.get('class')} {UNBROKEN}")
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
    chapters = _chapters(blocks)
    for index, chapter in enumerate(chapters):
        following = next((block for block, *_ in chapters[index + 1 :]), None)
        order = _order(waiting, chapter, page)
        empty = (
            inf if following is None or _is_last(following) else TOO_MUCH if _is_chapter(following) else MUCH
        )
        waiting = [] if _worst(order, page) <= empty * page.height else _trailing(order, page)
        order = order[: len(order) - len(waiting)]
        _put_all(order, page)
        placed.extend(order)
    return placed


def _order(waiting: Sequence[Block], chapter: Sequence[Block], page: Page) -> list[Block]:
    """Return a chapter and what waits from the one before in the order that leaves no foot of a page empty, or the least.

    If filling each page with text leaves much empty where many figures wait at last, they are set sooner.
    """
    tried: list[tuple[float, list[Block]]] = []
    for soon in SOON:
        order = _fill(waiting, chapter, page.copy(), soon * page.height)
        order = _improve(order, page, chapter[0])
        tried.append((_worst(order, page), order))
        if tried[-1][0] <= MUCH * page.height:
            break
    return min(tried, key=lambda found: found[0])[1]


def _chapters(blocks: Sequence[Block]) -> list[list[Block]]:
    chapters: list[list[Block]] = []
    for block in blocks:
        if not chapters or block.element.tag in SECTIONS:
            chapters.append([])
        chapters[-1].append(block)
    return chapters


def _is_chapter(block: Block) -> bool:
    return block.element.tag == SECTIONS[0]


def _is_last(block: Block) -> bool:
    return "unnumbered" in block.element.get("class", "")


def _fill(carried: Sequence[Block], chapter: Sequence[Block], page: Page, soon: float = 0.0) -> list[Block]:
    """Return a chapter and what waits from the one before as they fill pages, each figure behind its place.

    A figure is set on the next page at once where this leaves less than ``soon`` empty.
    """
    placed: list[Block] = []
    waiting = [*carried]

    def settle(much: float = soon) -> None:
        """Place what waits and fits, and what does not while it leaves less than ``much`` empty."""
        while chosen := _next(waiting, page, much):
            waiting.remove(chosen)
            page.put(chosen)
            placed.append(chosen)

    for index, block in enumerate(chapter):
        after_heading = bool(placed) and placed[-1].kind == "heading"
        if block.floats and not after_heading:
            waiting.append(block)
        else:
            if block.is_table and any(b.is_table for b in waiting):
                settle(inf)  # a long table does not pass the others
            if not after_heading and _needs(chapter[index:]) > page.room(block):
                page.turn()
                settle()
            page.put(block, _tail(chapter[index + 1 :]))
            placed.append(block)
        if placed and placed[-1].kind != "heading" and not any(map(_is_equation, chapter[index : index + 2])):
            settle()
    settle(inf)
    return placed


def _improve(order: list[Block], page: Page, first: Block) -> list[Block]:
    """Return ``order`` with figures earlier in the chapter that ``first`` begins, while that fills a foot of a page."""
    best, cost = order, _worst(order, page)
    while cost > MUCH * page.height:
        tried = [(_worst(other, page), other) for other in _earlier(best, first)]
        least = min((worst for worst, _ in tried), default=cost)
        if least >= cost:
            return best
        # Of those that are as good the one that moves least.
        enough = min(cost, max(least, MUCH * page.height) + LINE)
        cost, best = next((worst, other) for worst, other in reversed(tried) if worst < enough)
    return best


def _earlier(order: list[Block], first: Block) -> Iterator[list[Block]]:
    """Yield ``order`` with one figure earlier: not past another of its kind, and not between a heading and its text."""
    begin = next((i for i, block in enumerate(order) if block is first), 0)
    for at, block in enumerate(order):
        if not block.floats or at <= begin:
            continue
        kin = max((i for i in range(at) if _are_kin(order[i], block)), default=begin)
        for place in range(kin + 1, at):
            if order[place - 1].kind != "heading" and not _is_equation(order[place]):
                yield [*order[:place], block, *order[place:at], *order[at + 1 :]]


def _are_kin(a: Block, b: Block) -> bool:
    return (a.is_table and b.is_table) or a.kind == b.kind == "figure"


def _worst(order: Sequence[Block], page: Page) -> float:
    """Return how much the emptiest foot of a page is left empty where blocks follow each other in ``order``."""
    tried = page.copy()
    _put_all(order, tried)
    return max(tried.feet, default=0.0)


def _put_all(order: Sequence[Block], page: Page) -> None:
    for index, block in enumerate(order):
        after_heading = index > 0 and order[index - 1].kind == "heading"
        spare = LINE if block.floats else 0.0  # as in ``_next``
        if not after_heading and _needs(order[index:]) + spare > page.room(block) and page.used:
            page.turn()
        page.put(block, _tail(order[index + 1 :]))


def _trailing(order: Sequence[Block], page: Page) -> list[Block]:
    """Return the figures at the end of a chapter that may wait for the next: no more than a few pages of them."""
    behind = [*takewhile(lambda block: block.floats, reversed(order))][::-1]
    if len(behind) == len(order) or order[len(order) - len(behind) - 1].kind == "heading":
        behind = behind[1:]
    return [] if sum(block.height for block in behind) > FAR * page.height else behind


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
