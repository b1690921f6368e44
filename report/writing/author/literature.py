"""The author's literature beside ours, in one list."""

from __future__ import annotations

import re
from pathlib import Path

from report.errors import RenderError
from report.writing.author.markup import read_text

FILE = "references.bib"
_ENTRY = re.compile(r"^[ \t]*@(?!comment\b|string\b|preamble\b)\w+\s*\{\s*([^,\s{}]+)\s*,", re.M | re.I)


def write_literature(ours: Path, study: Path, out: Path) -> None:
    """Write ``references.bib`` into ``out``: that of the templates, behind that of the author if there is one.

    Raises
    ------
    RenderError
        Two entries have the same key; the message has the line of the author's file.
    """
    text = (ours / FILE).read_text(encoding="utf-8")
    if (study / FILE).is_file():
        own = read_text(study / FILE)
        taken = dict.fromkeys(_ENTRY.findall(text), f"is taken by an entry of templates/{FILE}")
        for entry in _ENTRY.finditer(own):
            line = own.count("\n", 0, entry.start(1)) + 1
            if why := taken.get(entry[1]):
                hint = "cite that one, or call yours otherwise"
                raise RenderError(f"the key {entry[1]} {why}", hint=hint, file=FILE, line=line)
            taken[entry[1]] = f"is given in line {line} already"
        text = f"{own.rstrip()}\n\n{text}"
    (out / FILE).write_text(text, encoding="utf-8")
