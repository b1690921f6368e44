"""The text of the author's files, whatever the editor that saved it, and what markup may stand in them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from report.document import lint, syntax
from report.document.lint import Problem
from report.document.syntax import CODE_BLOCK, NOT_TEXT, TEMPLATE, Text, blank_out
from report.errors import RenderError
from report.study.texts import UNPRINTABLE_HINT, find_unprintable
from report.writing.author.pictures import find_image_problems

_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_SPANS = {"given", "unnumbered", "-"}
_COMMENT = re.compile(rf"(?P<comment><!--.*?-->)|{CODE_BLOCK.pattern}|{NOT_TEXT.pattern}", re.M | re.S)
_PARTS = re.compile(rf"{TEMPLATE.pattern}|{CODE_BLOCK.pattern}|{NOT_TEXT.pattern}", re.M | re.S)
_SIGNS = re.compile("<[<%#]")
_GAP = re.compile(r"\n[ \t]*\n")
_HEADER = re.compile(r"(?:\A|\n[ \t]*\n)(---[ \t]*\n[ \t]*[\w\"'-]+[ \t]*:|%[ \t]*\w[^\n]*(?=\n%))")
_NOTE = re.compile(r"\[\^(?P<name>[^\]\s]+)\](?P<colon>:?)")
_TEX = re.compile(r"\\(?:newpage|clearpage|pagebreak|noindent)\b|\\[A-Za-z]+(?=\*?(?:\[[^\]\n]*\])?\{)")

_SENTENCE = re.compile(r"[A-Za-z]{2,}\s+[A-Za-z]{2,}")
_IN_BRACES = re.compile(r"\\\w+\s*(?:\{[^{}]*\})?")


def read_prose(path: Path) -> str:
    """Return the text of an author's file without its comments, each line where it is in the file.

    What is filled in begins with signs that are only text in code: there they are quoted.

    Raises
    ------
    RenderError
        It is not UTF-8, or has signs that cannot be printed.
    """
    return _PARTS.sub(_quote_code, read_uncommented(path))


def _quote_code(part: re.Match[str]) -> str:
    """Return a part of a text; if it is code, its signs stand for themselves when it is filled in."""
    ticks = part["ticks"] or ""
    is_code = part["fence"] or len(ticks) > 2 or (ticks and not _GAP.search(part[0]))
    return _SIGNS.sub(r"<< '\g<0>' >>", part[0]) if is_code else part[0]


def read_uncommented(path: Path) -> str:
    """Return the text of an author's file or template without its comments.

    Raises
    ------
    RenderError
        It is not UTF-8, or has signs that cannot be printed.
    """
    text = read_text(path)
    return _COMMENT.sub(lambda m: re.sub(r"[^\n]", "", m[0]) if m["comment"] else m[0], text)


def read_text(path: Path) -> str:
    """Return the text of an author's file as it is, with newlines as ours.

    Raises
    ------
    RenderError
        It is not UTF-8, or has signs that cannot be printed.
    """
    text = re.sub(r"\r\n?", "\n", _decode(path))
    if found := find_unprintable(text):
        line = text.count("\n", 0, found[0]) + 1
        raise RenderError(found[1], hint=UNPRINTABLE_HINT, file=path.name, line=line)
    return text


def _decode(path: Path) -> str:
    content, hint = path.read_bytes(), "save the file as UTF-8"
    if content.startswith(_UTF_16):
        raise RenderError("not UTF-8 text but UTF-16", hint=hint, file=path.name)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = len(re.findall(rb"\r\n?|\n", content[: error.start])) + 1
        message = f"not UTF-8 text: {error.reason}"
        raise RenderError(message, hint=hint, file=path.name, line=line) from error


def require_markup(path: Path) -> str:
    """Return the author's words in ``path``, their markup checked on its own so that file and line are right.

    Raises
    ------
    RenderError
        They are not UTF-8, have a header, leave a div open, or use markup that the report cannot carry.
    """
    whole = read_prose(path)
    blanked = TEMPLATE.sub(lambda m: blank_out(m[0]), whole)
    text = Text(whole, syntax.blank_code(blanked))
    every = [
        *_find_headers(text),
        *find_image_problems(text, path.parent),
        *_find_shortcodes(text),
        *_find_notes(text),
        *_find_open_code(text),
        *_find_tex(text),
        *lint.find_markup(text),
        *lint.find_attributes(text, _SPANS, {"tbl-colwidths", "fig-alt", "width"}),
        *lint.find_divs(text, lint.AUTHOR_DIVS, {"title"}),
    ]
    found = sorted(every, key=lambda problem: problem.line)
    if found:
        raise RenderError(found[0].message, hint=found[0].hint, file=path.name, line=found[0].line)
    return whole


def _find_headers(text: Text) -> Iterator[Problem]:
    for match in _HEADER.finditer(text.prose):
        message = "a header is no part of the text"
        yield Problem(text.line(match.start(1)), message, "title, author and date stand in study.toml")


def _find_open_code(text: Text) -> Iterator[Problem]:
    for match in re.finditer(r"^ {0,3}(`{3,}|~{3,})[^`\n]*$", text.prose, re.M):
        yield Problem(text.line(match.start()), "the code block is never closed", f"close it with {match[1]}")


def _find_tex(text: Text) -> Iterator[Problem]:
    """Yield what would be printed as it is typed: commands of TeX, and equations that do not end or have a gap."""
    filled = TEMPLATE.sub(lambda m: blank_out(m[0]), text.whole)
    for match in NOT_TEXT.finditer(CODE_BLOCK.sub(lambda m: blank_out(m[0]), filled)):
        if match[0] == "$$":
            hint = "close it with $$, or write \\$\\$ for the signs"
            yield Problem(text.line(match.start()), "the equation is never closed", hint)
        elif match[0].startswith("$$") and _GAP.search(match[0]):
            hint = "take the empty line away; $$ begins and ends an equation"
            yield Problem(text.line(match.start()), "an equation has an empty line in it", hint)
        elif match[0].startswith("$") and _SENTENCE.search(_IN_BRACES.sub("", match[0])):
            hint = "write \\$ for the sign of money, \\text{words} in an equation"
            yield Problem(
                text.line(match.start()), f"words between two $ are no equation: {match[0][:40]}", hint
            )
    for match in _TEX.finditer(text.prose):
        hint = "write **bold**, *italic*, [@key], $x$; or \\\\ for the sign itself"
        yield Problem(
            text.line(match.start()), f"commands of TeX are not part of the subset: {match[0]}", hint
        )


def _find_shortcodes(text: Text) -> Iterator[Problem]:
    for match in re.finditer(r"\{\{<", text.prose):
        yield Problem(
            text.line(match.start()), "shortcodes such as {{< include >}} are not part of the subset"
        )


def _find_notes(text: Text) -> Iterator[Problem]:
    """Yield the notes that are given twice, are referred to and not given, or the other way round."""
    found = list(_NOTE.finditer(text.prose))
    given = [m for m in found if m["colon"] and not text.prose[: m.start()].rpartition("\n")[2].strip()]
    used = [m for m in found if m not in given]
    often = Counter(m["name"] for m in given)
    for match in given:
        if often[match["name"]] > 1:
            yield Problem(text.line(match.start()), f"the note [^{match['name']}] is given twice")
        if match["name"] not in {m["name"] for m in used}:
            yield Problem(text.line(match.start()), f"nothing refers to the note [^{match['name']}]")
    for match in used:
        if match["name"] not in often:
            hint = f"write it on a line of its own: [^{match['name']}]: ..."
            yield Problem(text.line(match.start()), f"the note [^{match['name']}] is not given", hint)
