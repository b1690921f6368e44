"""The author's passages as closed blocks: each filled in, parsed and checked by itself.

Nothing in a passage reaches the text around it: its template cannot include or change anything, and pandoc reads it
alone, without header, raw markup and links to names given elsewhere. `passage.lua` lets the elements of its list pass,
names ids and notes after the passage, and writes it again as markdown of our subset.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jinja2 import (
    BaseLoader,
    FunctionLoader,
    StrictUndefined,
    TemplateError,
    TemplateSyntaxError,
    Undefined,
    nodes,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment

from report.document import lint, pandoc
from report.document.markdown import escape, fence_code, quote_code, quote_yaml
from report.errors import RenderError
from report.writing import author
from report.writing.values import count, listed, spelled

KNOWN = ("r", "value", "ci", "grouped", "study", "sample")
"""What a passage can use of what the templates have."""
READER = f"{pandoc.READER}-yaml_metadata_block-pandoc_title_block-blank_before_header+autolink_bare_uris"
_OTHERS = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends, nodes.Block)
_ITEM = re.compile(r"[-*+][ \t]+\S|1[.)][ \t]+\S")
_TABLE = re.compile(
    r"[^\n]*\|[^\n]*\n[ \t]*\|?[ \t]*:?-+:?[ \t]*(\|[ \t]*:?-+:?[ \t]*)+\|?[ \t]*(\n|\Z)|\+([-:]+\+)+[ \t]*\n\|"
)
_NOTHING = re.compile(r":+ \{\.author\}\s*:+")
_LISTED = re.compile(r"[ \t]|[-*+>|:][ \t]|\(?\w+[.)][ \t]")


def environment(loader: BaseLoader) -> ImmutableSandboxedEnvironment:
    """Return the template engine of templates and passages."""
    made = ImmutableSandboxedEnvironment(
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<<",
        variable_end_string=">>",
        comment_start_string="<#",
        comment_end_string="#>",
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        loader=loader,
        autoescape=False,  # the output is markdown: text from outside goes through the md filter
    )
    made.filters |= {"md": escape, "yaml": quote_yaml, "code": quote_code, "fenced": fence_code}
    made.filters |= {"listed": listed, "count": count, "spelled": spelled}
    return made


@contextmanager
def located() -> Iterator[None]:
    """Tell of errors in what is filled in as those of its file and line."""
    try:
        yield
    except RenderError as error:
        raise RenderError(f"{_place(error)}: {error.message}", hint=error.hint) from error
    except TemplateError as error:
        hint = "<< and <% begin what is filled in; write << '<<' >> for the signs themselves"
        if re.search("[“”„‘’]", error.message or ""):
            hint = 'write straight quotes: << r("name") >>'
        raise RenderError(f"{_place(error)}: {error.message}", hint=hint) from error
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:  # in an expression
        raise RenderError(f"{_place(error)}: {error}", hint='quote a result as << r("name") >>') from error


def _place(error: BaseException) -> str:
    """Return ``file:line`` of the template or prose in which ``error`` arose."""
    where, lineno = "", None
    if isinstance(error, TemplateSyntaxError):
        where, lineno = error.filename or error.name or "", error.lineno
    trace = error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file.endswith((".j2", ".md")):
            where, lineno = file, trace.tb_lineno
        trace = trace.tb_next
    return f"{Path(where).name or 'template'}:{lineno or '?'}"


def passage(path: Path, context: Mapping[str, Any], templates: Path) -> str:
    """Return the author's passage in ``path`` as a closed block of markdown; "" if it says nothing.

    Raises
    ------
    RenderError
        With file and line of what the report cannot carry, or what cannot be filled in.
    """
    text = author.require_prose(path)
    filled = _filled(path.name, text, {name: context[name] for name in KNOWN})
    if not filled.strip():
        return ""
    return _closed(path.name, text, _with_lists(filled), templates)


def _filled(name: str, text: str, context: Mapping[str, Any]) -> str:
    """Return ``text`` with results filled in; it can use no other template."""
    made = environment(FunctionLoader(lambda _: (text, name, None))).overlay(finalize=_as_text)
    with located():
        others = list(made.parse(text, name, name).find_all(_OTHERS))
        if not others:
            return made.get_template(name).render(context)
    word = type(others[0]).__name__.lower()
    raise RenderError(f"{name}:{others[0].lineno}: <% {word} %>: a passage has its own words only")


def _as_text(value: Any) -> Any:
    """Refuse to print what is no text or number, such as all results at once."""
    if not isinstance(value, str | int | float | Undefined):
        raise TypeError("what is filled in here is no text")
    return value


def _with_lists(text: str) -> str:
    """Return ``text`` with an empty line before each list or table right below a paragraph, as many write them."""
    lines: list[str] = []
    blanked = lint.CODE_BLOCK.sub(lambda m: lint.blank(m[0]), text).split("\n")
    for number, line in enumerate(text.split("\n")):
        above = lines[-1] if lines else ""
        begins = _ITEM.match(blanked[number]) or _TABLE.match("\n".join(blanked[number : number + 2]))
        if begins and above.strip() and not _LISTED.match(above):
            lines.append("")
        lines.append(line)
    return "\n".join(lines)


def _closed(name: str, text: str, filled: str, templates: Path) -> str:
    """Return ``filled`` as a block that pandoc has read alone; ``text`` has the author's lines."""
    arguments = [
        *("--from", READER, "--to", "markdown", "--wrap", "preserve", "--sandbox", "--fail-if-warnings"),
        *("--lua-filter", str(templates / "filters" / "passage.lua")),
        *("--metadata", f"passage={name.partition('.')[0]}", "--metadata", f"section={author.FILES[name]}"),
    ]
    done = pandoc.run(arguments, filled)
    if done.returncode == 0:
        block = done.stdout.decode().rstrip("\n")
        return "" if _NOTHING.fullmatch(block) else block
    said = done.stderr.decode(errors="replace")
    refused = re.search(r"REFUSED\t(.*?)\t(.*?)\t(.*?)\t", said, re.S)
    if refused is None:
        raise RenderError(f"{name}: {pandoc.complaint(said, filled)}")
    at = text.find(refused[1]) if refused[1] else -1
    place = f"{name}:{text.count(chr(10), 0, at) + 1}" if at >= 0 else name
    raise RenderError(f"{place}: {' '.join(refused[2].split())}", hint=refused[3])
