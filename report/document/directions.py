"""Paragraphs that run from right to left are marked as such, so that browsers and the PDF set them so."""

from __future__ import annotations

import re
import unicodedata

from report.document.markdown import END_ISOLATE, ISOLATE, has_right_to_left, strip_isolates

_SETS = "p|li|td|th|h[1-6]|dt|dd|figcaption"
_BLOCK = re.compile(
    rf"<(?P<tag>{_SETS})\b(?P<attributes>[^>]*)>"
    rf"(?P<inside>.*?)(?=</?(?:{_SETS}|div|ul|ol|dl|table|figure|section|blockquote)\b)",
    re.S,
)
_ISOLATED = re.compile(f"{ISOLATE}[^{END_ISOLATE}]*{END_ISOLATE}")


def mark_directions(page: str) -> str:
    """Return an HTML page with ``dir="rtl"`` where a paragraph, heading or cell begins with a letter that runs so.

    Words of the study file within a sentence of ours, which stand between signs of their own, do not turn it.
    """
    if not has_right_to_left(page):
        return page
    head, end, body = page.partition("</head>")
    return strip_isolates(head) + end + _BLOCK.sub(_marked, body)


def _marked(match: re.Match[str]) -> str:
    text = re.sub(r"<[^>]*>", "", match["inside"])
    first = _first_strong(_ISOLATED.sub("", text)) or _first_strong(text)
    if first not in {"R", "AL"}:
        return match[0]
    return f'<{match["tag"]}{match["attributes"]} dir="rtl">{match["inside"]}'


def _first_strong(text: str) -> str:
    """Return the direction of the first letter that has one, as Unicode calls it; "" if none has."""
    return next((d for d in map(unicodedata.bidirectional, text) if d in {"L", "R", "AL"}), "")
