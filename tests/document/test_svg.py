"""Figures as part of a page."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from report.document.svg import inline_svg

CONFUSION = Path(__file__).parent / "fixture" / "figures" / "confusion.svg"


def test_a_figure_is_plain_svg_whatever_another_library_has_set() -> None:
    ElementTree.register_namespace("", "http://www.w3.org/1999/xhtml")
    image = CONFUSION.read_bytes()
    assert inline_svg(image, name="confusion", prefix="picture", alt="A matrix").startswith("<svg ")
