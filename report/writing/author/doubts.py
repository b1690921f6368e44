"""What in the author's words a result could contradict: numbers typed by hand, and judgements that no verdict carries."""

from __future__ import annotations

import re
from pathlib import Path

from report.document import syntax
from report.document.syntax import TEMPLATE, Text, blank_out
from report.writing.author.markup import read_prose

GIVEN = re.compile(r"\[[^\]]*\]\{\.given\}")
_SHARE = re.compile(r"<<\s*r\([^<>]*\)\s*>>[ \u00a0]?%")
_WIDTH = re.compile(r"""\bwidth\s*=\s*["']?\d+%["']?""")
_MONEY = "[$€£¥¤]"
_UNITS = (
    r"USD|EUR|GBP|CHF|dollars?|euros?|pounds?|[kcmµn]?m|k?g|k?V|m?A|m?A?s|m?(?:Gy|Sv)|[kMG]B|px|pixels?"
    r"|(?:second|minute|hour|day|week|month|year)s?"
)
NUMBER = re.compile(
    rf"(?<![\w.,/-])(?<!{_MONEY})(?<!{_MONEY}[ \u00a0])(?<!(?:USD|EUR|GBP|CHF)[ \u00a0])"
    r"(?:\d+(?:[.,]\d+)?[ \u00a0]?%|\d*\.\d+)(?![\w/-])"
    rf"(?![ \u00a0]?(?:{_MONEY}|(?:{_UNITS})\b))"
)
"""A number that looks like a result: a share or a percentage. An amount of money or what has a unit is none."""
JUDGING = (
    r"better|worse|equivalent\w*|superior\w*|inferior\w*|out(?:class|d[io]|match|perform|rank)\w*|surpass\w*"
    r"|beat(?:s|en|ing)?|defeat\w*|wins?|won|winn(?:er|ers|ing)|improves?|significant\w*"
)
"""Words that a verdict alone may say."""
JUDGEMENT = re.compile(rf"\b(?:{JUDGING})\b", re.I)


def find_doubts(path: Path, *, decided: bool) -> list[str]:
    """Return what in the author's words a result could contradict, each with file, line and the way out.

    These are numbers that look like results, and words that judge a comparison unless its verdict is ``decided``.
    ``[0.5]{.given}`` says that a number or word is no result.
    """
    whole = TEMPLATE.sub(lambda m: blank_out(m[0]), read_prose(path))
    whole = _WIDTH.sub(lambda m: blank_out(m[0]), whole)
    whole = whole.replace("\\$", " ¤")  # an escaped sign would be blanked as no text
    text = Text(whole, GIVEN.sub(lambda m: blank_out(m[0]), syntax.blank_code(whole)))
    found = [
        (m.start(), f"{m[0]} looks like a result: quote it by name") for m in NUMBER.finditer(text.prose)
    ]
    if not decided:
        words = JUDGEMENT.finditer(text.prose)
        found += [(m.start(), f'"{m[0]}": the verdict of the comparison does not carry it') for m in words]
    shares = [
        f"{path.name}:{text.line(m.start())}: a result such as 0.9 is a share of one and no percentage: take % away"
        for m in _SHARE.finditer(read_prose(path))
    ]
    return shares + [
        f"{path.name}:{text.line(position)}: {what}, or write [...]{{.given}} if it is none"
        for position, what in sorted(found)
    ]
