"""Our own check of the report's source, for what Quarto only warns about or passes in silence."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from report.document.origin import Origin
from report.document.pandoc import SOURCE
from report.document.syntax import (
    ALTERNATIVE,
    ATTRIBUTES,
    AUTOLINK,
    CITATION,
    CODE_BLOCK,
    DIV,
    HTML,
    IMAGE,
    LINK,
    Text,
    blank_code,
    blank_out,
)
from report.errors import RenderError, nearest

DOUBTS = "doubts.json"
"""What in the author's words a result could contradict, for whoever builds."""
NUMBERED = ("fig", "tbl", "sec", "eq")
AUTHOR_DIVS = {
    *("callout-note", "callout-warning", "callout-important", "callout-tip", "callout-caution"),
    "panel-tabset",
}
"""What a passage of the author may have; only templates have the others."""
DIVS = AUTHOR_DIVS | {"author", "computed", "references", "content-visible"}
SPANS = {"computed", "author", "given", "unnumbered", "-"}
DIV_KEYS = {"title", "layout-ncol", "when-format"}
KEYS = {"fig-alt", "width", "tbl-colwidths"}

OUTSIDE = "does not lie in figures/"
OUTSIDE_HINT = "a report shows its own figures only"


@dataclass(frozen=True, order=True)
class Problem:
    """Something in the source that must not reach a reader, and the line it stands on."""

    line: int
    message: str
    hint: str = ""
    word: str = ""
    """What of the line is wrong, as it is written there."""


def require_sound(
    folder: Path,
    locate: Callable[[Problem], Origin | None] | None = None,
    left_out: Mapping[str, str] | None = None,
) -> None:
    """Check ``folder/report.qmd``.

    Parameters
    ----------
    folder : Path
        Where it lies, with its images and literature.
    locate : callable, optional
        Returns where a problem was written, None if that is not known.
    left_out : mapping of str to str, optional
        The ids that stand in sections which the report does not have, with the section of each.

    Raises
    ------
    RenderError
        With the file and line of the first problem.
    """
    found = find_problems(folder, left_out)
    if found:
        first, *others = [(locate(p) if locate else None) or Origin(SOURCE, p.line) for p in found[:6]]
        places = ", ".join(f"{file}:{line}" for file, line in others)
        rest = f"; {len(found) - 1} more: {places}" if others else ""
        raise RenderError(found[0].message + rest, hint=found[0].hint, file=first.file, line=first.line)


def find_problems(folder: Path, left_out: Mapping[str, str] | None = None) -> list[Problem]:
    """Return what is wrong with ``folder/report.qmd``, in the order of its lines."""
    whole = (folder / SOURCE).read_bytes().decode()
    bibliography = folder / "references.bib"
    keys = _list_bibliography_keys(bibliography.read_bytes().decode()) if bibliography.exists() else set()
    text = Text(whole, blank_code(whole))
    return sorted(
        {
            *_find_references(text, keys, left_out or {}),
            *_image_problems(text, folder),
            *_find_leftovers(text),
            *_find_headings(text),
            *find_markup(text),
            *find_attributes(text),
            *find_divs(text),
            *_find_links(text),
        }
    )


def _list_bibliography_keys(text: str) -> set[str]:
    return set(re.findall(r"^\s*@\w+\s*\{\s*([^,\s]+)\s*,", text, flags=re.M))


def _find_ids(text: Text) -> Iterator[tuple[str, int]]:
    for match in ATTRIBUTES.finditer(text.prose):
        for name in re.findall(r"(?:^|\s)#([^\s}]+)", match[1]):
            yield name, text.line(match.start())


def _find_references(text: Text, keys: set[str], left_out: Mapping[str, str]) -> Iterator[Problem]:
    places: dict[str, int] = {}
    for name, line in _find_ids(text):
        if name in places:
            yield Problem(
                line, f"the id #{name} is taken since line {places[name]}", "give one of them another id"
            )
        places.setdefault(name, line)
    for match in CITATION.finditer(text.prose):
        key, line = match["braced"] or match["plain"], text.line(match.start())
        if key.split("-")[0].lower() in NUMBERED and "-" in key:
            if key in left_out:
                message = f"@{key} refers to the section {left_out[key]}, which report.sections leaves out"
                hint = f'add "{left_out[key]}" to it, or take the reference away'
                yield Problem(line, message, hint, f"@{key}")
            elif key not in places:
                near = _nearest(key, set(places), "ids")
                yield Problem(line, f"@{key} refers to nothing", near, f"@{key}")
        elif key not in keys:
            hint = (
                f"{_nearest(key, keys, 'keys')}; references.bib beside study.toml is yours; \\@ is the sign"
            )
            yield Problem(line, f"@{key} is not in references.bib", hint, f"@{key}")


def _nearest(name: str, known: set[str], what: str) -> str:
    near = nearest(name, known)
    return (
        f"nearest {what}: {', '.join(near)}"
        if near
        else f"known {what}: {', '.join(sorted(known)[:8]) or 'none'}"
    )


def _image_problems(text: Text, folder: Path) -> Iterator[Problem]:
    for match in IMAGE.finditer(text.prose):
        line, file = text.line(match.start()), match["file"]
        said = text.whole[slice(*match.span("attributes"))] if match["attributes"] else ""
        if not file.startswith("figures/") or ".." in file:
            yield Problem(line, f"the image {file} {OUTSIDE}", OUTSIDE_HINT)
        elif not (folder / file).is_file():
            yield Problem(line, f"the image {file} is missing")
        if "#fig-" in (match["attributes"] or "") and not _stands_alone(text.whole, match):
            yield Problem(
                line, f"the figure {file} does not stand alone", "leave an empty line before and after it"
            )
        if not ALTERNATIVE.search(said):
            yield Problem(line, f"the image {file} has no fig-alt", 'add fig-alt="what the image shows"')


def _stands_alone(whole: str, match: re.Match[str]) -> bool:
    before = whole[: match.start()].rsplit("\n", 2)
    after = whole[match.end() :].split("\n", 2)
    beside = before[-1] + after[0]
    around = [line.strip() for line in (*before[-2:-1], *after[1:2])]
    return not beside.strip() and all(not line or line.startswith(":::") for line in around)


def _find_leftovers(text: Text) -> Iterator[Problem]:
    for match in re.finditer(r"<<|<%|\{\{<|\{\{|\{%", text.prose):
        yield Problem(text.line(match.start()), f"{match[0]} is left over from a template")


def find_markup(text: Text) -> Iterator[Problem]:
    """Yield HTML, and code that would run or is raw markup."""
    hint = "escape a sign that is meant as such: \\<"
    prose = AUTOLINK.sub(lambda m: blank_out(m[0]), text.prose)
    for match in HTML.finditer(prose):
        yield Problem(
            text.line(match.start()), f"HTML is not part of the subset: {match[0].split()[0][:30]}", hint
        )
    for match in CODE_BLOCK.finditer(text.whole):
        if "{" in match["info"] and not re.fullmatch(r"\s*\{\s*\.[\w-]+\s*\}\s*", match["info"]):
            yield Problem(
                text.line(match.start()), f"a code block that runs or is raw: {match['info'].strip()}"
            )
    for match in re.finditer(r"\{=\w+\}", text.prose):
        yield Problem(text.line(match.start()), f"raw markup is not part of the subset: {match[0]}")


def _find_headings(text: Text) -> Iterator[Problem]:
    for match in re.finditer(r"(?<=\n)(?!---|:::)[^\n]*\S[^\n]*\n(?=#{1,6} )", text.prose):
        yield Problem(text.line(match.end()), "a heading needs an empty line before it")


def find_attributes(text: Text, classes: set[str] = SPANS, keys: set[str] = KEYS) -> Iterator[Problem]:
    """Yield the classes and keys of anything but a div that are not among those."""
    divs = {match.start("attributes") for match in DIV.finditer(text.prose)}
    for match in ATTRIBUTES.finditer(text.prose):
        if match.start() not in divs:
            yield from _find_unknown(match[1], text.line(match.start()), classes, keys)


def find_divs(text: Text, classes: set[str] = DIVS, keys: set[str] = DIV_KEYS) -> Iterator[Problem]:
    """Yield divs that are not closed or close nothing, and their classes and keys that are not among those."""
    open_lines: list[int] = []
    for match in DIV.finditer(text.prose):
        line = text.line(match.start())
        if not match["attributes"]:
            if not open_lines:
                yield Problem(line, "::: closes nothing", "take it away, or open a div above it")
            else:
                open_lines.pop()
            continue
        open_lines.append(line)
        yield from _find_unknown(match["attributes"], line, classes, keys)
    for line in open_lines:
        yield Problem(line, "::: is never closed", "close it with ::: on a line of its own")


def _find_unknown(attributes: str, line: int, classes: set[str], keys: set[str]) -> Iterator[Problem]:
    for part in re.sub(r"\"[^\"]*\"|'[^']*'", "", attributes).strip("{}").split():
        known = part.split("=")[0] in keys if "=" in part else part.lstrip(".") in classes
        if not known and not part.startswith("#"):
            allowed = sorted(f".{name}" for name in classes) + sorted(f"{name}=" for name in keys)
            yield Problem(line, f"{part} is not part of the subset", f"known here: {' '.join(allowed)}")


def _find_links(text: Text) -> Iterator[Problem]:
    ids = {name for name, _ in _find_ids(text)}
    for match in LINK.finditer(text.prose):
        address, line = match["address"].strip("<>"), text.line(match.start())
        if address.startswith("#") and address[1:] not in ids:
            yield Problem(line, f"the link {address} leads nowhere", "", f"({address})")
        elif not address.startswith(("#", "https://", "http://", "mailto:")):
            yield Problem(line, f"the link {address[:60]} leads out of the report", "use https:// or #id")
