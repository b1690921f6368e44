"""The template engine: what templates and the author's passages are filled in with, and where an error in one is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import CodeType
from typing import Any

from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PrefixLoader,
    StrictUndefined,
    TemplateError,
    TemplateSyntaxError,
)
from jinja2.bccache import Bucket, BytecodeCache
from jinja2.sandbox import ImmutableSandboxedEnvironment

from analysis.vocabulary.measures import as_average, as_head, in_text
from report.document.markdown import escape, fence_code, join_lines, quote_code, quote_yaml
from report.errors import RenderError
from report.writing.values import (
    count,
    counted,
    day,
    decimal,
    highlight,
    hundredths,
    listed,
    percent,
    sentence_case,
    slug,
    spelled,
    unbroken,
    whole_percent,
)


class _Compiled(BytecodeCache):
    """Templates as code, so that a process compiles each once, however often and from wherever it fills them in."""

    def __init__(self) -> None:
        self._code: dict[tuple[str, str], CodeType | None] = {}

    def get_cache_key(self, name: str, filename: str | None = None) -> str:
        """Return what a template is known by: the folder of a stage's templates is another each time."""
        return name

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give the code of the template ``bucket``, if it is known in these words."""
        bucket.code = self._code.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep the code of the template ``bucket``."""
        self._code[bucket.key, bucket.checksum] = bucket.code


_COMPILED = _Compiled()
_TOKEN = re.compile(r"expected token .*, got (\S+)")
OURS = "ours"


class _Engine(ImmutableSandboxedEnvironment):
    """A template that extends itself extends ours of this name."""

    def join_path(self, template: str, parent: str) -> str:
        """Return what a template is called that another one names."""
        return f"{OURS}/{template}" if template == parent else template


def make_environment(loader: BaseLoader) -> ImmutableSandboxedEnvironment:
    """Return the template engine of templates and passages."""
    engine = _Engine(
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
    engine.filters |= {"md": escape, "yaml": quote_yaml, "code": quote_code, "fenced": fence_code}
    engine.filters |= {"listed": listed, "count": count, "spelled": spelled}
    return engine


class _Own(FileSystemLoader):
    """The templates in a study's folder, which errors call by it."""

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        """Return a template's text, and what it is called."""
        text, path, uptodate = super().get_source(environment, template)
        return text, "/".join(Path(path).parts[-4:]), uptodate


def make_engine(
    folder: Path, known: Mapping[str, Any], own: Path | None = None
) -> ImmutableSandboxedEnvironment:
    """Return the engine of the templates in ``folder``, each of which can use what is ``known``.

    What a template imports knows it too, so that a sentence needs as arguments only what it is about. One of the same
    name in the folder ``own`` stands in place of ours, and can extend it.
    """
    ours = FileSystemLoader(folder, followlinks=True)
    places = [_Own(own), ours, PrefixLoader({OURS: ours})] if own else [ours]
    engine = make_environment(ChoiceLoader(places))
    engine.bytecode_cache = _COMPILED
    engine.filters |= {"one_line": join_lines, "unbroken": unbroken, "highlight": highlight, "slug": slug}
    engine.filters |= {"sentence_case": sentence_case, "counted": counted, "each": each}
    engine.filters |= {"day": day}
    engine.filters |= {"decimal": decimal, "percent": percent}
    engine.filters |= {"in_text": in_text, "as_average": as_average, "as_head": as_head}
    engine.filters |= {"hundredths": hundredths, "whole_percent": whole_percent}
    engine.globals |= known
    return engine


def each(items: Iterable[Any], macro: Callable[..., str], *more: Any) -> list[str]:
    """Return what a macro says of each of ``items``."""
    return [macro(item, *more) for item in items]


@contextmanager
def locate_errors() -> Iterator[None]:
    """Raise errors in what is filled in as those of its file and line."""
    try:
        yield
    except RenderError as error:
        file, line = _place(error)
        raise RenderError(error.message, hint=error.hint, file=file, line=line) from error
    except TemplateError as error:
        hint = "<< and <% begin what is filled in; write << '<<' >> for the signs themselves"
        if re.search("[“”„‘’]", error.message or ""):
            hint = 'write straight quotes: << r("name") >>'
        file, line = _place(error)
        said = error.message or str(error)
        raise RenderError(
            _TOKEN.sub(r"\1 is not understood here", said), hint=hint, file=file, line=line
        ) from error
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:  # in an expression
        file, line = _place(error)
        hint = 'quote a result as << r("name") >>'
        raise RenderError(str(error), hint=hint, file=file, line=line) from error


def _place(error: BaseException) -> tuple[str, int]:
    """Return the template or prose in which ``error`` arose, "" if none is known, and the line of it, or 0."""
    where, lineno = "", None
    if isinstance(error, TemplateSyntaxError):
        where, lineno = error.filename or error.name or "", error.lineno
    trace = error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file.endswith((".j2", ".md")):
            where, lineno = file, trace.tb_lineno
        trace = trace.tb_next
    return where if not Path(where).is_absolute() else Path(where).name, lineno or 0
