"""Figures and tables as CSV inside the page: links that a browser saves as files, with scripts off too."""

from __future__ import annotations

import csv
import io
import re
from html import escape
from html.parser import HTMLParser
from urllib.parse import quote

from report.document.markdown import strip_isolates

LEGIBLE = ",:;/()*!+@="  # left as they are in an address


def make_link(file: str, content: str, owner: str) -> str:
    """Return a link that saves ``content`` as ``file``; ``owner`` is what it belongs to ("Figure 3")."""
    address = f"data:text/csv;charset=utf-8,{quote(content, safe=LEGIBLE)}"
    words = f'Data (CSV)<span class="unseen"> of {escape(owner)}</span>'
    return f'<a download="{escape(file)}" href="{address}">{words}</a>'


def table_to_csv(table: str) -> str:
    """Return the cells of ``table`` (HTML) as CSV: spaces plain, minus signs those of a keyboard, signs of direction gone."""
    cells = _Cells()
    cells.feed(table)
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([_plain(cell) for cell in row] for row in cells.rows)
    return out.getvalue()


def _plain(text: str) -> str:
    words = " ".join(strip_isolates(text).split())
    return re.sub(r"\u2212(?=[\d.])", "-", words)


class _Cells(HTMLParser):
    """Collects the text of every cell; a formula's source, which is for machines, is left out."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.open = self.hidden = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append([])
        elif tag in ("th", "td"):
            self.rows[-1].append("")
            self.open = True
        self.hidden |= tag == "annotation"

    def handle_endtag(self, tag: str) -> None:
        self.open &= tag not in ("th", "td")
        self.hidden &= tag != "annotation"

    def handle_data(self, data: str) -> None:
        if self.open and not self.hidden:
            self.rows[-1][-1] += data
