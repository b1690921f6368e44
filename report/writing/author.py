"""The author's files: which they are, their text whatever the editor that saved it, and what may stand in them."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from report.document import lint
from report.document.lint import CODE_BLOCK, NOT_TEXT, TEMPLATE, Problem, Text, blank
from report.errors import RenderError
from report.study import letters

FILES = {"introduction.md": "Introduction", "discussion.md": "Discussion"}
"""The author's passages, and the heading of the section that each of them stands in."""
WRITTEN = {".md", ".markdown", ".txt", ".qmd", ".rmd", ".docx", ".odt", ".tex"}
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
SPANS = {"given", "unnumbered", "-"}
_COMMENT = re.compile(rf"(?P<comment><!--.*?-->)|{CODE_BLOCK.pattern}|{NOT_TEXT.pattern}", re.M | re.S)
_HEADER = re.compile(r"(?:\A|\n[ \t]*\n)(---[ \t]*\n[ \t]*[\w\"'-]+[ \t]*:|%[ \t]*\w[^\n]*(?=\n%))")
_NOTE = re.compile(r"\[\^(?P<name>[^\]\s]+)\](?P<colon>:?)")
_GIVEN = re.compile(r"\[[^\]]*\]\{\.given\}")
_TEX = re.compile(r"\\(?:newpage|clearpage|pagebreak|noindent)\b|\\[A-Za-z]+(?=\*?(?:\[[^\]\n]*\])?\{)")
_SHARE = re.compile(r"<<\s*r\([^<>]*\)\s*>>[ \u00a0]?%")
_NUMBER = re.compile(r"(?<![\w.,/-])(?:\d+(?:[.,]\d+)?[ \u00a0]?%|\d*\.\d+)(?![\w/-])")
_JUDGEMENT = re.compile(r"\b(significant(?:ly)?|outperform(?:s|ed)?|better|improves)\b", re.I)


def files(folder: Path) -> list[Path]:
    """Return the author's files in a study's folder; whatever else lies there is not for the report."""
    return [folder / name for name in FILES if (folder / name).is_file()]


def overlooked(folder: Path) -> list[str]:
    """Return a warning for each file in a study's folder that is called almost as one of the author's that is not there."""
    found = {path.name for path in files(folder)}
    return [
        f"{path.name} is not read: the author's text is {near[0]}, written so"
        for path in sorted(folder.iterdir())
        if path.name not in FILES
        and path.suffix.lower() in WRITTEN
        and (near := difflib.get_close_matches(path.stem.lower() + ".md", FILES, n=1, cutoff=0.85))
        and near[0] not in found
    ]


def read(path: Path) -> str:
    """Return the text of an author's file without its comments, each line where it is in the file.

    Raises
    ------
    RenderError
        It is not UTF-8, or has signs that cannot be printed.
    """
    text = re.sub(r"\r\n?", "\n", _decoded(path))
    if found := letters.unprintable(text):
        line = text.count("\n", 0, found[0]) + 1
        raise RenderError(f"{path.name}:{line}: {found[1]}", hint=letters.HINT)
    return _COMMENT.sub(lambda m: re.sub(r"[^\n]", "", m[0]) if m["comment"] else m[0], text)


def _decoded(path: Path) -> str:
    content, hint = path.read_bytes(), "save the file as UTF-8"
    if content.startswith(UTF_16):
        raise RenderError(f"{path.name}: not UTF-8 text but UTF-16", hint=hint)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = len(re.findall(rb"\r\n?|\n", content[: error.start])) + 1
        said = f"{path.name}:{line}: not UTF-8 text: {error.reason}"
        raise RenderError(said, hint=hint) from error


def require_prose(path: Path) -> str:
    """Return the author's words in ``path``, their markup checked on its own so that file and line are his.

    Raises
    ------
    RenderError
        They are not UTF-8, have a header, leave a div open, or use markup that the report cannot carry.
    """
    whole = read(path)
    blanked = TEMPLATE.sub(lambda m: blank(m[0]), whole)
    text = Text(whole, lint.plain(blanked))
    every = [
        *_headers(text),
        *_pictures(text),
        *_shortcodes(text),
        *_notes(text),
        *_open_code(text),
        *_tex(text),
        *lint.markup(text),
        *lint.attributes(text, SPANS, {"tbl-colwidths"}),
        *lint.divs(text, lint.AUTHOR_DIVS, {"title"}),
    ]
    found = sorted(every, key=lambda problem: problem.line)
    if found:
        raise RenderError(f"{path.name}:{found[0].line}: {found[0].message}", hint=found[0].hint)
    return whole


def _headers(text: Text) -> Iterator[Problem]:
    for match in _HEADER.finditer(text.prose):
        said = "a header is no part of the text"
        yield Problem(text.line(match.start(1)), said, "title, author and date stand in study.toml")


def _pictures(text: Text) -> Iterator[Problem]:
    for match in lint.PICTURE.finditer(text.prose):
        said = f"the picture {match['file']}: own pictures are not supported yet"
        yield Problem(text.line(match.start()), said, "refer to a figure of the report: @fig-counts")


def _open_code(text: Text) -> Iterator[Problem]:
    for match in re.finditer(r"^ {0,3}(`{3,}|~{3,})[^`\n]*$", text.prose, re.M):
        yield Problem(text.line(match.start()), "the code block is never closed", f"close it with {match[1]}")


def _tex(text: Text) -> Iterator[Problem]:
    """Yield what would be printed as it is typed: commands of TeX, and equations that do not end or have a gap."""
    filled = TEMPLATE.sub(lambda m: blank(m[0]), text.whole)
    for match in NOT_TEXT.finditer(CODE_BLOCK.sub(lambda m: blank(m[0]), filled)):
        if match[0] == "$$":
            hint = "close it with $$, or write \\$\\$ for the signs"
            yield Problem(text.line(match.start()), "the equation is never closed", hint)
        elif match[0].startswith("$$") and re.search(r"\n[ \t]*\n", match[0]):
            hint = "take the empty line away; $$ begins and ends an equation"
            yield Problem(text.line(match.start()), "an equation has an empty line in it", hint)
    for match in _TEX.finditer(text.prose):
        hint = "write **bold**, *italic*, [@key], $x$; or \\\\ for the sign itself"
        yield Problem(
            text.line(match.start()), f"commands of TeX are not part of the subset: {match[0]}", hint
        )


def _shortcodes(text: Text) -> Iterator[Problem]:
    for match in re.finditer(r"\{\{<", text.prose):
        yield Problem(
            text.line(match.start()), "shortcodes such as {{< include >}} are not part of the subset"
        )


def _notes(text: Text) -> Iterator[Problem]:
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


def doubts(path: Path, *, decided: bool) -> list[str]:
    """Return what in the author's words a result could contradict, each with file, line and the way out.

    These are numbers that look like results, and words that judge a comparison unless its verdict is ``decided``.
    ``[0.5]{.given}`` says that a number or word is no result.
    """
    whole = TEMPLATE.sub(lambda m: blank(m[0]), read(path))
    text = Text(whole, _GIVEN.sub(lambda m: blank(m[0]), lint.plain(whole)))
    found = [
        (m.start(), f"{m[0]} looks like a result: quote it by name") for m in _NUMBER.finditer(text.prose)
    ]
    if not decided:
        words = _JUDGEMENT.finditer(text.prose)
        found += [(m.start(), f'"{m[0]}": the verdict of the comparison does not carry it') for m in words]
    shares = [
        f"{path.name}:{text.line(m.start())}: a result such as 0.9 is a share of one and no percentage: take % away"
        for m in _SHARE.finditer(read(path))
    ]
    return shares + [
        f"{path.name}:{text.line(position)}: {what}, or write [...]{{.given}} if it is none"
        for position, what in sorted(found)
    ]
