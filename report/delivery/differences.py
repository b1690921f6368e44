"""Where two versions of a file disagree: results, tables, figures and documents, told in words.

One is the published file, the other was made again from the predictions. A figure's or document's text is compared
word by word, and apart from it how it is drawn.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, Literal

from report.delivery.document_content import NUMBER, Content, Word, read_html, read_pdf

Kind = Literal["number", "words", "file", "drawing"]
RELATIVE, ABSOLUTE = 1e-9, 1e-12
"""Processors differ in the last bits of a number."""
DRAWN = 0.01
"""Lengths in a drawing (points, pixels) that nobody sees."""
AROUND = 4
"""Words told before and after a difference."""


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


def compare_files(name: str, published: Path, again: Path) -> Iterator[Difference]:
    """Yield where a published file differs from the same file made again, of which the bytes differ.

    Parameters
    ----------
    name : str
        What the file is called in the build folder.
    published, again : Path
        Where the two versions lie; their suffix says what they are.

    Raises
    ------
    ValueError
        The published file cannot be read as what its name says.
    """
    readers: dict[str, Callable[[Path], Content]] = {".html": read_html, ".svg": read_html, ".pdf": read_pdf}
    suffix = published.suffix
    if suffix == ".json":
        yield from compare_json(name, _read_json(published), _read_json(again))
    elif suffix == ".csv":
        yield from compare_tables(name, _read_rows(published), _read_rows(again))
    elif suffix in readers:
        read = readers[suffix]
        yield from compare_contents(name, read(published), read(again))


def _read_json(path: Path) -> Any:
    return json.loads(path.read_bytes())


def _read_rows(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_bytes().decode(), newline="")))


def is_same(a: Any, b: Any) -> bool:
    """Tell whether two values are equal but for the last bits of a number."""
    if all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in (a, b)):
        return math.isclose(a, b, rel_tol=RELATIVE, abs_tol=ABSOLUTE) or (math.isnan(a) and math.isnan(b))
    return type(a) is type(b) and bool(a == b)


def compare_json(name: str, published: Any, again: Any, at: tuple[str, ...] = ()) -> Iterator[Difference]:
    """Yield the values that differ, each called by the names or numbers of what it lies in."""
    if isinstance(published, dict) and isinstance(again, dict):
        for key in (*again, *(key for key in published if key not in again)):
            below = (*at, key)
            if key not in published or key not in again:
                missing = "is missing" if key in again else "is no result of these predictions"
                yield Difference(name, f"{_join(below)} {missing}", "number")
            else:
                yield from compare_json(name, published[key], again[key], below)
    elif isinstance(published, list) and isinstance(again, list) and len(published) == len(again):
        for i, (a, b) in enumerate(zip(published, again, strict=True)):
            yield from compare_json(name, a, b, (*at, str(i + 1)))
    elif not is_same(published, again):
        kind: Kind = "words" if isinstance(published, str) and isinstance(again, str) else "number"
        yield Difference(name, f"{_join(at)} is {_shorten(published)}, recomputed {_shorten(again)}", kind)


def _join(at: tuple[str, ...]) -> str:
    return ", ".join(at[1:] if at[0] == "results" and len(at) > 1 else at) or "all"


def _shorten(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."


def compare_tables(name: str, published: list[list[str]], again: list[list[str]]) -> Iterator[Difference]:
    """Yield the cells that differ, or that there are other rows or columns."""
    head = again[0] if again else []
    if len(published) != len(again):
        yield Difference(name, f"has {len(published)} lines, recomputed {len(again)}", "number")
    for line, (a, b) in enumerate(zip(published, again, strict=False), 1):
        if len(a) != len(b):
            yield Difference(name, f"line {line} has {len(a)} columns, recomputed {len(b)}", "number")
            continue
        for column, x, y in zip(head, a, b, strict=True):
            if not is_same(_value(x), _value(y)):
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


def compare_contents(name: str, published: Content, again: Content) -> Iterator[Difference]:
    """Yield where texts differ; where they do not, whether the markup or the drawing does."""
    found = list(compare_words(name, published.words, again.words))
    yield from found
    if not found:
        yield from _find_first(name, "its markup differs", published.markup, again.markup, "words")
        yield from _find_first(name, "it is drawn otherwise", published.drawing, again.drawing, "drawing")


def _find_first(
    name: str, what: str, published: list[Word], again: list[Word], kind: Kind
) -> Iterator[Difference]:
    """Yield at most one difference: the first."""
    pairs = zip(published, again, strict=False)
    first = next(((a, b) for a, b in pairs if not _is_drawn_alike(a.text, b.text)), None)
    if first:
        there, here = _cut_around(*(" ".join(word.text.split()) for word in first))
        yield Difference(name, f"its text is the same, but {what}: {first[0].where}{there} for {here}", kind)
    elif len(published) != len(again):
        yield Difference(
            name, f"its text is the same, but {what}: {len(published)} parts for {len(again)}", kind
        )


def _cut_around(a: str, b: str) -> tuple[str, str]:
    """Return some letters of both texts around the first that differs."""
    at = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    start, end = max(0, at - 20), at + 20
    return a[start:end], b[start:end]


def _is_drawn_alike(a: str, b: str) -> bool:
    if a == b:
        return True
    sides = [re.split(r"(-?\d+(?:\.\d*)?(?:e-?\d+)?)", side) for side in (a, b)]
    return len(sides[0]) == len(sides[1]) and all(
        x == y or (i % 2 == 1 and abs(float(x) - float(y)) < DRAWN)
        for i, (x, y) in enumerate(zip(*sides, strict=True))
    )


def compare_words(name: str, published: Sequence[Word], again: Sequence[Word]) -> Iterator[Difference]:
    """Yield where texts differ, with the words around it."""
    a, b = ([word.text for word in words] for words in (published, again))
    for start, end, start_again, end_again in _find_spans(a, b):
        there, here = " ".join(a[start:end]), " ".join(b[start_again:end_again])
        place = published[min(start, len(published) - 1)].where if published else ""
        around = " ".join([*a[max(0, start - AROUND) : start], f"[{there}]", *a[end : end + AROUND]])
        says = f"{place}says “{around}”, recomputed [{here}]"
        yield Difference(name, says, _kind(there, here), there, here)


def _find_spans(a: list[str], b: list[str]) -> Iterator[tuple[int, int, int, int]]:
    """Yield the spans of ``a`` and ``b`` that differ."""
    if len(a) == len(b):
        wrong = [i for i, (x, y) in enumerate(zip(a, b, strict=True)) if x != y]
        if len(wrong) <= len(a) / 10:
            yield from ((i, i + 1, i, i + 1) for i in wrong)
            return
    head = _count_alike(a, b)
    tail = _count_alike(a[head:][::-1], b[head:][::-1])
    middle = SequenceMatcher(None, a[head : len(a) - tail], b[head : len(b) - tail], autojunk=False)
    for tag, *span in middle.get_opcodes():
        if tag != "equal":
            start, end, start_again, end_again = (head + at for at in span)
            yield start, end, start_again, end_again


def _count_alike(a: list[str], b: list[str]) -> int:
    """Return with how many equal words both begin."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
