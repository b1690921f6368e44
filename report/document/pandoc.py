"""From the report's source to one HTML page, by pandoc; both outputs start from this page."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from report.errors import EnvironmentProblem, RenderError

SOURCE = "report.qmd"
# Raw HTML and TeX stay text, so nothing written by others becomes markup.
READER = "markdown-raw_html-raw_tex-raw_attribute-native_divs-native_spans-markdown_in_html_blocks"


@dataclass(frozen=True)
class Theme:
    """The templates folder, and the style sheets (below ``theme/``) that the page links to."""

    templates: Path
    styles: tuple[str, ...]


def page(source: Path, theme: Theme) -> str:
    """Return the HTML page of ``source/report.qmd``, its pictures and style sheets still links.

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
        *(part for style in theme.styles for part in ("--css", f"theme/{style}")),
    ]
    return _run(arguments, (source / SOURCE).read_bytes()).decode()


def _run(arguments: list[str], text: bytes) -> bytes:
    done = subprocess.run([_pandoc(), *arguments], input=text, capture_output=True, check=False)
    if done.returncode != 0:
        raise RenderError(
            f"{SOURCE}: pandoc failed: {_first_line(done.stderr)}",
            hint="mend the template or the prose that the message names, then build again",
        )
    return done.stdout


def _pandoc() -> str:
    try:
        import pypandoc

        return str(pypandoc.get_pandoc_path())
    except (ImportError, OSError) as error:
        raise EnvironmentProblem(
            "pandoc is not in this Python environment", hint="pip install pypandoc_binary"
        ) from error


def _first_line(stderr: bytes) -> str:
    lines = [line.strip() for line in stderr.decode(errors="replace").splitlines() if line.strip()]
    return lines[0] if lines else "no message"
