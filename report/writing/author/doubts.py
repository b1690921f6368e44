"""What in the author's words a result could contradict: numbers typed by hand, and judgements that no verdict carries."""

from __future__ import annotations

import re
from pathlib import Path

from report.document import syntax
from report.document.syntax import TEMPLATE, Text, blank_out
from report.writing.author.markup import read_prose

GIVEN = re.compile(r"\[[^\]]*\]\{\.given\}")
_SHARE = re.compile(r"<<\s*r\([^<>]*\)\s*>>[ \u00a0]?%")
_WIDTH = re.compile(r'\bwidth\s*=\s*"?\d+%"?')
NUMBER = re.compile(r"(?<![\w.,/-])(?:\d+(?:[.,]\d+)?[ \u00a0]?%|\d*\.\d+)(?![\w/-])")
_JUDGEMENT = re.compile(r"\b(significant(?:ly)?|outperform(?:s|ed)?|better|improves)\b", re.I)


def find_doubts(path: Path, *, decided: bool) -> list[str]:
    """Return what in the author's words a result could contradict, each with file, line and the way out.

    These are numbers that look like results, and words that judge a comparison unless its verdict is ``decided``.
    ``[0.5]{.given}`` says that a number or word is no result.
    """
    whole = TEMPLATE.sub(lambda m: blank_out(m[0]), read_prose(path))
    whole = _WIDTH.sub(lambda m: blank_out(m[0]), whole)
    text = Text(whole, GIVEN.sub(lambda m: blank_out(m[0]), syntax.blank_code(whole)))
    found = [
        (m.start(), f"{m[0]} looks like a result: quote it by name") for m in NUMBER.finditer(text.prose)
    ]
    if not decided:
        words = _JUDGEMENT.finditer(text.prose)
        found += [(m.start(), f'"{m[0]}": the verdict of the comparison does not carry it') for m in words]
    shares = [
        f"{path.name}:{text.line(m.start())}: a result such as 0.9 is a share of one and no percentage: take % away"
        for m in _SHARE.finditer(read_prose(path))
    ]
    return shares + [
        f"{path.name}:{text.line(position)}: {what}, or write [...]{{.given}} if it is none"
        for position, what in sorted(found)
    ]
