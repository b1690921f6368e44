"""Where two versions of a file disagree: results, tables, figures and documents, told in words.

One is the published file, the other was made again from the predictions. A figure's or document's text is compared
word by word, and apart from it how it is drawn.
"""

from __future__ import annotations

import csv
import io
import json
import logging
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from pypdf import PdfReader

Kind = Literal["number", "words", "file", "drawing"]
RELATIVE, ABSOLUTE = 1e-9, 1e-12
"""Processors differ in the last bits of a number."""
DRAWN = 0.01
"""Lengths in a drawing (points, pixels) that nobody sees."""
NUMBER = re.compile(r"(?<![\w-])[+−-]?\d[\d,]*(?:\.\d+)?(?:[eE][+−-]?\d+)?(?!\w)")
AROUND = 4
"""Words told before and after a difference."""
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
class Difference:
    """What does not agree, in words; ``drawing`` is what other versions of libraries do otherwise too."""

    where: str
    what: str
    kind: Kind
    published: str = ""
    again: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


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


def numbers(words: Sequence[Word]) -> int:
    """Return how many numbers there are among the words."""
    return sum(len(NUMBER.findall(word.text)) for word in words)


def differences(name: str, published: Path, again: Path) -> Iterator[Difference]:
    """Yield where a published file differs from the same file made again, of which the bytes differ.

    Raises
    ------
    ValueError
        The published file cannot be read as what its name says.
    """
    readers: dict[str, Callable[[Path], Content]] = {".html": html, ".svg": html, ".pdf": pdf}
    suffix = published.suffix
    if suffix == ".json":
        yield from json_differences(name, _json(published), _json(again))
    elif suffix == ".csv":
        yield from csv_differences(name, _rows(published), _rows(again))
    elif suffix in readers:
        read = readers[suffix]
        yield from content_differences(name, read(published), read(again))


def _json(path: Path) -> Any:
    return json.loads(path.read_bytes())


def _rows(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_bytes().decode(), newline="")))


def same(a: Any, b: Any) -> bool:
    """Tell whether two values are equal but for the last bits of a number."""
    if all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in (a, b)):
        return math.isclose(a, b, rel_tol=RELATIVE, abs_tol=ABSOLUTE) or (math.isnan(a) and math.isnan(b))
    return type(a) is type(b) and bool(a == b)


def json_differences(name: str, published: Any, again: Any, at: tuple[str, ...] = ()) -> Iterator[Difference]:
    """Yield the values that differ, each called by the names or numbers of what it lies in."""
    if isinstance(published, dict) and isinstance(again, dict):
        for key in (*again, *(key for key in published if key not in again)):
            below = (*at, key)
            if key not in published or key not in again:
                missing = "is missing" if key in again else "is no result of these predictions"
                yield Difference(name, f"{_called(below)} {missing}", "number")
            else:
                yield from json_differences(name, published[key], again[key], below)
    elif isinstance(published, list) and isinstance(again, list) and len(published) == len(again):
        for i, (a, b) in enumerate(zip(published, again, strict=True)):
            yield from json_differences(name, a, b, (*at, str(i + 1)))
    elif not same(published, again):
        kind: Kind = "words" if isinstance(published, str) and isinstance(again, str) else "number"
        yield Difference(name, f"{_called(at)} is {_short(published)}, recomputed {_short(again)}", kind)


def _called(at: tuple[str, ...]) -> str:
    return ", ".join(at[1:] if at[0] == "results" and len(at) > 1 else at) or "all"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."


def csv_differences(name: str, published: list[list[str]], again: list[list[str]]) -> Iterator[Difference]:
    """Yield the cells that differ, or that there are other rows or columns."""
    head = again[0] if again else []
    if len(published) != len(again):
        yield Difference(name, f"has {len(published)} lines, recomputed {len(again)}", "number")
    for line, (a, b) in enumerate(zip(published, again, strict=False), 1):
        if len(a) != len(b):
            yield Difference(name, f"line {line} has {len(a)} columns, recomputed {len(b)}", "number")
            continue
        for column, x, y in zip(head, a, b, strict=True):
            if not same(_value(x), _value(y)):
                yield Difference(
                    name,
                    f"line {line}, column {column} is {x or 'empty'}, recomputed {y or 'empty'}",
                    _kind(x, y),
                )


def _value(cell: str) -> float | str:
    try:
        return float(cell)
    except ValueError:
        return cell


def _kind(*words: str) -> Kind:
    return "number" if any(map(NUMBER.search, words)) else "words"


def content_differences(name: str, published: Content, again: Content) -> Iterator[Difference]:
    """Yield where texts differ; where they do not, whether the markup or the drawing does."""
    found = list(word_differences(name, published.words, again.words))
    yield from found
    if not found:
        yield from _otherwise(name, "its markup differs", published.markup, again.markup, "words")
        yield from _otherwise(name, "it is drawn otherwise", published.drawing, again.drawing, "drawing")


def _otherwise(
    name: str, what: str, published: list[Word], again: list[Word], kind: Kind
) -> Iterator[Difference]:
    """Yield at most one difference: the first."""
    pairs = zip(published, again, strict=False)
    first = next(((a, b) for a, b in pairs if not _drawn_alike(a.text, b.text)), None)
    if first:
        there, here = _around(*(" ".join(word.text.split()) for word in first))
        yield Difference(name, f"its text is the same, but {what}: {first[0].where}{there} for {here}", kind)
    elif len(published) != len(again):
        yield Difference(
            name, f"its text is the same, but {what}: {len(published)} parts for {len(again)}", kind
        )


def _around(a: str, b: str) -> tuple[str, str]:
    """Return some letters of both texts around the first that differs."""
    at = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    start, end = max(0, at - 20), at + 20
    return a[start:end], b[start:end]


def _drawn_alike(a: str, b: str) -> bool:
    if a == b:
        return True
    sides = [re.split(r"(-?\d+(?:\.\d*)?(?:e-?\d+)?)", side) for side in (a, b)]
    return len(sides[0]) == len(sides[1]) and all(
        x == y or (i % 2 == 1 and abs(float(x) - float(y)) < DRAWN)
        for i, (x, y) in enumerate(zip(*sides, strict=True))
    )


def word_differences(name: str, published: Sequence[Word], again: Sequence[Word]) -> Iterator[Difference]:
    """Yield where texts differ, with the words around it."""
    a, b = ([word.text for word in words] for words in (published, again))
    for start, end, start_again, end_again in _spans(a, b):
        there, here = " ".join(a[start:end]), " ".join(b[start_again:end_again])
        place = published[min(start, len(published) - 1)].where if published else ""
        around = " ".join([*a[max(0, start - AROUND) : start], f"[{there}]", *a[end : end + AROUND]])
        says = f"{place}says “{around}”, recomputed [{here}]"
        yield Difference(name, says, _kind(there, here), there, here)


def _spans(a: list[str], b: list[str]) -> Iterator[tuple[int, int, int, int]]:
    """Yield the spans of ``a`` and ``b`` that differ."""
    if len(a) == len(b):
        wrong = [i for i, (x, y) in enumerate(zip(a, b, strict=True)) if x != y]
        if len(wrong) <= len(a) / 10:
            yield from ((i, i + 1, i, i + 1) for i in wrong)
            return
    head = _alike(a, b)
    tail = _alike(a[head:][::-1], b[head:][::-1])
    middle = SequenceMatcher(None, a[head : len(a) - tail], b[head : len(b) - tail], autojunk=False)
    for tag, *span in middle.get_opcodes():
        if tag != "equal":
            start, end, start_again, end_again = (head + at for at in span)
            yield start, end, start_again, end_again


def _alike(a: list[str], b: list[str]) -> int:
    """Return with how many equal words both begin."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def html(path: Path) -> Content:
    """Return the content of an HTML or SVG file."""
    page = _Page()
    page.feed(path.read_bytes().decode())
    page.close()
    return page.content


class _Page(HTMLParser):
    """Sorts a page into words (text and alternative text), markup, and what lies inside pictures."""

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
        self._marked(f"<{tag}>", active=tag == "script")
        for key, value in attrs:
            if key in TEXT_ATTRIBUTES:
                self._said(value or "")
            else:
                self._marked(f"{key}={value}", active=key.startswith("on"))

    def handle_endtag(self, tag: str) -> None:
        while tag in self._open and self._open.pop() != tag:
            pass
        self._marked(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] in {"style", "script"}:
            self._marked(data, active=self._open[-1] == "script")
        else:
            self._said(data)

    def handle_comment(self, data: str) -> None:
        self._marked(data)

    def handle_decl(self, decl: str) -> None:
        self._marked(decl)

    def _said(self, text: str) -> None:
        self.content.words.extend(map(Word, text.split()))

    def _marked(self, text: str, *, active: bool = False) -> None:
        named = GENERATED_ID.sub(lambda m: self._names.setdefault(m[0], f"name-{len(self._names)}"), text)
        drawn = "svg" in self._open and not active
        (self.content.drawing if drawn else self.content.markup).append(Word(named))


def pages(path: Path) -> int:
    """Return how many pages a PDF has."""
    return len(_reader(path).pages)


def pdf(path: Path) -> Content:
    """Return the content of a PDF: what its pages print, and all else that is in the file."""
    reader = _reader(path)
    return Content(_printed(reader), drawing=list(_objects(reader)))


def _reader(path: Path) -> PdfReader:
    from pypdf import PdfReader

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what is wrong with a file is told as a difference
    return PdfReader(path)


def _printed(reader: PdfReader) -> list[Word]:
    return [
        Word(text, f"page {number} ")
        for number, page in enumerate(reader.pages, 1)
        for text in HYPHEN.sub("", page.extract_text()).split()
    ]


def _objects(reader: PdfReader) -> Iterator[Word]:
    """Yield what every page draws, and then every object of a PDF: pictures, fonts, links, structure."""
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
