"""Where what is wrong in the document's source was written: in a template or in the author's prose."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from report.document.pandoc import SOURCE
from report.document.syntax import TEMPLATE
from report.errors import RenderError

PROSE = "prose"
"""What the folder of the author's files is called where the source is written."""


class Origin(NamedTuple):
    """The name of a file and a line in it."""

    file: str
    line: int


def locate_mistake(error: RenderError, source: str, templates: Path, prose: Path) -> RenderError:
    """Return a complaint about the source as one about the line of the author or a template, if that is plain.

    ``source`` is "" where none was written.
    """
    origin = _find_equation(error.equation, prose) if error.equation else None
    if origin is None and source and error.file == SOURCE and error.line:
        origin = find_origin(source.split("\n")[error.line - 1], templates, prose)
    file, line = origin or (error.file, error.line)
    if file.startswith(f"{PROSE}/"):
        file = f"{prose.parent.name}/{prose.name}/{file.removeprefix(f'{PROSE}/')}"
    return RenderError(error.message, error.hint, file=file, line=line, equation=error.equation)


def _find_equation(equation: str, prose: Path) -> Origin | None:
    """Return where the author wrote an equation, however it is spaced there."""
    pattern = re.compile(r"\s*".join(map(re.escape, equation.split())))
    for path in sorted(prose.glob("*.md")):
        text = path.read_text(encoding="utf-8", errors="replace")
        if found := pattern.search(text):
            return Origin(path.name, text.count("\n", 0, found.start()) + 1)
    return None


def find_origin(line: str, *folders: Path, word: str = "") -> Origin | None:
    """Return where in a template or in prose a line of the source was written, None if in doubt.

    At least half of it stands there as it is, and no other line has as many letters of it. The author's words stand in
    the source as they were set anew: of these it is the first line that has the ``word``.
    """
    found: dict[int, list[Origin]] = {}
    named: list[Origin] = []
    for path in sorted(
        file for folder in folders for kind in ("*.j2", "*.md") for file in folder.rglob(kind)
    ):
        for number, written in enumerate(path.read_text(encoding="utf-8", errors="replace").split("\n"), 1):
            if word and path.suffix == ".md" and word in written:
                named.append(Origin(path.name, number))
            parts = TEMPLATE.split(written)
            letters = len("".join(parts))
            if 2 * letters >= len(line) and re.fullmatch(".*".join(map(re.escape, parts)), line):
                found.setdefault(letters, []).append(Origin(path.name, number))
    longest = found[max(found)] if found else []
    return longest[0] if len(longest) == 1 else next(iter(named), None)
