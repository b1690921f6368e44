"""The order in which figures and text fill pages."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from report.document import pagination
from report.document.pagination import LINE, Block, Page

HEIGHT = 1000.0
KINDS = {
    "t": ("p", "text", 193.0),
    "f": ("figure", "figure", 500.0),
    "g": ("figure", "figure", 330.0),
    "b": ("figure", "table", 100.0),
    "h": ("h3", "heading", 20.0),
    "H": ("h2", "heading", 20.0),
    "R": ("h2", "heading", 20.0),  # that of the references
}


def arranged(letters: str) -> str:
    """Return the order in which blocks, written as letters, fill pages."""
    blocks = [Block(ElementTree.Element(KINDS[c][0], {"id": c}), *KINDS[c][1:], above=10.0) for c in letters]
    for block in blocks:
        if block.element.get("id") == "R":
            block.element.set("class", "unnumbered")
    return "".join(block.element.attrib["id"] for block in pagination.arrange(blocks, Page(HEIGHT, 0.0)))


@pytest.mark.parametrize(
    ("letters", "order"),
    [
        ("tftt", "tftt"),  # there is room
        ("tttfttt", "tttttft"),  # there is none: the text goes on until the page is full
        ("tttfbt", "tttbtf"),  # a table may pass a figure
        ("tttfgt", "ttfttg"),  # a figure may not
        (
            "ttttfHt",
            "ttfttHt",
        ),  # it stays in its chapter, and comes earlier in it rather than leave a foot empty
        ("tttfHt", "ttftHt"),  # and comes earlier in it where that left a third of a page empty
        ("httHtfHt", "httHtHtf"),  # but not before the chapter's first text: then it goes into the next
        ("httbHtfHt", "httbHtfHt"),  # where that leaves less than a third of a page empty, it stays
        ("httHtfRt", "httHtfRt"),  # other than the references
        ("tttfffffHt", "tttfffffHt"),  # and other than where more than two pages of them wait
        (
            "tfgtfftt",
            "tfttgfft",
        ),  # where filling pages with text would leave one half empty, figures come sooner
        ("ttttbght", "ttttbght"),  # one stays in its section where that leaves little empty
        ("tgtfht", "tgthtf"),  # and goes into the next where it would leave much
        ("tthftt", "tthftt"),  # a heading is not left without what it heads
    ],
)
def test_text_fills_the_page_before_a_figure(letters: str, order: str) -> None:
    assert arranged(letters) == order


def test_a_heading_that_begins_a_page_comes_after_the_figures_that_wait_for_it() -> None:
    assert arranged("ttttfbh" + "t").startswith("ttttb")
    assert arranged("tttffttbb" + "hg").endswith("hg")


@pytest.mark.parametrize(
    ("lines", "tail", "used"),
    [
        (5, 0.0, 995.0),  # it fits
        (6, 0.0, 2 * LINE),  # one line too long: two go over
        (9, 0.0, 4 * LINE),
        (5, 30.0, 2 * LINE),  # the equation below does not fit and takes two lines along
    ],
)
def test_text_that_a_page_breaks_leaves_two_lines_on_the_next(lines: int, tail: float, used: float) -> None:
    page = Page(HEIGHT, HEIGHT - 5 - 5 * LINE)
    page.put(Block(ElementTree.Element("p"), "text", lines * LINE, above=0.0), tail)
    assert page.used == pytest.approx(used)


def test_a_block_is_measured_with_the_space_above_it() -> None:
    root = ElementTree.fromstring(
        '<html><main><p/><p/><section><h2/><p/><figure id="fig-a"/><p/></section></main></html>'
    )
    elements = pagination.mark(root)
    tops = {0: 0.0, 1: 110.0, 2: 240.0, 3: 270.0, 4: 390.0, 5: 910.0}
    sizes = {0: 100.0, 1: 100.0, 2: 20.0, 3: 100.0, 4: 500.0, 5: 100.0}
    boxes = {e.attrib["id"]: (0.0, tops[i], 600.0, tops[i] + sizes[i]) for i, e in enumerate(elements)}
    blocks = pagination.measure(elements, boxes)
    assert [block.kind for block in blocks] == ["text", "text", "heading", "text", "figure", "text"]
    # What is below a figure belongs to the figure: the last paragraph has the space of any other.
    assert [block.above for block in blocks] == [0.0, 10.0, 30.0, 10.0, 20.0, 10.0]
    assert [element.get("id") for element in elements] == [None, None, None, None, "fig-a", None]


@pytest.mark.parametrize(("lines", "kind"), [(6, "whole"), (40, "text")])
def test_a_short_box_of_the_author_stays_whole(lines: int, kind: str) -> None:
    root = ElementTree.fromstring('<html><main><p/><div class="author"/></main></html>')
    elements = pagination.mark(root)
    boxes = {
        e.attrib["id"]: (0.0, top, 600.0, top + lines * LINE)
        for e, top in zip(elements, (0.0, 900.0), strict=True)
    }
    _, box = pagination.measure(elements, boxes)
    assert box.kind == kind
    assert box.element.get("class") == ("author unbroken" if kind == "whole" else "author")


def test_figures_move_in_the_tree() -> None:
    root = ElementTree.fromstring(
        '<html><main><section><p id="a"/><figure id="f"/><p id="b"/><section><p id="c"/></section></section></main></html>'
    )
    a, f, b, c = (
        Block(e, "figure" if e.tag == "figure" else "text", 1.0, 0.0) for e in pagination.mark(root)
    )
    pagination.move(root, [a, b, c, f])
    inner = root.find("main/section/section")
    assert inner is not None
    assert [e.get("id") for e in inner] == ["c", "f"]
