"""The report as a tagged PDF (PDF/UA-1), from the same page as the HTML."""

from __future__ import annotations

import gc
import hashlib
import logging
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from report.document import equations, lint, pagination, pandoc, tags
from report.errors import EnvironmentProblem, RenderError

STYLES = ("fonts.css", "document.css", "pdf.css")
PAPERS = {"a4": (210.0, 297.0), "letter": (215.9, 279.4)}
TOP, SIDE, BOTTOM = 24.0, 25.0, 23.0
LONG = 15
"""Pages from which on a report has contents."""
ENDLESS = 50_000.0
UNNUMBERED = '#TOC a::after { content: leader(". ") "00" !important }'
"""Contents without the numbers of pages, for which WeasyPrint would lay all out anew."""
HTML_ONLY = "content-visible"
"""The class of what the style sheet of the PDF does not show."""
MM_TO_PX = 96 / 25.4
# Every address of the page lies below this one, which does not exist: whatever is not ours cannot be fetched.
BASE = "https://report.invalid/"
MEDIA = {
    ".svg": "image/svg+xml",
    ".css": "text/css",
    ".woff2": "font/woff2",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
}


def render(
    inputs: dict[str, Path], out: Path, *, scratch: Path, progress: Callable[..., None], paper: str = "a4"
) -> None:
    """Write ``report.pdf``.

    Parameters
    ----------
    inputs : dict of str to Path
        ``source`` (``report.qmd`` and its figures) and ``templates`` (filters and theme).
    out : Path
        The folder that gets it.
    paper : {"a4", "letter"}
        The size of its pages.

    Raises
    ------
    RenderError
        If the source fails our check, or something on the page cannot be loaded.
    EnvironmentProblem
        If Pango is not installed.
    """
    source, templates = inputs["source"], inputs["templates"]
    import_weasyprint()
    lint.require_sound(source)
    page = equations.draw_equations(_loose_spaces(pandoc.convert(source, pandoc.Theme(templates, STYLES))))
    fetcher = make_fetcher({"theme/": templates, "figures/": source}, page.images)
    with _collect_errors() as errors, _without_collection():
        pdf = _lay_out(page.html, fetcher, PAPERS[paper]).write_pdf(
            finisher=tags.finisher(page.spoken),
            pdf_variant="pdf/ua-1",
            pdf_identifier=hashlib.sha256(page.html.encode()).digest()[:16],
        )
    if errors:
        raise RenderError(f"report.pdf: {errors[0]}")
    (out / "report.pdf").write_bytes(pdf)
    progress(1, 1, "documents")


def _lay_out(page: str, fetcher: Any, paper: tuple[float, float], fewest: int = LONG + 2) -> Any:
    """Return the pages of the report, with contents where it is long without them.

    Of more than ``fewest`` pages, as they are estimated, that is not tried.
    """
    html = import_weasyprint().HTML(string=page, base_url=BASE, url_fetcher=fetcher)
    _place_contents(html.etree_element)
    contents = _move_floats(html, paper, fewest)
    document = html.render(stylesheets=[_paper_style(*paper, contents)], pdf_variant="pdf/ua-1")
    if not contents and len(document.pages) > LONG:
        return _lay_out(page, fetcher, paper, fewest=0)
    return document


def _paper_style(width: float, height: float, contents: bool) -> Any:
    """Return the style sheet of a paper of this size in mm, for pages with or without contents."""
    size = f"@page {{ size: {width}mm {height}mm; margin: {TOP}mm {SIDE}mm {BOTTOM}mm }}"
    return _css(size + ("" if contents else " #TOC { display: none }"))


def _css(text: str) -> Any:
    return import_weasyprint().CSS(string=text)


def _move_floats(html: Any, paper: tuple[float, float], fewest: int) -> bool:
    """Move the figures of ``html`` so that they leave no page half empty; return whether it fills more than ``fewest`` pages."""
    width, height = paper
    elements = pagination.mark(html.etree_element)
    endless = html.render(stylesheets=[_paper_style(width, ENDLESS, contents=True), _css(UNNUMBERED)])
    boxes = endless.pages[0].anchors
    blocks = pagination.measure(elements, boxes)
    if not blocks:
        return False
    room = (height - TOP - BOTTOM) * MM_TO_PX
    begin = (boxes["report"][1] - TOP * MM_TO_PX) % room
    page = pagination.Page(room, begin)
    order = pagination.arrange([block for block in blocks if block.element.tag != "nav"], page)
    contents = len(page.feet) + 1 > fewest
    if contents:
        order = pagination.arrange(blocks, pagination.Page(room, begin))
    pagination.move(html.etree_element, order)
    return contents


def _place_contents(root: Any) -> None:
    """Move the contents behind what stands before the first chapter: the first page answers. What the HTML alone has goes."""
    contents, main = root.find(".//nav[@id='TOC']"), root.find(".//main")
    parts = [part for part in root.iter() if HTML_ONLY in (part.get("class") or "").split()]
    hidden = {f"#{inside.get('id')}" for part in parts for inside in part.iter()}
    for entries in [*contents.iter("ul")]:
        for entry in [*entries]:
            if entry.find("a").get("href") in hidden:
                entries.remove(entry)
    parent = next(above for above in root.iter() if contents in list(above))
    parent.remove(contents)
    first = next((i for i, child in enumerate(main) if child.tag == "section"), len(main))
    main.insert(first, contents)


def _loose_spaces(html: str) -> str:
    """Return ``html`` with each space before an inline element as an element of its own.

    WeasyPrint 70 breaks a line behind its first word when all words of the text before a link fit, but not
    the space that ends it.
    """
    return re.sub(r"(?<=\S) (?=<(?:a|em|strong|code|span|img)\b)", "<span> </span>", html)


def import_weasyprint() -> Any:
    """Return WeasyPrint; a machine on which no PDF can be made is refused.

    Raises
    ------
    EnvironmentProblem
        Pango is not installed.
    """
    try:
        import weasyprint
    except OSError as error:
        install = (
            "brew install pango"
            if sys.platform == "darwin"
            else "apt-get install libpango-1.0-0 libpangoft2-1.0-0"
        )
        raise EnvironmentProblem(
            "the PDF needs Pango, which is not installed", hint=f"{install}   (or build with --format html)"
        ) from error
    return weasyprint


def _unpacked_font(file: Path) -> Path:
    """Return ``file``, or for a packed font the same font unpacked: unpacking all takes as long as the layout."""
    unpacked = file.with_suffix(".ttf")
    return unpacked if file.suffix == ".woff2" and unpacked.is_file() else file


def make_fetcher(folders: dict[str, Path], images: dict[str, str]) -> Any:
    """Return a fetcher that knows the files of ``folders`` (address prefix: folder) and ``images``, no others."""
    from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

    def content(address: str) -> bytes:
        if address in images:
            return images[address].encode()
        for prefix, folder in folders.items():
            if address.startswith(prefix) and ".." not in address:
                return _unpacked_font(folder / address).read_bytes()
        raise FileNotFoundError(address)

    class Fetcher(URLFetcher):  # type: ignore[misc]
        def fetch(self, url: str, headers: Any = None) -> Any:
            if url.startswith("data:image/"):
                return super().fetch(url, headers)
            address = url.removeprefix(BASE)
            try:
                body = content(address)
            except OSError as error:
                raise FatalURLFetchingError(f"{address} is not among the report's files") from error
            return URLFetcherResponse(url, body, {"Content-Type": MEDIA[Path(address).suffix.lower()]})

    return Fetcher()


@contextmanager
def _without_collection() -> Iterator[None]:
    """Let no garbage be looked for: WeasyPrint makes a million objects and keeps them, and each look costs more."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def _collect_errors() -> Iterator[list[str]]:
    """Collect what WeasyPrint logs as an error; a page that it could not fetch all of is one too."""
    from weasyprint.urls import FatalURLFetchingError

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(record.getMessage())

    found: list[str] = []
    handler = Collector(logging.ERROR)
    logger = logging.getLogger("weasyprint")
    logger.addHandler(handler)
    try:
        yield found
    except FatalURLFetchingError as error:
        raise RenderError(f"report.pdf: {error}") from error
    finally:
        logger.removeHandler(handler)
