"""What a figure or document holds: the words it says, its markup, and how it is drawn."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pypdf import PdfReader

NUMBER = re.compile(r"(?<![\w-])[+−-]?\d[\d,]*(?:\.\d+)?(?:[eE][+−-]?\d+)?(?!\w)")
TEXT_ATTRIBUTES = {"alt", "aria-label", "title", "content"}
GENERATED_ID = re.compile(r"\b[a-zA-Z]+[0-9a-f]{10}\b")
"""Names inside a figure, which follow from the last bits of its table."""
VOID = {
    *("area", "base", "br", "col", "embed", "hr", "img", "input"),
    *("link", "meta", "source", "track", "wbr"),
}
NAMED = {"/Type", "/Subtype", "/BBox", "/Matrix", "/Width", "/Height", "/ColorSpace"}
HYPHEN = re.compile(r"\u2010\n(?=\w)")
"""The end of a line inside a word."""


@dataclass(frozen=True)
class Word:
    """A word of a document, and where it stands."""

    text: str
    where: str = ""


@dataclass(frozen=True)
class Content:
    """What a figure or document says, its markup, and how it is drawn."""

    words: list[Word] = field(default_factory=list)
    markup: list[Word] = field(default_factory=list)
    drawing: list[Word] = field(default_factory=list)


def count_numbers(words: Sequence[Word]) -> int:
    """Return how many numbers there are among the words."""
    return sum(len(NUMBER.findall(word.text)) for word in words)


def read_html(path: Path) -> Content:
    """Return the content of an HTML or SVG file."""
    page = _Page()
    page.feed(path.read_bytes().decode())
    page.close()
    return page.content


class _Page(HTMLParser):
    """Sorts a page into words (text and alternative text), markup, and what lies inside drawings."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.content = Content()
        self._open: list[str] = []
        self._names: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open.append(tag)
        self._sort(tag, attrs)
        if tag in VOID:
            self._open.pop()

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open.append(tag)
        self._sort(tag, attrs)
        self._open.pop()

    def _sort(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._add_markup(f"<{tag}>", active=tag == "script")
        for key, value in attrs:
            if key in TEXT_ATTRIBUTES:
                self._add_words(value or "")
            else:
                self._add_markup(f"{key}={value}", active=key.startswith("on"))

    def handle_endtag(self, tag: str) -> None:
        while tag in self._open and self._open.pop() != tag:
            pass
        self._add_markup(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] in {"style", "script"}:
            self._add_markup(data, active=self._open[-1] == "script")
        else:
            self._add_words(data)

    def handle_comment(self, data: str) -> None:
        self._add_markup(data)

    def handle_decl(self, decl: str) -> None:
        self._add_markup(decl)

    def _add_words(self, text: str) -> None:
        self.content.words.extend(map(Word, text.split()))

    def _add_markup(self, text: str, *, active: bool = False) -> None:
        named = GENERATED_ID.sub(lambda m: self._names.setdefault(m[0], f"name-{len(self._names)}"), text)
        drawn = "svg" in self._open and not active
        (self.content.drawing if drawn else self.content.markup).append(Word(named))


def count_pages(path: Path) -> int:
    """Return how many pages a PDF has."""
    return len(_open(path).pages)


def read_pdf(path: Path) -> Content:
    """Return the content of a PDF: what its pages print, and all else that is in the file."""
    reader = _open(path)
    return Content(_read_pages(reader), drawing=list(_read_objects(reader)))


def _open(path: Path) -> PdfReader:
    from pypdf import PdfReader

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what is wrong with a file is told as a difference
    return PdfReader(path)


def _read_pages(reader: PdfReader) -> list[Word]:
    return [
        Word(text, f"page {number} ")
        for number, page in enumerate(reader.pages, 1)
        for text in HYPHEN.sub("", page.extract_text()).split()
    ]


def _read_objects(reader: PdfReader) -> Iterator[Word]:
    """Yield what every page draws, and then every object of a PDF: images, fonts, links, structure."""
    from pypdf.generic import IndirectObject, StreamObject

    for number, page in enumerate(reader.pages, 1):
        content = page.get_contents()
        drawn = b"" if content is None else content.get_data()
        yield Word(drawn.decode("latin-1"), f"page {number}, ")
    for number in range(1, int(str(reader.trailer["/Size"]))):
        found = IndirectObject(number, 0, reader).get_object()
        if isinstance(found, StreamObject):
            keys = sorted(f"{key} {value}" for key, value in found.items() if key in NAMED)
            yield Word(f"{keys} {found.get_data().decode('latin-1')}")
        elif found is not None:
            written = io.BytesIO()
            found.write_to_stream(written)
            yield Word(written.getvalue().decode("latin-1"))
