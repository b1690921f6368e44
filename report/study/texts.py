"""Texts of a study as they are typed: characters that none may have, and articles."""

from __future__ import annotations

import re

_TURNING = "\u202a-\u202e\u2066-\u2069"
_UNPRINTABLE = re.compile(
    rf"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029{_TURNING}\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)
DETERMINERS = {"the", "a", "an", "our", "my", "this", "that", "their"}
UNPRINTABLE_HINT = "take it away; an editor that shows invisible signs finds it"


def find_unprintable(text: str) -> tuple[int, str] | None:
    """Return where the first such sign of ``text`` is and what is wrong with it; None if there is none."""
    match = _UNPRINTABLE.search(text)
    if match is None:
        return None
    turns = re.fullmatch(f"[{_TURNING}]", match[0])
    why = "turns the direction of the text behind it" if turns else "cannot be printed"
    return match.start(), f"the sign U+{ord(match[0]):04X} {why}"


def without_article(title: str) -> str:
    """Return a title without an article or possessive at its beginning: "the" stands there in sentences."""
    word, _, rest = title.partition(" ")
    return rest if rest and word.lower() in DETERMINERS else title
