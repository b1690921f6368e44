"""The report as one HTML file: style, fonts, figures and their data inside, nothing from the net.

One small script follows the reader; the page's policy allows it by its digest and nothing else, and the page
lacks nothing without it.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

from report.document import downloads, lint, pandoc, svg
from report.errors import RenderError

STYLES = ("fonts.css", "document.css", "screen.css")
PICTURES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".svg": "image/svg+xml"}
MEDIA = {**PICTURES, ".woff2": "font/woff2"}
POLICY = "default-src 'none'"
_FIGURE = re.compile(r'<figure id="(?P<id>fig-[^"]+)"[^>]*>.*?</figure>|<img\s[^>]*>', re.S)
_TABLE = re.compile(r'<figure id="tbl-(?P<name>[^"]+)"[^>]*>.*?(?=</figure>)', re.S)
_IMAGE = re.compile(r"<img\s[^>]*>")
_LABEL = re.compile(r"<figcaption[^>]*>\s*([^:<]+?)\s*[:<]")
_STYLESHEET = re.compile(r'<link rel="stylesheet" href="([^"]+)">')
_SCRIPT = re.compile(r'<script src="([^"]+)"></script>')
_FUNCTION = re.compile(r"(</mo>)?(<mrow><mi[^>]*>\w+</mi><mo>&#8289;</mo></mrow>)(?=<m(?!o))")
THIN_SPACE = '<mspace width="0.167em"></mspace>'
_URL = re.compile(r'url\("([^"]+)"\)')


def render(inputs: dict[str, Path], out: Path, *, scratch: Path, progress: Callable[..., None]) -> None:
    """Write ``report.html``.

    Parameters
    ----------
    inputs : dict of str to Path
        ``source`` (``report.qmd`` and its figures) and ``templates`` (filters and theme).
    out : Path
        The folder that gets it.

    Raises
    ------
    RenderError
        If the source fails our check or pandoc refuses it.
    """
    source, templates = inputs["source"], inputs["templates"]
    lint.require_sound(source)
    html = pandoc.convert(source, pandoc.Theme(templates, STYLES))
    html = _STYLESHEET.sub(lambda link: _inline_style(templates / link[1]), html)
    html = _inline_script(html, templates)
    # Browsers set "log p" of MathML without the spaces that belong around a function's name.
    html = _FUNCTION.sub(lambda m: f"{m[1] or THIN_SPACE}{m[2]}{THIN_SPACE}", html)
    names = _name_giver()
    html = _FIGURE.sub(lambda figure: _figure(figure["id"], figure[0], source, names), html)
    html = _TABLE.sub(lambda table: _with_data(table["name"], table[0]), html)
    (out / "report.html").write_bytes(html.encode())
    progress(1, 1, "documents")


def _inline_style(sheet: Path) -> str:
    text = sheet.read_bytes().decode()

    def inside(url: re.Match[str]) -> str:
        file = sheet.parent / url[1]
        if file.suffix not in MEDIA or not file.is_file():
            line = text.count("\n", 0, url.start()) + 1
            message = f"templates/theme/{sheet.name}:{line}: {url[1]} is no font or image of the theme"
            raise RenderError(message, hint="fonts lie in templates/theme/fonts")
        return f'url("{encode_data_uri(file)}")'

    return "<style>\n" + _URL.sub(inside, text) + "</style>"


def encode_data_uri(file: Path) -> str:
    """Return the content of ``file`` as a ``data:`` address."""
    content = base64.b64encode(file.read_bytes()).decode()
    return f"data:{MEDIA[file.suffix.lower()]};base64,{content}"


def _inline_script(html: str, templates: Path) -> str:
    """Return ``html`` with its script inside, allowed by the digest of its text."""
    match = _SCRIPT.search(html)
    if match is None:
        return html
    text = (templates / match[1]).read_bytes()
    digest = base64.b64encode(hashlib.sha256(text).digest()).decode()
    html = html.replace(match[0], f"<script>{text.decode()}</script>", 1)
    return html.replace(POLICY, f"{POLICY}; script-src 'sha256-{digest}'", 1)


def _figure(name: str | None, html: str, source: Path, names: Callable[[str], str]) -> str:
    """Return a figure, or an image that is none, with the image inside.

    A figure has links to its enlargement, which is the same image over the whole window while the address
    ends in its id, and to its data.
    """
    tag = _IMAGE.search(html)
    if tag is None:
        return html
    attributes = _attributes(tag[0])
    width = f' style="{attributes["style"]}"' if "style" in attributes else ""  # a share of the text's
    image = _inline_image(attributes, tag[0].replace(width, ""), source, names)
    if name is None:
        return f'<div class="plate"{width}>{image}</div>'
    label = _label(html)
    # What may scroll on a small screen must be reachable with the keyboard.
    focus = 0 if "data-wide" in image else -1
    plate = (
        f'<div class="plate" id="{name}-large" role="group" aria-label="{label}" tabindex="{focus}"{width}>'
        f'<a class="close" href="#{name}">Close</a>{image}</div>'
    )
    tools = [f'<a href="#{name}-large">Enlarge<span class="unseen"> {label}</span></a>']
    data = (source / attributes["src"]).with_suffix(".csv")
    if data.is_file():
        tools.append(downloads.make_link(data.name, data.read_bytes().decode(), label))
    return html.replace(tag[0], f"{plate}\n{_tools(tools)}", 1)


def _with_data(name: str, table: str) -> str:
    return table + _tools([downloads.make_link(f"{name}.csv", downloads.table_to_csv(table), _label(table))])


def _label(figure: str) -> str:
    """Return "Figure 3" or "Table 2" from the caption."""
    match = _LABEL.search(figure)
    return match[1] if match else "this"


def _tools(links: list[str]) -> str:
    return f'<p class="tools">{" ".join(links)}</p>\n'


def _inline_image(attributes: dict[str, str], tag: str, source: Path, names: Callable[[str], str]) -> str:
    file = source / attributes["src"]
    if file.suffix.lower() != ".svg" or file.name.startswith(svg.OWN):
        return tag.replace(f'src="{attributes["src"]}"', f'src="{encode_data_uri(file)}"')
    name = names(re.sub(r"[^A-Za-z0-9]+", "-", file.stem))
    return svg.inline_svg(file.read_bytes(), name=attributes["src"], prefix=name, alt=attributes["alt"])


def _name_giver() -> Callable[[str], str]:
    """Return a function that gives each image a name of its own, also one shown twice."""
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
