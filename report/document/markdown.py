"""Text as markdown: what others have written, so that it is printed as it is and is never markup."""

from __future__ import annotations

import json
import re
import unicodedata

_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~^$@'\"=:&])")
_IN_ATTRIBUTE = re.compile(r"([\\`*_{}\[\]<>#|~^$@\"&])")
ISOLATE, END_ISOLATE = "\u2068", "\u2069"
"""Between these signs text has its own direction, and what stands around it keeps its own (Unicode: FSI, PDI)."""


def escape(text: str) -> str:
    """Return ``text`` as markdown that prints exactly these characters, on one line."""
    escaped = _SPECIAL.sub(r"\\\1", join_lines(text))
    return f"{ISOLATE}{escaped}{END_ISOLATE}" if has_right_to_left(escaped) else escaped


def join_lines(text: str) -> str:
    """Return ``text`` with one space for each break of its lines, or run of spaces."""
    return re.sub(r"[ \t\n]+", " ", text).strip()


def has_right_to_left(text: str) -> bool:
    """Tell whether letters of ``text`` are set from right to left, as Arabic and Hebrew ones."""
    return not text.isascii() and any(
        unicodedata.bidirectional(letter) in {"R", "AL"} for letter in set(text)
    )


def escape_attribute(text: str) -> str:
    """Return ``text`` as the value of an attribute, which stands between double quotes."""
    return _IN_ATTRIBUTE.sub(r"\\\1", join_lines(text))


def quote_code(text: str) -> str:
    """Return ``text`` as code within a line."""
    line = join_lines(text)
    fence = "`" * (1 + max(map(len, re.findall("`+", line)), default=0))
    space = " " * (line[:1] == "`" or line[-1:] == "`")
    return f"{fence}{space}{line}{space}{fence}"


def fence_code(text: str, language: str) -> str:
    """Return ``text`` as a block of code."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}{language}\n{text}\n{fence}"


def strip_isolates(text: str) -> str:
    """Return ``text`` without the signs that give parts of it a direction of their own."""
    return text.replace(ISOLATE, "").replace(END_ISOLATE, "")


def quote_yaml(text: str) -> str:
    """Return ``text`` as a string of YAML."""
    return json.dumps(text, ensure_ascii=False)
