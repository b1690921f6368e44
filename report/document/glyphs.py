"""Letters that the report's own fonts do not have, which are printed with whatever font is at hand, or as a box."""

from __future__ import annotations

import unicodedata
from pathlib import Path

FONTS = ("IBMPlexSerif-Regular.ttf", "IBMPlexSans-Regular.ttf")
"""The fonts of text and of headings, tables and figures."""
REMARKS = "remarks.json"
"""What the builder should know of how the report is set."""
_MOST = 12


def remarks(text: str, fonts: Path) -> list[str]:
    """Return a warning that names the letters of ``text`` that the fonts in a folder lack; none if they have all."""
    found = missing(text, fonts)
    if not found:
        return []
    shown = " ".join(found[:_MOST]) + f" and {len(found) - _MOST} more" * (len(found) > _MOST)
    return [
        f"the report's fonts have no {shown}: a browser takes {'it' if len(found) == 1 else 'them'} from its own fonts, "
        "the PDF and the figures from those of the machine that builds them, where any font has it; else a box is printed"
    ]


def missing(text: str, fonts: Path) -> list[str]:
    """Return the letters of ``text``, in their order, that one of the fonts lacks."""
    letters = {letter: None for letter in text if not letter.isascii() and _is_seen(letter)}
    if not letters:
        return []
    from fontTools.ttLib import TTFont

    known = [TTFont(fonts / name, lazy=True).getBestCmap().keys() for name in FONTS]
    return [letter for letter in letters if not all(ord(letter) in font for font in known)]


def _is_seen(letter: str) -> bool:
    """Tell whether a letter is drawn: not a space, a joiner or a choice of form."""
    return unicodedata.category(letter)[0] not in "ZC" and not "\ufe00" <= letter <= "\ufe0f"
