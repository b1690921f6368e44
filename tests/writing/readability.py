"""What a report asks of its reader, measured on what is handed in: sentences, numbers, repetitions, floats, pages.

A number is a figure as it is read: "p ≤ 0.001", "12,400" and "64 × 64" are one each, an interval is two. Names
("COVID-19", "F1"), references to sections and floats, citations, commands and equations have none.
"""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np
import pikepdf
import tinyhtml5
from PIL import Image

from report.document.pdf import BOTTOM, TOP

PROSE = {"p", "li", "figcaption", "dd"}
NOT_PROSE = {"table", "svg", "pre", "nav", "script", "style", "footer"}
NOT_PROSE_CLASSES = {"author", "footnotes", "references", "tools", "running-footer", "banner"}
HTML_ONLY = "content-visible"
APPENDIX = re.compile(r"\bAppendix\b")
LABEL = re.compile(r"^(Figure|Table)\s(S?\d+):?\s*")

CODE, FORMULA = "Code", "Formula"
"""What stands in a sentence for a command or an equation: a word with a capital letter, and no number."""
ABBREVIATIONS = {
    "al", "approx", "ca", "cf", "dept", "dr", "ed", "eds", "eq", "esp", "fig", "figs", "incl", "mr", "mrs", "ms",
    "no", "nos", "p", "pp", "prof", "resp", "sec", "st", "tab", "univ", "vol", "vs",
}  # fmt: skip
"""Words that a full stop shortens, other than those with a stop inside ("e.g.", "i.e.") and single letters."""
_STOP = re.compile(r"""[.!?…]+[)\]’”"'»]*\s+(?=[(\[‘“"'«]*[A-Z0-9À-Þ−+])""")
_NUMBER = re.compile(
    r"""(?<![\w/@])(?<![A-Za-z]-)    # not within a name: "F1", "COVID-19"
    [−+-]?(?:\d[\d,]*\.?\d*|\.\d+)   # "12,400", "0.834", ".834"
    (?:\s×\s\d+)*                    # "64 × 64" is one size
    (?![\w]*[A-Za-z])(?!-[a-z])      # not "3rd", "2D", "3-fold"
    """,
    re.X,
)
MEASURES = (
    "macro F1", "F1", "macro AUC", "AUC", "balanced accuracy", "accuracy", "sensitivity", "specificity", "precision",
    "negative predictive value", "Brier score", "calibration error", "parameters", "images", "pictures", "patients",
    "epochs", "epoch", "margin", "seed", "pixels",
)  # fmt: skip


@dataclass(frozen=True)
class Sentence:
    """A sentence, and the chapter that it stands in."""

    text: str
    chapter: str

    @property
    def words(self) -> int:
        """How many words it has; a relation's sign is none."""
        return count_words(self.text)

    @property
    def numbers(self) -> list[str]:
        """The numbers that it has, as they are written."""
        return find_numbers(self.text)


@dataclass(frozen=True)
class Float:
    """A figure or table: its id, kind and number, and whether it is in the HTML only or in the appendix."""

    id: str
    kind: str
    number: str
    html_only: bool
    in_appendix: bool


@dataclass(frozen=True)
class Reference:
    """The id of what is referred to, and whether the appendix does it."""

    to: str
    in_appendix: bool


def find_missing_references(page: Page, *, html_only: bool) -> list[str]:
    """Return the figures and tables that the running text never refers to."""
    told = {reference.to for reference in page.references(html_only=html_only)}
    return [f.id for f in page.floats if f.id not in told and (html_only or not f.html_only)]


def order_of_references(page: Page, kind: str, *, html_only: bool, appendix: bool = False) -> list[str]:
    """Return the numbers of figures or tables in the order in which their part of the report first refers to them.

    The main text may name what the appendix has before its turn.
    """
    numbers = {f.id: f.number for f in page.floats if f.kind == kind and f.in_appendix == appendix}
    told = (r.to for r in page.references(html_only=html_only) if r.in_appendix == appendix)
    return [numbers[name] for name in dict.fromkeys(told) if name in numbers]


def count_words(text: str) -> int:
    """Return how many words ``text`` has."""
    return sum(any(c.isalnum() for c in word) for word in text.split())


def find_numbers(text: str) -> list[str]:
    """Return the numbers of ``text``."""
    return [match[0].rstrip(".,") for match in _NUMBER.finditer(text)]


def split_sentences(text: str) -> list[str]:
    """Return the sentences of a paragraph; abbreviations, initials and decimals end none."""
    text = " ".join(text.split())
    ends = [match.end() for match in _STOP.finditer(text) if not _is_shortened(text[: match.start()])]
    return [part.strip() for start, end in pairwise([0, *ends, len(text)]) if (part := text[start:end])]


def _is_shortened(before: str) -> bool:
    """Tell whether a full stop behind ``before`` shortens its last word."""
    word = re.split(r"[\s(\[]", before)[-1]
    return word.lower() in ABBREVIATIONS or bool(re.fullmatch(r"[A-Z]|(?:\w\.)+\w", word))


class Page:
    """The HTML that is handed in."""

    def __init__(self, html: str) -> None:
        html = re.sub(r"<(svg|style|script)\b.*?</\1>", "", html, flags=re.S)
        self.root: Element = tinyhtml5.parse(html, namespace_html_elements=False)
        self.parents = {child: parent for parent in self.root.iter() for child in parent}

    @cached_property
    def abstract(self) -> str:
        """The abstract without its heading."""
        found = self.root.find(".//section[@class='abstract']")
        return "" if found is None else " ".join(text for text, _ in self._prose(found, "Abstract"))

    @cached_property
    def sentences(self) -> list[Sentence]:
        """The sentences of the abstract, the text and the captions; not those of the author or of references."""
        return [
            Sentence(s, where) for text, where in self._prose(self.root, "") for s in split_sentences(text)
        ]

    def sentences_before_appendix(self) -> list[Sentence]:
        """Return the sentences of the abstract and the main text."""
        appendix = next((i for i, s in enumerate(self.sentences) if APPENDIX.search(s.chapter)), None)
        return self.sentences[:appendix]

    def _prose(self, element: Element, chapter: str) -> Iterator[tuple[str, str]]:
        """Yield the paragraphs below ``element`` with the titles of their chapters."""
        for child in element:
            classes = set((child.get("class") or "").split())
            if child.tag in NOT_PROSE or classes & NOT_PROSE_CLASSES or child.get("id") == "refs":
                continue
            if child.tag == "h2":
                chapter = _plain(child)
            if child.tag in PROSE and not any(
                below.tag in {"p", "ul", "ol"} for below in child.iter() if below is not child
            ):
                if text := LABEL.sub("", _plain(child)):
                    yield text, chapter
            else:
                yield from self._prose(child, chapter)

    @cached_property
    def floats(self) -> list[Float]:
        """The figures and tables that have a number, in their order."""
        found = []
        for figure in self.root.iter("figure"):
            caption = figure.find(".//figcaption")
            label = (
                None
                if caption is None
                else re.match(r"\s*(Figure|Table)\s(\w+)", "".join(caption.itertext()))
            )
            if label and (name := figure.get("id")):
                found.append(
                    Float(name, label[1], label[2], self._is_html_only(figure), figure in self.appendix)
                )
        return found

    @cached_property
    def appendix(self) -> set[Element]:
        """All that stands in the appendix: from the first chapter on whose title says so."""
        chapters = [s for s in self.root.iter("section") if s.find("h2") is not None]
        first = next(
            (i for i, s in enumerate(chapters) if APPENDIX.search(_plain(s.find("h2")))), len(chapters)
        )
        return {element for chapter in chapters[first:] for element in chapter.iter()}

    def references(self, *, html_only: bool) -> list[Reference]:
        """Return what the running text refers to, in order; tables and captions are no running text."""
        return [
            Reference((link.get("href") or "").removeprefix("#"), link in self.appendix)
            for link in self.root.iter("a")
            if "cross-reference" in (link.get("class") or "").split()
            and not self._is_within(link, {"table", "figcaption"})
            and (html_only or not self._is_html_only(link))
        ]

    def _is_html_only(self, element: Element) -> bool:
        return any(HTML_ONLY in (above.get("class") or "").split() for above in self._above(element))

    def _is_within(self, element: Element, tags: set[str]) -> bool:
        return any(above.tag in tags for above in self._above(element))

    def _above(self, element: Element) -> Iterator[Element]:
        while element in self.parents:
            element = self.parents[element]
            yield element

    def pointers(self, table: str) -> list[tuple[str, list[str]]]:
        """Return the first cell of each row of a table's body, and the ids that the row leads to."""
        found = next(e for e in self.root.iter("figure") if e.get("id") == table)
        rows = [row for row in found.iter("tr") if row.find("td") is not None]
        links = [[(a.get("href") or "").removeprefix("#") for a in row.iter("a")] for row in rows]
        return [(_plain(row[0]), to) for row, to in zip(rows, links, strict=True)]

    def text_of(self, name: str) -> str:
        """Return all text of the section, figure or table ``name``, of tables too; a section with its headings."""
        found = next(e for e in self.root.iter() if e.get("id") == name)
        return " ".join("".join(found.itertext()).replace("\u00a0", " ").split())


def _plain(element: Element) -> str:
    return " ".join("".join(_pieces(element)).split())


def _pieces(element: Element) -> Iterator[str]:
    """Yield the text of ``element`` as it is read, without what does not count."""
    yield element.text or ""
    for child in element:
        yield _replaced(child)
        yield child.tail or ""


def _replaced(child: Element) -> str:
    classes = set((child.get("class") or "").split())
    if child.tag == "code":
        return CODE
    if child.tag.endswith("}math") or "formula" in classes:
        return FORMULA
    if classes & {"anchor", "equation-number", "header-section-number", "footnote-ref", "unseen"}:
        return ""
    inside = _plain(child) if child.tag != "span" else "".join(_pieces(child))
    if "cross-reference" in classes:
        return re.sub(r"\s*[\d.]*\d\w*$", "", inside) or "Number"
    if "citation" in classes:
        return "" if inside.startswith("(") else re.sub(r"\s*\([^)]*\)$", "", inside)
    return "".join(_pieces(child))


# Repetitions ------------------------------------------------------------------------------------


def count_repeated_numbers(sentences: Iterable[Sentence]) -> Counter[tuple[str, str]]:
    """Return how many sentences say a number of three or more digits, by the measure named before it."""
    said: Counter[tuple[str, str]] = Counter()
    for sentence in sentences:
        said.update(
            {
                (_measure(sentence.text, m.start()), n)
                for m in _NUMBER.finditer(sentence.text)
                if _is_result(n := m[0].strip(".,−+"))
            }
        )
    return said


def _is_result(number: str) -> bool:
    return "," in number or ("." in number and sum(c.isdigit() for c in number.lstrip("0.")) >= 2)


def _measure(text: str, place: int) -> str:
    """Return the measure that is named last before ``place``, else the first after it, else ""."""
    text = text[:1].lower() + text[1:]
    before = max(((text.rfind(name, 0, place), len(name), name) for name in MEASURES), default=(-1, 0, ""))
    if before[0] >= 0:
        return _longest_at(text, before)
    after = [(at, -len(name), name) for name in MEASURES if (at := text.find(name, place)) >= 0]
    return min(after)[2] if after else ""


def _longest_at(text: str, found: tuple[int, int, str]) -> str:
    """Return the longest name that ends where the found one does: "macro F1" rather than "F1"."""
    end = found[0] + found[1]
    return max((name for name in MEASURES if text[:end].endswith(name)), key=len)


def count_repeated_phrases(sentences: Sequence[Sentence], words: int = 8) -> Counter[str]:
    """Return how often a run of so many words is said more than once; all numbers are the same word."""
    said: Counter[str] = Counter()
    for sentence in sentences:
        spoken = _NUMBER.sub("#", sentence.text).split()
        said.update({" ".join(spoken[i : i + words]) for i in range(len(spoken) - words + 1)})
    return Counter({phrase: n for phrase, n in said.items() if n > 1})


# The PDF ----------------------------------------------------------------------------------------


class Print:
    """The PDF that is handed in."""

    def __init__(self, file: Path) -> None:
        self.file = file

    @cached_property
    def pages(self) -> list[str]:
        """The text of each page."""
        text = subprocess.run(
            ["pdftotext", "-layout", self.file, "-"], capture_output=True, text=True, check=True
        )
        return text.stdout.split("\f")[:-1]

    @cached_property
    def chapters(self) -> list[tuple[str, float]]:
        """The bookmarks of the first two levels and how many pages stand before each (3.5: half of the fourth)."""
        with pikepdf.open(self.file) as document:
            numbers = {page.objgen: index for index, page in enumerate(document.pages)}
            heights = [float(page.mediabox[3]) for page in document.pages]
            names = list(document.Root.Names.Dests.Names) if "/Names" in document.Root else []
            named = {str(name): where for name, where in zip(names[::2], names[1::2], strict=True)}
            with document.open_outline() as outline:
                found = [item for top in outline.root for item in (top, *top.children)]
                return [
                    (str(item.title), _place(_destination(item, named), numbers, heights)) for item in found
                ]

    @property
    def main_pages(self) -> float:
        """How many pages stand before the appendix, and the part of the text's height on the one that it begins on."""
        places = [place for title, place in self.chapters if APPENDIX.search(title)]
        return min(places) if places else float(len(self.pages))

    @cached_property
    def numbers(self) -> dict[str, list[int]]:
        """The numbers of figures and of tables, from their captions."""
        said = re.findall(r"^\s*(Figure|Table)\s(\d+):", "\n".join(self.pages), re.M)
        return {kind: sorted({int(n) for k, n in said if k == kind}) for kind in ("Figure", "Table")}

    @cached_property
    def empty_feet(self) -> list[float]:
        """The share of each page's area of text that is empty at its foot; 0 for the last page."""
        drawn = subprocess.run(
            ["pdftoppm", "-r", "36", "-gray", self.file], capture_output=True, check=True
        ).stdout
        return [*map(_empty_foot, _images(drawn)[:-1]), 0.0]


def _destination(item: pikepdf.OutlineItem, named: dict[str, pikepdf.Object]) -> pikepdf.Object:
    where = item.destination if item.destination is not None else item.action.D
    return named[str(where)] if isinstance(where, pikepdf.String | str) else where


def _place(where: pikepdf.Object, numbers: dict[tuple[int, int], int], heights: list[float]) -> float:
    page = numbers[where[0].objgen] if isinstance(where[0], pikepdf.Object) else int(where[0])
    margin, foot = (side * 72 / 25.4 for side in (TOP, BOTTOM))
    down = heights[page] - float(where[3]) - margin if len(where) > 3 else 0.0
    return page + max(0.0, down / (heights[page] - margin - foot))


def _images(drawn: bytes) -> list[Image.Image]:
    """Return the pages that poppler has drawn one behind another."""
    found, at = [], 0
    while at < len(drawn):
        head = re.match(rb"P5\s(\d+) (\d+)\s(\d+)\s", drawn[at:])
        assert head is not None
        length = head.end() + int(head[1]) * int(head[2])
        found.append(Image.open(BytesIO(drawn[at : at + length])))
        at += length
    return found


def _empty_foot(page: Image.Image) -> float:
    rows = np.asarray(page).min(axis=1) < 200
    top, bottom = round(len(rows) * 25 / 297), round(len(rows) * 271 / 297)
    used = np.flatnonzero(rows[top:bottom])
    return 1 - (used[-1] + 1) / (bottom - top) if len(used) else 1.0


# Figures ----------------------------------------------------------------------------------------


def smallest_type(svg: str, width_mm: float = 160.0) -> float:
    """Return the smallest type of a figure in pt, as it is printed in a column of this width."""
    size = re.search(r'<svg\b[^>]*?\bwidth="([\d.]+)(pt|mm|px)?"', svg)
    box = re.search(r'viewBox="[\d.-]+ [\d.-]+ ([\d.]+) [\d.]+"', svg)
    sizes = [float(s) for s in re.findall(r"<text\b[^>]*?font-size:\s*([\d.]+)", svg)]
    sizes += [float(s) for s in re.findall(r'<text\b[^>]*?font-size="([\d.]+)', svg)]
    if not size or not box or not sizes:
        return float("inf")
    points = float(size[1]) * {"pt": 1.0, "mm": 72 / 25.4, "px": 0.75}[size[2] or "px"]
    return min(sizes) * min(points, width_mm * 72 / 25.4) / float(box[1])
