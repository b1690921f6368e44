"""The author's literature beside ours, in one list."""

from __future__ import annotations

import re
from pathlib import Path

from report.document import pandoc
from report.errors import RenderError
from report.writing.author.markup import read_text

FILE = "references.bib"
_ENTRY = re.compile(r"^[ \t]*@(?!comment\b|string\b|preamble\b)\w+\s*\{\s*([^,\s{}]+)\s*,", re.M | re.I)
_FAULT = re.compile(r"\(line (\d+), column \d+\):\s*(unexpected [^\n]*)")
_PARTICLES = " options = {useprefix=true},"
"""What an entry says so that "van der Berg" is cited so, and not as "Berg"."""


def write_literature(ours: Path, study: Path, out: Path) -> None:
    """Write ``references.bib`` into ``out``: that of the templates, behind that of the author if there is one.

    Raises
    ------
    RenderError
        Two entries have the same key, or one cannot be read; the message has the line of the author's file.
    """
    text = (ours / FILE).read_text(encoding="utf-8")
    if (study / FILE).is_file():
        own, file = read_text(study / FILE), f"{study.name}/{FILE}"
        taken = dict.fromkeys(_ENTRY.findall(text), f"is taken by an entry of templates/{FILE}")
        for entry in _ENTRY.finditer(own):
            line = own.count("\n", 0, entry.start(1)) + 1
            if why := taken.get(entry[1]):
                hint = "cite that one, or call yours otherwise"
                raise RenderError(f"the key {entry[1]} {why}", hint=hint, file=file, line=line)
            taken[entry[1]] = f"is given in line {line} already"
        _require_readable(own, file)
        text = f"{own.rstrip()}\n\n{text}"
    (out / FILE).write_text(_ENTRY.sub(rf"\g<0>{_PARTICLES}", text), encoding="utf-8")


def _require_readable(text: str, file: str) -> None:
    """Refuse literature that pandoc cannot read, by itself so that the line is that of the author's file."""
    done = pandoc.run_pandoc(
        ["--from", "biblatex", "--to", "csljson", "--sandbox", "--fail-if-warnings"], text
    )
    if done.returncode == 0:
        return
    said = done.stderr.decode(errors="replace")
    fault = _FAULT.search(said)
    message = fault[2] if fault else pandoc.first_complaint(said, text).message
    line = int(fault[1]) if fault else 0
    entries = [*_ENTRY.finditer(text)]
    for entry, end in zip(entries, [*(later.start() for later in entries[1:]), len(text)], strict=False):
        if text.count("{", entry.start(), end) > text.count("}", entry.start(), end):
            message, line = f"the entry {entry[1]} is not closed", text.count("\n", 0, entry.start(1)) + 1
            break
    raise RenderError(message, hint="a comma or brace is missing or too many there", file=file, line=line)
