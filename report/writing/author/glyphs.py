"""Letters that the fonts of the report, or all fonts of this machine, lack: known before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from report.document import fonts
from report.errors import list_first
from report.study.folder import find_prose
from report.writing.author.markup import read_prose

if TYPE_CHECKING:
    from report.study.study import Study

FONTS = ("IBMPlexSerif-Regular.ttf", "IBMPlexSans-Regular.ttf")
"""The fonts of text and of headings, tables and figures."""
OURS = Path(__file__).parents[3] / "templates" / "theme" / "fonts"
_UNPRINTED = {"dataset": {"folders", "values", "params"}}
_MOST = 12


def warn_of_missing_glyphs(study: Study, folder: Path) -> list[str]:
    """Return warnings for the letters in a study and in the files of its author, which lie in ``folder``.

    Raises
    ------
    RenderError
        A file of the author is not UTF-8, or has signs that cannot be printed.
    """
    texts = (
        study.model_dump_json(exclude=_UNPRINTED),
        *map(read_prose, find_prose(folder, study.report.sections)),
    )
    return find_missing_glyphs("".join(texts))


def find_missing_glyphs(text: str) -> list[str]:
    """Return a warning for the letters of ``text`` that no font has, and one for those that only other fonts have."""
    ours = tuple(OURS / name for name in FONTS)
    boxes = fonts.find_fallback_fonts(text, *ours)[1]
    borrowed = [letter for letter in fonts.find_missing_characters(text, *ours) if letter not in boxes]
    found = []
    if boxes:
        found.append(
            f"no font of this machine has {_join_letters(boxes)}: the PDF and the figures show empty boxes there; install a "
            "font that has them, for example one of Noto's, and run the same command again"
        )
    if borrowed:
        found.append(
            f"the report's fonts have no {_join_letters(borrowed)}: the PDF and the figures take other fonts of this machine "
            "there, a browser those of its own"
        )
    return found


def _join_letters(letters: list[str] | str) -> str:
    return list_first([f"{letter} (U+{ord(letter):04X})" for letter in letters], _MOST)
