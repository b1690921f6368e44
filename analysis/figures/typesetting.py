"""Type in figures: the fonts, how wide a text is, and where it is broken into lines."""

from __future__ import annotations

import functools
import re
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ParamSpec

from matplotlib import font_manager
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

FONTS = Path(__file__).resolve().parents[2] / "templates" / "theme" / "fonts"
FAMILY = "IBM Plex Sans"
FACES = ("IBMPlexSans-Regular.ttf", "IBMPlexSans-SemiBold.ttf", "IBMPlexSans-Italic.ttf")
MM = 1 / 25.4
SMALL, BASE = 7.0, 8.0
NARROW = 15.0  # words are not broken for columns narrower than this, in mm
HINTED = 1.065  # how much wider screens set small type where they fit letters to their pixels
WORD_PARTS = re.compile(r"(?<=[_\-/.,:;|])")

families = [FAMILY]
"""Our font, and behind it those of the figure that is drawn."""
Params = ParamSpec("Params")


def with_fonts(draw: Callable[Params, None]) -> Callable[Params, None]:
    """Return ``draw`` with the fonts behind ours that it is given for characters which ours lacks.

    They are files, the inputs whose names begin with ``behind``.
    """

    @functools.wraps(draw)
    def drawn(*args: Params.args, **kwargs: Params.kwargs) -> None:
        inputs: Any = args[0]
        files = [path for name, path in sorted(inputs.items()) if name.startswith("behind")]
        families[:] = [FAMILY, *(_added(path) for path in files)]
        draw(*args, **kwargs)

    return drawn


def _added(path: Path) -> str:
    """Make a font known to matplotlib and return its family."""
    font_manager.fontManager.addfont(path)
    return next(font.name for font in font_manager.fontManager.ttflist[::-1] if font.fname == str(path))


def register_fonts() -> None:
    """Make our own fonts known to matplotlib."""
    known = {font.fname for font in font_manager.fontManager.ttflist}
    for face in FACES:
        path = str(FONTS / face)
        if path not in known:
            font_manager.fontManager.addfont(path)


def wrap(label: str, width: int) -> str:
    """Return ``label`` on lines of at most ``width`` characters, words kept whole."""
    return "\n".join(textwrap.wrap(label, width, break_long_words=False)) or label


def text_mm(text: str, size: float = SMALL, weight: str = "normal") -> float:
    """Return the width of the widest line of ``text`` in our font, in mm."""
    return max(_line_mm(line, tuple(families), size, weight) for line in text.split("\n"))


@functools.lru_cache(maxsize=2**16)
def _line_mm(line: str, family: tuple[str, ...], size: float, weight: str) -> float:
    """Return the width of a line; lines are broken many times over, and measuring is slow."""
    register_fonts()
    font = FontProperties(family=list(family), size=size, weight=weight)
    return float(text_to_path.get_text_width_height_descent(line, font, ismath=False)[0]) / 72 / MM


def break_lines(text: str, width_mm: float, size: float = SMALL, weight: str = "normal") -> str:
    """Return ``text`` on lines that are at most so wide; only words that are wider themselves are broken."""
    lines: list[str] = []
    for word in text.split():
        limit = width_mm
        parts = [word]
        if text_mm(word, size, weight) > max(width_mm, NARROW):
            limit = max(width_mm, NARROW)
            parts = [p for part in WORD_PARTS.split(word) for p in _broken(part, limit, size, weight)]
        for k, part in enumerate(parts):
            longer = "".join((lines[-1], "" if k else " ", part)) if lines else part
            if lines and text_mm(longer, size, weight) <= limit:
                lines[-1] = longer
            else:
                lines.append(part)
    return "\n".join(lines)


def _broken(part: str, limit: float, size: float, weight: str) -> Sequence[str]:
    """Return a part of a word whole, or its characters where it does not fit on a line."""
    return [part] if text_mm(part, size, weight) <= limit else list(part)
