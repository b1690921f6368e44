"""The template engine: what templates and the author's passages are filled in with, and where an error in one is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jinja2 import BaseLoader, StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from report.document.markdown import escape, fence_code, quote_code, quote_yaml
from report.errors import RenderError
from report.writing.values import count, listed, spelled


def make_environment(loader: BaseLoader) -> ImmutableSandboxedEnvironment:
    """Return the template engine of templates and passages."""
    engine = ImmutableSandboxedEnvironment(
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


@contextmanager
def locate_errors() -> Iterator[None]:
    """Raise errors in what is filled in as those of its file and line."""
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
