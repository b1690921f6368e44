"""Signs that no text of a study may have, because they cannot be seen and change what is seen around them."""

from __future__ import annotations

import re

_TURNING = "\u202a-\u202e\u2066-\u2069"
_UNSEEN = re.compile(
    rf"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029{_TURNING}\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)
HINT = "take it away; an editor that shows invisible signs finds it"


def unprintable(text: str) -> tuple[int, str] | None:
    """Return where the first such sign of ``text`` is and what is wrong with it; None if there is none."""
    match = _UNSEEN.search(text)
    if match is None:
        return None
    turns = re.fullmatch(f"[{_TURNING}]", match[0])
    why = "turns the direction of the text behind it" if turns else "cannot be printed"
    return match.start(), f"the sign U+{ord(match[0]):04X} {why}"
