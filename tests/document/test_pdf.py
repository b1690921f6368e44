"""The PDF, opened with independent readers: of the fixture on Letter, and of a whole report.

``REPORT_PDF=build/assignment-sample/report.pdf`` tests that file in place of the whole report.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pikepdf
import pytest
from PIL import Image

from report.document import pdf
from report.errors import EnvironmentProblem
from tests.writing.conftest import write_report

FIXTURE = Path(__file__).parent / "fixture"
PROJECT = Path(__file__).resolve().parents[2]
TEMPLATES = PROJECT / "templates"


def render(written: Path, out: Path, paper: str = "a4") -> Path:
    inputs = {"source": written, "templates": TEMPLATES}
    pdf.render(inputs, out, scratch=out, progress=lambda *_, **__: None, paper=paper)
    return out / "report.pdf"


@pytest.fixture(scope="module", params=["fixture", "report", pytest.param("letter", marks=pytest.mark.slow)])
def which(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def file(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest, evaluated, which: str
) -> Path:
    out = tmp_path_factory.mktemp("pdf")
    if which == "fixture":
        return render(FIXTURE, out, "letter")
    if "REPORT_PDF" in os.environ:
        return Path(os.environ["REPORT_PDF"])
    if which == "letter":
        return render(write_report(*evaluated({}), out), out, "letter")
    return Path(request.getfixturevalue("whole_report")) / "report.pdf"


of_fixture = pytest.mark.parametrize("which", ["fixture"], indirect=True)


def write(folder: Path, body: str) -> Path:
    """Write the source of a small report."""
    (folder / "report.qmd").write_text(f"---\ntitle: T\nlang: en\n---\n\n{body}\n")
    (folder / "references.bib").write_text("")
    return folder


def pages(file: Path, order: str = "-layout") -> list[str]:
    """Return the text of each page, as poppler reads it; with ``-raw`` one column after the other."""
    command = ["pdftotext", order, file, "-"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return text.split("\f")[:-1]


@pytest.fixture(scope="module")
def document(file: Path):
    with pikepdf.open(file) as opened:
        yield opened


def elements(node: pikepdf.Object):
    if isinstance(node, pikepdf.Array):
        for child in node:
            yield from elements(child)
    elif isinstance(node, pikepdf.Dictionary) and "/S" in node:
        yield node
        if "/K" in node:
            yield from elements(node.K)


def test_declares_what_pdf_ua_asks_for(document: pikepdf.Pdf) -> None:
    metadata = document.Root.Metadata.read_bytes().decode()
    assert 'pdfuaid:part="1"' in metadata
    title = str(document.open_outline().root[0].title)
    assert title in metadata
    assert str(document.Root.Lang)[:2] == "en"
    assert document.Root.MarkInfo.Marked and document.Root.ViewerPreferences.DisplayDocTitle


def test_is_tagged(document: pikepdf.Pdf) -> None:
    tags = list(elements(document.Root.StructTreeRoot.K))
    kinds = [str(tag.S) for tag in tags]
    assert kinds.count("/H1") == 1 and "/H2" in kinds and "/H3" in kinds
    assert kinds.count("/Table") >= 7 and "/TH" in kinds and "/Caption" in kinds
    spoken = {
        kind: [str(tag.get("/Alt", "")) for tag in tags if kind == tag.S] for kind in ("/Figure", "/Formula")
    }
    assert all(texts and all(texts) for texts in spoken.values())


@of_fixture
def test_every_figure_and_equation_has_words(document: pikepdf.Pdf) -> None:
    tags = list(elements(document.Root.StructTreeRoot.K))
    figures = [str(tag.Alt) for tag in tags if tag.S == "/Figure"]
    formulas = [str(tag.Alt) for tag in tags if tag.S == "/Formula"]
    assert (len(figures), len(formulas)) == (4, 7)
    assert "beta sub 1 equals 0.9" in formulas


def test_headings_do_not_skip_a_level(document: pikepdf.Pdf) -> None:
    tags = elements(document.Root.StructTreeRoot.K)
    levels = [int(str(tag.S)[2:]) for tag in tags if re.fullmatch(r"/H\d", str(tag.S))]
    assert levels[0] == 1
    assert all(below - above <= 1 for above, below in pairwise(levels))


def test_header_cells_say_what_they_head(document: pikepdf.Pdf) -> None:
    tags = list(elements(document.Root.StructTreeRoot.K))
    groups = [
        (group.S, cell) for group in tags for row in group.get("/K", []) if _is(row, "/TR") for cell in row.K
    ]
    heads = {(str(of), str(cell.A.Scope)) for of, cell in groups if cell.S == "/TH"}
    assert heads == {("/THead", "/Column"), ("/TBody", "/Row")}
    for table in (tag for tag in tags if tag.S == "/Table"):
        cells = [tag for tag in elements(table.K) if tag.S in {"/TH", "/TD"}]
        linked = {len(cell.A.Headers) for cell in cells if cell.S == "/TD"}
        if any("/RowSpan" in cell.A for cell in cells):
            # A model has its class and the head above it, a measure a split as well, accuracy the heads that it is below.
            assert linked == {2, 3, 7}
        else:
            assert linked == {2}
        _corner, *ids = [str(cell.ID) for cell in cells if cell.S == "/TH"]
        assert len({*ids}) == len(ids)
        assert {str(head) for cell in cells if cell.S == "/TD" for head in cell.A.Headers} == {*ids}


def _is(tag: pikepdf.Object, kind: str) -> bool:
    return isinstance(tag, pikepdf.Dictionary) and tag.get("/S") == kind


def test_a_figure_stays_with_its_caption(document: pikepdf.Pdf) -> None:
    together = [
        (kids, [kid for kid in kids if kid.S == "/Caption"])
        for tag in elements(document.Root.StructTreeRoot.K)
        if isinstance(tag.get("/K"), pikepdf.Array)
        and (kids := [kid for kid in tag.K if isinstance(kid, pikepdf.Dictionary) and "/S" in kid])
    ]
    captioned = [kids for kids, captions in together if captions]
    assert len(captioned) >= 10
    assert all(kid.Pg.objgen == kids[0].Pg.objgen for kids in captioned for kid in kids)


def test_has_bookmarks_and_links_with_words(document: pikepdf.Pdf) -> None:
    with document.open_outline() as outline:
        chapters = [chapter.title for chapter in outline.root[0].children]
    assert {"1 Introduction", "References"} <= set(chapters)
    links = [link for page in document.pages for link in page.get("/Annots", [])]
    least = 60 if len(document.pages) > pdf.LONG else 30  # those of the contents
    assert len(links) > least and all("/Contents" in link for link in links)


def test_every_heading_is_a_bookmark_and_every_chapter_in_the_contents(
    file: Path, document: pikepdf.Pdf
) -> None:
    with document.open_outline() as outline:
        chapters = outline.root[0].children
        titles = [chapter.title for chapter in chapters]
        below = [item.title for chapter in chapters for item in chapter.children]
    shown = pages(file, "-raw")
    contents = _loose("\n".join(shown[:2]))
    assert len(titles + below) >= 10
    if len(shown) <= pdf.LONG:
        assert "Contents" not in contents
        return
    listed = {title: rf"{re.escape(_loose(title))} \d" for title in titles + below}
    found = {title for title, line in listed.items() if re.search(line, contents)}
    assert set(titles) - found <= {"Abstract"} and not found & set(below)


def test_what_the_html_alone_has_is_not_in_the_contents() -> None:
    entries = "".join(
        f'<li><a href="#{name}">{name}</a></li>' for name in ("shown", "hidden", "within", "also")
    )
    chapters = '<section id="shown"/><section id="hidden" class="level2 content-visible"/><div class="content-visible"><section id="within"/></div><section id="also"/>'
    page = f'<body><nav id="TOC"><ul>{entries}</ul></nav><main>{chapters}</main></body>'
    root = ElementTree.fromstring(page)
    pdf._place_contents(root)
    assert [link.get("href") for link in root.iter("a")] == ["#shown", "#also"]


def _loose(text: str) -> str:
    """Return ``text`` without the dots that lead to a number."""
    return re.sub(r"[\s.]+", " ", text)


def test_fonts_are_ours_and_embedded(document: pikepdf.Pdf, which: str) -> None:
    fonts = [
        item
        for item in document.objects
        if isinstance(item, pikepdf.Dictionary) and item.get("/Type") == "/FontDescriptor"
    ]
    names = {str(font.FontName).split("+")[-1] for font in fonts}
    # The fixture's curves have a formula in matplotlib's own font, which no figure of a report has.
    foreign = {"DejaVu-Sans-Oblique"} if which == "fixture" else set()
    assert {name for name in names if not name.startswith("IBM-Plex")} <= foreign
    assert {"IBM-Plex-Serif", "IBM-Plex-Sans", "IBM-Plex-Mono"} <= names
    assert all("/FontFile2" in font for font in fonts)


def test_text_stays_within_the_page_and_is_numbered(file: Path, document: pikepdf.Pdf) -> None:
    text = subprocess.run(
        ["pdftotext", "-bbox", file, "-"], capture_output=True, text=True, check=True
    ).stdout
    for number, page in enumerate(ElementTree.fromstring(text).iter("{http://www.w3.org/1999/xhtml}page"), 1):
        words = list(page)
        assert words[-1].text == str(len(document.pages)) and words[-3].text == str(number)
        width, height = float(page.attrib["width"]), float(page.attrib["height"])
        for word in words:
            left, right, top, bottom = (float(word.attrib[side]) for side in ("xMin", "xMax", "yMin", "yMax"))
            assert 60 < left < right < width - 60 and 40 < top < bottom < height - 20, word.text


@pytest.mark.skipif("REPORT_PDF" in os.environ, reason="its paper may be either")
def test_size_of_the_paper(document: pikepdf.Pdf, which: str) -> None:
    sizes = {tuple(round(float(v)) for v in page.mediabox[2:]) for page in document.pages}
    assert sizes == {(595, 842) if which == "report" else (612, 792)}


def test_no_page_is_half_empty(file: Path, tmp_path: Path, which: str) -> None:
    """But the first, the last, and those before what is as high as half a page; the fixture has a chapter of a table."""
    subprocess.run(["pdftoppm", "-r", "20", "-gray", file, tmp_path / "page"], check=True)
    ends = []
    for path in sorted(tmp_path.glob("page-*.pgm")):
        with Image.open(path) as picture:
            rows = np.asarray(picture).min(axis=1) < 200
        ends.append(np.flatnonzero(rows[: int(0.91 * len(rows))])[-1] / len(rows))
    assert np.mean(ends[1:-1]) > (0.72 if which == "fixture" else 0.78)
    assert min(ends[1:-1]) > 0.4


def test_links_lead_to_pages_of_the_report(document: pikepdf.Pdf) -> None:
    names = list(document.Root.Names.Dests.Names)
    targets = {str(name): where for name, where in zip(names[::2], names[1::2], strict=True)}
    numbers = {page.objgen for page in document.pages}
    assert all(where[0].objgen in numbers for where in targets.values())
    outside = [
        str(link.A.URI) for page in document.pages for link in page.get("/Annots", []) if "/Dest" not in link
    ]
    assert {
        str(link.Dest) for page in document.pages for link in page.get("/Annots", []) if "/Dest" in link
    } <= targets.keys()
    assert outside and all(address.startswith("https://") for address in outside)


def test_text_moves_up_past_a_figure_that_does_not_fit(tmp_path: Path) -> None:
    (tmp_path / "figures").mkdir()
    drawing = '<svg xmlns="http://www.w3.org/2000/svg" width="160mm" height="150mm" viewBox="0 0 160 150"/>'
    (tmp_path / "figures" / "tall.svg").write_text(drawing)
    text = "\n\n".join(f"Paragraph {k}. " + "Many words to fill a line. " * 24 for k in range(12))
    before, after = text[: text.index("Paragraph 3")], text[text.index("Paragraph 3") :]
    figure = '![A tall one.](figures/tall.svg){#fig-tall fig-alt="Nothing."}'
    write(tmp_path, f"# One\n\n{before}{figure}\n\n{after}\n\n# Two\n\nSee @fig-tall.")
    first, second, *_ = pages(render(tmp_path, tmp_path))
    assert "Paragraph 4" in first and "A tall one" not in first
    assert second.index("A tall one") < second.index("Paragraph 6")


def test_what_is_only_measured_is_laid_out_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    chapters = "\n\n".join(f"# Chapter {k}\n\nSee @fig-one.\n\n## Part {k}\n\nText." for k in range(4))
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "one.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"/>'
    )
    figure = '![One.](figures/one.svg){#fig-one fig-alt="Nothing."}'
    with caplog.at_level("INFO", "weasyprint.progress"):
        render(write(tmp_path, f"{chapters}\n\n{figure}"), tmp_path)
    steps = [record.getMessage() for record in caplog.records]
    layouts = "\n".join(steps).split("Creating formatting structure")[1:]
    assert len(layouts) == 2
    assert layouts[0].count("Creating layout - Page") == 1


def test_a_table_that_breaks_repeats_its_head(tmp_path: Path) -> None:
    rows = "\n".join(f"| row {k} | {k} |" for k in range(90))
    table = f"| Name of the row | Number |\n| :--- | ---: |\n{rows}\n\n: Long. {{#tbl-long}}"
    shown = pages(render(write(tmp_path, f"# One\n\nSee @tbl-long.\n\n{table}"), tmp_path))
    assert len(shown) >= 3
    assert all("Name of the row" in page for page in shown)


@pytest.mark.parametrize("lines", [24, 25, 26])
def test_the_head_of_the_notes_stays_with_them(lines: int, tmp_path: Path) -> None:
    text = "\n\n".join(f"Line {k}." for k in range(lines))
    shown = pages(render(write(tmp_path, f"# One\n\n{text}\n\nLast.[^1]\n\n[^1]: The note."), tmp_path))
    assert ["author" in page.lower() for page in shown] == ["The note" in page for page in shown]


@of_fixture
def test_same_source_same_bytes(file: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from report.document import pdf;"
        "source, templates, out = map(Path, sys.argv[1:]);"
        "pdf.render({'source': source, 'templates': templates}, out, scratch=out, progress=print, paper='letter')"
    )
    subprocess.run(
        [sys.executable, "-c", code, FIXTURE, TEMPLATES, tmp_path],
        cwd=PROJECT,
        env={**os.environ, "PYTHONHASHSEED": "7"},
        check=True,
        capture_output=True,
    )
    assert (tmp_path / "report.pdf").read_bytes() == file.read_bytes()
    assert file.stat().st_size < 5_000_000


def test_a_space_before_a_link_does_not_break_the_line_too_early() -> None:
    loose = pdf._loose_spaces("<p>No picture. <a>Table 7</a> has <em>every</em> class.</p>")
    assert loose == "<p>No picture.<span> </span><a>Table 7</a> has<span> </span><em>every</em> class.</p>"


def test_files_outside_the_report_are_not_fetched(tmp_path: Path) -> None:
    theme = tmp_path / "theme"
    theme.mkdir()
    fetch = pdf.make_fetcher({"theme/": tmp_path}, {"equations/1.svg": "<svg/>"})
    assert fetch(pdf.BASE + "equations/1.svg").read() == b"<svg/>"
    for address in ("https://example.org/a.css", "file:///etc/passwd", pdf.BASE + "theme/../report.qmd"):
        with pytest.raises(BaseException, match="not among the report's files"):
            fetch(address)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.jpeg", "a.JPEG", "a.svg"])
def test_every_kind_of_image_that_an_author_may_have_is_fetched(name: str, tmp_path: Path) -> None:
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / name).write_bytes(b"image")
    fetch = pdf.make_fetcher({"figures/": tmp_path}, {})
    assert fetch(f"{pdf.BASE}figures/{name}").read() == b"image"


def test_missing_pango_is_explained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Broken:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "weasyprint":
                raise OSError("cannot load library 'libpango-1.0-0'")

    monkeypatch.delitem(sys.modules, "weasyprint", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    with pytest.raises(EnvironmentProblem, match="Pango") as caught:
        render(FIXTURE, tmp_path)
    assert "pango" in caught.value.hint
