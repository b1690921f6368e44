"""Templates of the author in place of ours: which may be replaced, and what may not stand in them.

The words of a template are the author's then. A verdict and a result stay what they are: no word of a verdict may be typed,
no number that looks like a result, and nothing be computed; all of these are quoted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from jinja2 import BaseLoader, Environment, nodes
from jinja2.optimizer import optimize

from report.errors import RenderError, did_you_mean, nearest
from report.writing.author.doubts import GIVEN, JUDGEMENT, NUMBER
from report.writing.author.markup import read_uncommented
from report.writing.templates import locate_errors, make_environment

FOLDER = "templates"
ROOMS = ("sections", "floats")
"""The folders of templates that an author may replace; sentences are chosen by results, and stay."""
_COMPUTING = (
    nodes.Add,
    nodes.Sub,
    nodes.Mul,
    nodes.Div,
    nodes.FloorDiv,
    nodes.Mod,
    nodes.Pow,
    nodes.Filter,
    nodes.Getattr,
)


@dataclass(frozen=True)
class Override:
    """A template of the author: its name, and the blocks of ours that it replaces; none where it replaces all of it."""

    name: str
    blocks: tuple[str, ...]


def require_overrides(folder: Path, ours: Path) -> list[Override]:
    """Return the templates below a study's ``folder`` that stand in place of ``ours``, each checked.

    Raises
    ------
    RenderError
        One replaces nothing, cannot be read, or says what only results may say; the message has file and line.
    """
    found, engine = [], make_environment(BaseLoader())
    for path in sorted((folder / FOLDER).rglob("*.j2")):
        name = path.relative_to(folder / FOLDER).as_posix()
        _require_replaceable(name, f"{folder.name}/{FOLDER}/{name}", ours)
        found.append(_check(path, name, engine, (ours / name).read_text(encoding="utf-8")))
    return found


def _require_replaceable(name: str, file: str, ours: Path) -> None:
    known = [p.relative_to(ours).as_posix() for room in ROOMS for p in (ours / room).glob("*.j2")]
    if name not in known:
        hint = did_you_mean(nearest(name, known), "report template NAME copies one of ours")
        rooms = " and ".join(f"{FOLDER}/{room}" for room in ROOMS)
        raise RenderError(f"there is no such template in {rooms} to replace", hint=hint, file=file)


def _check(path: Path, name: str, engine: Environment, our_text: str) -> Override:
    file = f"{path.parents[2].name}/{FOLDER}/{name}"
    text = read_uncommented(path)
    with locate_errors():
        tree = engine.parse(text, name, file)
    faults = chain(_find_lost(tree, name, our_text, engine), _find_faults(text, our_text, engine))
    for line, message, hint in faults:
        raise RenderError(message, hint=hint, file=file, line=line)
    extends = next(tree.find_all(nodes.Extends), None)
    return Override(name, tuple(block.name for block in tree.find_all(nodes.Block)) if extends else ())


def _find_lost(
    tree: nodes.Template, name: str, our_text: str, engine: Environment
) -> Iterator[tuple[int, str, str]]:
    """Yield line, complaint and hint of what a template that extends ours of its ``name`` has and the report would not."""
    extends = next((node for node in tree.body if isinstance(node, nodes.Extends)), None)
    if extends is None or getattr(extends.template, "value", None) != name:
        return
    known = [block.name for block in engine.parse(our_text).find_all(nodes.Block)]
    for node in tree.body[tree.body.index(extends) :]:
        if isinstance(node, nodes.Block) and node.name not in known:
            hint = did_you_mean(nearest(node.name, known), f"its blocks: {', '.join(known)}")
            yield node.lineno, f"ours has no block {node.name}", hint
        for text in node.nodes if isinstance(node, nodes.Output) else ():
            typed = text.data if isinstance(text, nodes.TemplateData) else "x"
            if typed.strip():
                line = text.lineno + typed[: len(typed) - len(typed.lstrip())].count("\n")
                yield (
                    line,
                    "what stands outside the blocks is not shown",
                    "<% block NAME %> ... <% endblock %>",
                )


def _find_faults(text: str, our_text: str, engine: Environment) -> Iterator[tuple[int, str, str]]:
    """Yield line, complaint and hint of what ``text`` has that only results may say, and ours does not have."""
    ours = {words for _, words in _find_texts(our_text, engine)}
    typed = [pair for pair in _find_texts(text, engine) if pair[1] not in ours]
    for line, words in typed:
        if word := JUDGEMENT.search(words):
            yield line, f'"{word[0]}": only the verdict of a comparison says so', "choose another word"
        if number := NUMBER.search(GIVEN.sub("", words)):
            hint = 'quote it: << r("name") >>, or write [...]{.given} if it is none'
            yield line, f"{number[0]} looks like a result", hint
    known = {repr(node) for node in engine.parse(our_text).find_all(_COMPUTING)}
    for node in engine.parse(text).find_all(_COMPUTING):
        if repr(node) in known:
            continue
        if isinstance(node, nodes.Getattr):
            if JUDGEMENT.fullmatch(node.attr):
                yield (
                    node.lineno,
                    f"{node.attr}: a verdict is not chosen by hand",
                    "<< verdicts.decided(other) >>",
                )
        elif not isinstance(node, nodes.Filter) or node.name == "replace":
            yield node.lineno, "a result is changed here", 'quote it as it is: << r("name") >>'


def _find_texts(text: str, engine: Environment) -> Iterator[tuple[int, str]]:
    """Yield each line of what a template prints as it is typed, also where it is put together of parts."""
    for node in optimize(engine.parse(text), engine).find_all((nodes.TemplateData, nodes.Const)):
        typed = node.data if isinstance(node, nodes.TemplateData) else getattr(node, "value", None)
        if isinstance(typed, str | float):
            for offset, words in enumerate(str(typed).split("\n")):
                yield node.lineno + offset, words
