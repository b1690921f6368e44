"""The report as one HTML file: style, fonts and figures inside, nothing that runs, nothing from the net."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

from report.document import check, pandoc, svg

STYLES = ("fonts.css", "document.css", "screen.css")
MEDIA = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".woff2": "font/woff2"}
_IMAGE = re.compile(r"<img\s[^>]*>")
_STYLESHEET = re.compile(r'<link rel="stylesheet" href="([^"]+)">')
_URL = re.compile(r'url\("([^"]+)"\)')


def render(inputs: dict[str, Path], out: Path, *, scratch: Path, progress: Callable[..., None]) -> None:
    """Write ``report.html`` from ``inputs["source"]`` (report.qmd and its figures) and ``inputs["templates"]``.

    Raises
    ------
    RenderError
        If the source fails our check or pandoc refuses it.
    """
    source, templates = inputs["source"], inputs["templates"]
    check.require(source)
    html = pandoc.page(source, pandoc.Theme(templates, STYLES))
    html = _STYLESHEET.sub(lambda link: _style(templates / link[1]), html)
    html = _pictures(html, source)
    (out / "report.html").write_bytes(html.encode())
    progress(1, 1, "documents")


def _style(sheet: Path) -> str:
    text = sheet.read_bytes().decode()
    return "<style>\n" + _URL.sub(lambda url: f'url("{data_uri(sheet.parent / url[1])}")', text) + "</style>"


def data_uri(file: Path) -> str:
    """Return the content of ``file`` as a ``data:`` address."""
    content = base64.b64encode(file.read_bytes()).decode()
    return f"data:{MEDIA[file.suffix]};base64,{content}"


def _pictures(html: str, source: Path) -> str:
    names = _unused_names()
    return _IMAGE.sub(lambda tag: _picture(_attributes(tag[0]), tag[0], source, names), html)


def _picture(image: dict[str, str], tag: str, source: Path, names: Callable[[str], str]) -> str:
    file = source / image["src"]
    if file.suffix == ".svg":
        name = names(re.sub(r"[^A-Za-z0-9]+", "-", file.stem))
        content = svg.inline(file.read_bytes(), name=image["src"], prefix=name, alt=image["alt"])
    else:
        content = tag.replace(f'src="{image["src"]}"', f'src="{data_uri(file)}"')
    # What may scroll on a small screen must be reachable with the keyboard.
    focus = ' tabindex="0"' if "data-wide" in content else ""
    return f'<div class="plate"{focus}>{content}</div>'


def _unused_names() -> Callable[[str], str]:
    """Return a function that gives each picture a name of its own, also one shown twice."""
    seen: dict[str, int] = {}

    def name(stem: str) -> str:
        seen[stem] = seen.get(stem, 0) + 1
        return f"picture-{stem}" + (f"-{seen[stem]}" if seen[stem] > 1 else "")

    return name


class _Tag(HTMLParser):
    attributes: dict[str, str]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes = {key: value or "" for key, value in attrs}


def _attributes(tag: str) -> dict[str, str]:
    parser = _Tag()
    parser.feed(tag)
    return parser.attributes
