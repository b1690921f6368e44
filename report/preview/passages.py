"""Where the words of a passage were written: the author's prose, a template, or the study file, with the line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from report.document.syntax import TEMPLATE

KINDS = ("*.md", "*.j2", "*.toml", "*.bib")
FEWEST = 3
"""So many words in a row are known again."""
_TYPED = re.compile(r'"([^"\n]*)"')
Run = tuple[str, ...]


def find_passage(words: str, folders: Iterable[Path]) -> str:
    """Return file and line that have most of the ``words`` as they were printed; "" where none has any of them."""
    wanted = _words(words)
    size = min(FEWEST, len(wanted))
    printed = _runs(wanted, size)
    best, place = (0, 0), ""
    for folder in folders:
        for path in sorted(path for kind in KINDS for path in folder.rglob(kind)):
            for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").split("\n"), 1):
                runs = {run for part in _parts(line) for run in _runs(_words(part), size)}
                score = (len(runs & printed), -len(runs))
                if score[0] and score > best:
                    best, place = score, f"{path.relative_to(folder.parent).as_posix()}:{number}"
    return place


def _parts(line: str) -> Iterator[str]:
    """Yield what a line of a template prints as it stands: around what is filled in, and in quotes within it."""
    yield from TEMPLATE.split(line)
    for filled in TEMPLATE.findall(line):
        yield from _TYPED.findall(filled)


def _words(text: str) -> Run:
    """Return the words; numbers are of results and of headings."""
    return tuple(re.findall(r"[^\W\d]\w*", text.lower()))


def _runs(words: Run, size: int) -> set[Run]:
    """Return every ``size`` words in a row."""
    return {words[start : start + size] for start in range(len(words) - size + 1)} if size else set()
