"""From the report's source to one HTML page, by pandoc; both outputs start from this page."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from report.document import directions
from report.errors import EnvironmentProblem, RenderError

SOURCE = "report.qmd"
# Raw HTML and TeX stay text, so nothing written by others becomes markup.
READER = "markdown-raw_html-raw_tex-raw_attribute-native_divs-native_spans-markdown_in_html_blocks"
_MATH = re.compile(
    r"Could not convert TeX math\s+(.*?)(?:, rendering as TeX:|\n).*?(unexpected [^\n]*)", re.S
)


@dataclass(frozen=True)
class Theme:
    """The templates folder, and the style sheets (below ``theme/``) that the page links to."""

    templates: Path
    styles: tuple[str, ...]


def convert(source: Path, theme: Theme) -> str:
    """Return the HTML page of a source, its images and style sheets still links.

    Parameters
    ----------
    source : Path
        The folder with ``report.qmd`` and ``references.bib``.
    theme : Theme
        The templates and style sheets.

    Raises
    ------
    RenderError
        If pandoc fails or warns.
    """
    arguments = [
        *("--from", READER, "--to", "html5", "--standalone", "--wrap", "none", "--sandbox"),
        *("--lua-filter", str(theme.templates / "filters" / "report.lua")),
        *("--citeproc", "--bibliography", str(source / "references.bib")),
        *("--metadata", "link-citations=true"),
        *("--template", str(theme.templates / "theme" / "page.html")),
        *("--toc", "--toc-depth", "3", "--section-divs", "--mathml", "--fail-if-warnings"),
        "--syntax-highlighting=none",  # it would look through all languages for a class of ours: 0.5 s
        *(part for style in theme.styles for part in ("--css", f"theme/{style}")),
    ]
    text = (source / SOURCE).read_bytes()
    done = run_pandoc(arguments, text.decode())
    if done.returncode != 0:
        above = rf'[^\s"]*/(?=(?:{re.escape(source.name)}|{re.escape(theme.templates.name)})/)'
        said = re.sub(above, "", done.stderr.decode(errors="replace"))
        hint = "mend the template or the prose that the message names, then build again"
        complaint = first_complaint(said, text.decode())
        file = SOURCE if complaint.line else ""
        raise RenderError(
            complaint.message, hint=hint, file=file, line=complaint.line, equation=complaint.equation
        )
    return directions.mark_directions(done.stdout.decode())


def run_pandoc(arguments: list[str], text: str) -> subprocess.CompletedProcess[bytes]:
    """Return what pandoc makes of ``text``."""
    return subprocess.run([_pandoc(), *arguments], input=text.encode(), capture_output=True, check=False)


def _pandoc() -> str:
    try:
        import pypandoc

        return str(pypandoc.get_pandoc_path())
    except (ImportError, OSError) as error:
        raise EnvironmentProblem(
            "pandoc is not in this Python environment", hint="pip install pypandoc_binary"
        ) from error


class Complaint(NamedTuple):
    """What pandoc says is wrong; of an equation also the equation and the line on which it begins."""

    message: str
    line: int = 0
    equation: str = ""


def first_complaint(said: str, text: str) -> Complaint:
    """Return the first complaint in what pandoc ``said`` of ``text``."""
    if math := _MATH.search(said):
        line = text.count("\n", 0, max(text.find(math[1]), 0)) + 1
        message = f"the equation {math[1]} is not understood: {math[2]}"
        return Complaint(message, line, math[1])
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    while len(lines) > 1 and lines[0].endswith(":"):
        lines[:2] = [f"{lines[0]} {lines[1]}"]
    return Complaint(f"pandoc failed: {lines[0] if lines else 'no message'}")
