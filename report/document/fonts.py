"""Fonts of this machine that have the characters which our own font lacks."""

from __future__ import annotations

import re
import subprocess
import unicodedata
from functools import cache
from pathlib import Path

LATIN = 0x17F
"""The last character of those scripts that our fonts have whole."""
FORMAT = "%{file}\t%{style}\t%{charset}\n"
PLAIN = re.compile(r"regular|book|roman|normal|medium", re.IGNORECASE)
UNSEEN = {"Zs", "Zl", "Zp", "Cc", "Cf"}


@cache
def find_fallback_fonts(text: str, *ours: Path) -> tuple[tuple[Path, ...], str]:
    """Return files of this machine's fonts for characters that our own lack, and the characters that none has.

    Parameters
    ----------
    text : str
        What is to be set.
    *ours : Path
        Our own fonts.

    Notes
    -----
    The fewest fonts that have the most are taken, upright ones of usual weight first; equal machines give equal
    answers. Without fontconfig's ``fc-list`` there are none.
    """
    wanted = {*find_missing_characters(text, *ours)}
    files: list[Path] = []
    fonts = _list_fonts() if wanted else {}
    while wanted:
        file = max(
            fonts,
            key=lambda name: (len(wanted & _covered(fonts[name], wanted)), _preference(name)),
            default=None,
        )
        found = _covered(fonts[file], wanted) if file is not None else set()
        if file is None or not found:
            break
        files.append(Path(file[0]))
        wanted -= found
    return tuple(files), "".join(sorted(wanted))


def find_missing_characters(text: str, *ours: Path) -> list[str]:
    """Return the characters of ``text``, in their order, that are seen and that one of our fonts lacks."""
    seen = dict.fromkeys(c for c in text if ord(c) > LATIN and _is_seen(c))
    if not seen:
        return []
    from fontTools.ttLib import TTFont

    lacked: set[str] = set()
    for path in ours:
        with TTFont(path, lazy=True) as font:
            lacked |= seen.keys() - {chr(code) for code in font.getBestCmap()}
    return [c for c in seen if c in lacked]


def _is_seen(character: str) -> bool:
    """Tell whether a character is drawn: no space, joiner or choice of form."""
    return unicodedata.category(character) not in UNSEEN and not "\ufe00" <= character <= "\ufe0f"


def _list_fonts() -> dict[tuple[str, str], str]:
    """Return the characters of each font (file and style) as fontconfig writes them: ranges of hexadecimal numbers."""
    try:
        done = subprocess.run(["fc-list", "--format", FORMAT], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return {}
    lines = (line.split("\t") for line in done.stdout.splitlines())
    return {(line[0], line[1]): line[2] for line in lines if len(line) == 3}


def _covered(ranges: str, wanted: set[str]) -> set[str]:
    """Return those of the characters ``wanted`` that ``ranges`` have."""
    ends = [[int(end, 16) for end in part.split("-")] for part in ranges.split()]
    return {c for c in wanted if any(end[0] <= ord(c) <= end[-1] for end in ends)}


def _preference(font: tuple[str, str]) -> tuple[bool, bool, str]:
    """Return what is preferred among fonts that have as much: plain, then of proportional width, then by name."""
    file, style = font
    plain = PLAIN.match(style.split(",")[0]) is not None
    return plain, not re.search("mono|condensed|serif", Path(file).stem, re.IGNORECASE), file
