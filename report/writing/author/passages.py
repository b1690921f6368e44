"""The author's passages as closed blocks: each filled in, parsed and checked by itself.

Nothing in a passage reaches the text around it: its template cannot include or change anything, and pandoc reads it
alone, without header, raw markup and links to names given elsewhere. `passage.lua` lets the elements of its list pass,
names ids and notes after the passage, and writes it again as markdown of our subset.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import (
    FunctionLoader,
    Undefined,
    nodes,
)

from report.document import pandoc, syntax
from report.errors import RenderError
from report.study.folder import HTML_ONLY, PROSE_FILES
from report.writing.author.markup import require_markup
from report.writing.templates import locate_errors, make_environment

KNOWN = ("r", "value", "ci", "grouped", "study", "sample")
"""What a passage can use of what the templates have."""
READER = f"{pandoc.READER}-yaml_metadata_block-pandoc_title_block-blank_before_header+autolink_bare_uris"
_OTHERS = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends, nodes.Block)
_ITEM = re.compile(r"[-*+][ \t]+\S|1[.)][ \t]+\S")
_TABLE = re.compile(
    r"[^\n]*\|[^\n]*\n[ \t]*\|?[ \t]*:?-+:?[ \t]*(\|[ \t]*:?-+:?[ \t]*)+\|?[ \t]*(\n|\Z)|\+([-:]+\+)+[ \t]*\n\|"
)
_NOTHING = re.compile(r"(#[^\n]*\n\n)?:+ \{\.author\}\s*:+")
_LISTED = re.compile(r"[ \t]|[-*+>|:][ \t]|\(?\w+[.)][ \t]")


def close_passage(
    path: Path, context: Mapping[str, Any], templates: Path, *, is_section: bool = False
) -> str:
    """Return the author's passage in ``path`` as a closed block of markdown; "" if it says nothing.

    A section of its own has its heading above the block.

    Raises
    ------
    RenderError
        With file and line of what the report cannot carry, or what cannot be filled in.
    """
    text = require_markup(path)
    filled = _fill(path.name, text, {name: context[name] for name in KNOWN})
    if not filled.strip():
        return ""
    return _close(path.name, text, _separate_lists(filled), templates, is_section)


def _fill(name: str, text: str, context: Mapping[str, Any]) -> str:
    """Return ``text`` with results filled in; it can use no other template."""
    engine = make_environment(FunctionLoader(lambda _: (text, name, None))).overlay(finalize=_as_text)
    with locate_errors():
        others = list(engine.parse(text, name, name).find_all(_OTHERS))
        if not others:
            return engine.get_template(name).render(context)
    word = type(others[0]).__name__.lower()
    raise RenderError(f"<% {word} %>: a passage has its own words only", file=name, line=others[0].lineno)


def _as_text(value: Any) -> Any:
    """Refuse to print what is no text or number, such as all results at once."""
    if not isinstance(value, str | int | float | Undefined):
        raise TypeError("what is filled in here is no text")
    return value


def _separate_lists(text: str) -> str:
    """Return ``text`` with an empty line before each list or table right below a paragraph, as many write them."""
    lines: list[str] = []
    blanked = syntax.CODE_BLOCK.sub(lambda m: syntax.blank_out(m[0]), text).split("\n")
    for number, line in enumerate(text.split("\n")):
        above = lines[-1] if lines else ""
        begins = _ITEM.match(blanked[number]) or _TABLE.match("\n".join(blanked[number : number + 2]))
        if begins and above.strip() and not _LISTED.match(above):
            lines.append("")
        lines.append(line)
    return "\n".join(lines)


def _close(name: str, text: str, filled: str, templates: Path, is_section: bool) -> str:
    """Return ``filled`` as a block that pandoc has read alone; ``text`` has the author's lines."""
    arguments = [
        *("--from", READER, "--to", "markdown", "--wrap", "preserve", "--sandbox", "--fail-if-warnings"),
        *("--lua-filter", str(templates / "filters" / "passage.lua")),
        *(
            "--metadata",
            f"passage={name.partition('.')[0]}",
            "--metadata",
            f"section={PROSE_FILES.get(name, '')}",
        ),
        *(("--metadata", "unnumbered=true") if name in HTML_ONLY else ()),
        *(("--metadata", "alone") if is_section else ()),
    ]
    done = pandoc.run_pandoc(arguments, filled)
    if done.returncode == 0:
        block = done.stdout.decode().rstrip("\n")
        return "" if _NOTHING.fullmatch(block) else block
    complaint = done.stderr.decode(errors="replace")
    refused = re.search(r"REFUSED\t(.*?)\t(.*?)\t(.*?)\t", complaint, re.S)
    if refused is None:
        first = pandoc.first_complaint(complaint, filled)
        raise RenderError(first.message, file=name, equation=first.equation)
    at = text.find(refused[1]) if refused[1] else -1
    line = text.count("\n", 0, at) + 1 if at >= 0 else 0
    raise RenderError(" ".join(refused[2].split()), hint=refused[3], file=name, line=line)
