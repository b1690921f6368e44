"""The page in a real browser: widths, light and dark, scripts off, keyboard, axe-core.

``REPORT_PAGE=build/assignment-sample/report.html`` tests that page in place of the fixture's.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from report.document import html
from report.document.markdown import escape

FIXTURE = Path(__file__).parent / "fixture"
TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
WIDTHS = (320, 768, 1440)
ONCE = ((1440, "light"), (768, "dark"), (320, "bare"))
"""Each width and each look, which break rules of their own."""
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
# What is drawn in a figure is one picture for those who listen, and its text is part of it.
OUTSIDE_FIGURES = {"exclude": [[".plate > svg > *"]]}
HOSTILE = ("<script>alert(1)</script>", '"><img onerror=alert(1) src=x>.png', "<iframe src='x'></iframe>")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        if os.environ.get("CI") == "true":
            pytest.fail("Chromium is not installed: apt-get install chromium")
        pytest.skip("needs Chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        yield browser
        browser.close()


def render(source: Path, out: Path) -> Path:
    html.render({"source": source, "templates": TEMPLATES}, out, scratch=out, progress=lambda *_, **__: None)
    return out / "report.html"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    other = os.environ.get("REPORT_PAGE")
    return Path(other).resolve() if other else render(FIXTURE, tmp_path_factory.mktemp("page"))


@pytest.fixture
def visit(browser: Browser, file: Path):
    """Return a function that opens the page in a window of its own."""
    contexts = []

    def open_page(width: int = 1440, scheme: str = "light", scripts: bool = True, at: Path = file) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, java_script_enabled=scripts
        )
        contexts.append(context)
        page = context.new_page()
        page.goto(at.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def bare(file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the page without its script: axe-core itself cannot run where scripts are off."""
    text, taken = re.subn(r"<script>.*?</script>", "", file.read_text(), flags=re.S)
    assert taken == 1
    path = tmp_path_factory.mktemp("bare") / "report.html"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("width", "look"),
    [
        pytest.param(width, look, marks=[pytest.mark.slow] * ((width, look) not in ONCE))
        for width in WIDTHS
        for look in ("light", "dark", "bare")
    ],
)
def test_axe_finds_no_violation(visit, bare: Path, width: int, look: str) -> None:
    page = visit(width, at=bare) if look == "bare" else visit(width, look)
    results = Axe().run(page, context=OUTSIDE_FIGURES, options=RULES)
    assert results.violations_count == 0, results.generate_report()
    assert len(results.response["passes"]) > 20


def test_axe_sees_what_is_wrong(visit, tmp_path: Path, file: Path) -> None:
    broken = tmp_path / "broken.html"
    broken.write_text(file.read_text().replace('role="img" aria-label', 'role="img" data-label'))
    found = Axe().run(visit(at=broken), context=OUTSIDE_FIGURES, options=RULES).response["violations"]
    assert "svg-img-alt" in {violation["id"] for violation in found}


@pytest.mark.parametrize("scripts", [True, False])
def test_only_boxes_scroll_sideways_and_the_keyboard_reaches_them(visit, scripts: bool) -> None:
    page = visit(scripts=scripts)
    for width in (*WIDTHS, 375, 2200):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") == width
        unreachable = page.evaluate(
            """() => [...document.querySelectorAll("body *")].filter(box =>
                 ["auto", "scroll"].includes(getComputedStyle(box).overflowX)
                 && box.scrollWidth > box.clientWidth && box.tabIndex < 0).map(box => box.outerHTML.slice(0, 80))"""
        )
        assert not unreachable, width


def test_text_may_be_spaced_out(visit) -> None:
    page = visit(320)
    page.add_style_tag(
        content="*{line-height:1.5!important;letter-spacing:.12em!important;word-spacing:.16em!important}"
    )
    assert page.evaluate("document.documentElement.scrollWidth") == 320


@pytest.mark.parametrize("scripts", [True, False])
def test_nothing_is_requested_but_the_page(browser: Browser, file: Path, scripts: bool) -> None:
    page = browser.new_page(java_script_enabled=scripts)
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(file.as_uri())
    page.mouse.wheel(0, 5000)
    page.wait_for_timeout(100)
    assert [url for url in asked if not url.startswith("data:")] == [file.as_uri()]
    assert said == []
    page.close()


def test_labels_from_outside_stay_text(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "figures").mkdir()
    drawing = '<svg xmlns="http://www.w3.org/2000/svg" width="90pt" height="30pt" viewBox="0 0 90 30"/>'
    (tmp_path / "figures" / "a.svg").write_text(drawing)
    (tmp_path / "figures" / "a.csv").write_text("\n".join(HOSTILE))
    (tmp_path / "references.bib").write_text("")
    words = escape(" ".join(HOSTILE))
    (tmp_path / "report.qmd").write_text(
        f"---\ntitle: {json.dumps(words)}\nlang: en\n---\n\n# {words}\n\n{words}\n\n"
        f'![{words}](figures/a.svg){{#fig-a fig-alt="A"}}\n\n| {words} | B |\n|---|---|\n| {words} | 1 |\n\n'
        f": {words} {{#tbl-a}}\n"
    )
    page = browser.new_page()
    alerts = []
    page.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.dismiss()))
    page.goto(render(tmp_path, tmp_path).as_uri())
    assert page.locator("script, img, iframe").count() == 1  # our own script
    for place in ("h1", "h2 >> nth=1", "main p >> nth=0", "figcaption >> nth=0", "tbody th"):
        text = page.locator(place).text_content()
        assert "<script>alert(1)</script>" in text and "<iframe src=" in text and "<img onerror=" in text
    assert alerts == []
    page.close()


@pytest.mark.parametrize("scripts", [True, False])
def test_every_table_offers_its_cells(visit, scripts: bool) -> None:
    tables = visit(scripts=scripts).evaluate(
        """() => [...document.querySelectorAll("figure.table")].map(figure => {
             const address = figure.querySelector(".tools a").getAttribute("href");
             figure.querySelectorAll("annotation").forEach(source => source.remove());
             return [address, [...figure.querySelectorAll("tr")].map(row => [...row.cells].map(c => c.textContent))];
           })"""
    )
    assert tables
    for address, rows in tables:
        shown = [[re.sub(r"−(?=[\d.])", "-", " ".join(cell.split())) for cell in row] for row in rows]
        assert list(csv.reader(io.StringIO(csv_text(address)))) == shown


def csv_text(address: str) -> str:
    return unquote(address.removeprefix("data:text/csv;charset=utf-8,"))


@pytest.mark.parametrize("scripts", [True, False])
def test_links_save_their_data(visit, scripts: bool) -> None:
    page = visit(scripts=scripts)
    links = page.locator("figure .tools a[download]")
    for link in (links.first, links.last):
        with page.expect_download() as saved:
            link.click()
        assert saved.value.suggested_filename == link.get_attribute("download")
        assert Path(saved.value.path()).read_bytes().decode() == csv_text(link.get_attribute("href"))


@pytest.mark.parametrize("width", [320, 1440])
@pytest.mark.parametrize("scripts", [True, False])
def test_figures_enlarge_by_keyboard(visit, width: int, scripts: bool) -> None:
    page = visit(width, scripts=scripts)
    figure = page.locator("figure:not(.table):visible").first
    picture = figure.locator(".plate > svg")
    before = picture.bounding_box()["width"]
    figure.locator(".tools a").first.focus()
    page.keyboard.press("Enter")
    plate = figure.locator(".plate")
    box = plate.bounding_box()
    assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, width, 800)
    assert picture.bounding_box()["width"] > before
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "close"
    page.keyboard.press("Enter")
    assert abs(picture.bounding_box()["width"] - before) < 1
    assert page.evaluate("document.documentElement.scrollWidth") == width
    if not scripts:  # the next link is the figure's own
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('figure') !== null")


@pytest.mark.parametrize("way_back", ["Escape", "Close", "beside"])
@pytest.mark.parametrize("way_in", [".plate", ".tools a >> nth=0"])
def test_an_enlarged_figure_goes_back_to_its_reader(visit, way_in: str, way_back: str) -> None:
    page = visit()
    figure = page.locator("figure:not(.table):visible").last
    figure.scroll_into_view_if_needed()
    page.wait_for_timeout(100)
    place = page.evaluate("scrollY")
    figure.locator(way_in).click()
    assert figure.locator(".close").is_visible()
    if way_back == "Escape":
        page.keyboard.press("Escape")
    elif way_back == "Close":
        figure.locator(".close").click()
    else:
        page.mouse.click(5, 5)
    assert not figure.locator(".close").is_visible()
    assert page.evaluate("document.activeElement.hash").endswith("-large")
    page.wait_for_timeout(100)
    assert page.evaluate("scrollY") == place


@pytest.mark.parametrize("scripts", [True, False])
def test_the_contents_follow_the_reader(visit, scripts: bool) -> None:
    page = visit(scripts=scripts)
    marked = "[aria-current]" if scripts else ":target-current"
    seen = []
    for share in (0.4, 0.7):
        page.evaluate(f"window.scrollTo(0, {share} * document.documentElement.scrollHeight)")
        page.wait_for_timeout(150)
        seen.append(page.evaluate(f"document.querySelector('#TOC a{marked}').hash"))
    assert seen[0] != seen[1]
    assert page.locator("#TOC").bounding_box()["y"] >= 0


def test_the_first_key_leads_to_the_report(visit) -> None:
    page = visit()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.locator(".skip").bounding_box()["x"] >= 0
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")


@pytest.mark.parametrize("width", [375, 1440])
@pytest.mark.parametrize(("attributes", "share"), [(' width="40%"', 0.4), ("", None)])
def test_an_image_of_the_author_stands_in_the_middle_as_on_paper(
    visit, tmp_path: Path, width: int, attributes: str, share: float | None
) -> None:
    (tmp_path / "figures").mkdir()
    Image.new("RGB", (200, 100), "red").save(tmp_path / "figures" / "own-a.png")
    (tmp_path / "references.bib").write_text("")
    figure = f'![A](figures/own-a.png){{#fig-a fig-alt="B"{attributes}}}'
    (tmp_path / "report.qmd").write_text(f"---\ntitle: T\nlang: en\n---\n\n::: {{.author}}\n{figure}\n:::\n")
    page = visit(width, at=render(tmp_path, tmp_path))
    image, text = (page.locator(which).bounding_box() for which in (".plate > img", "figure"))
    assert image["x"] + image["width"] / 2 == pytest.approx(text["x"] + text["width"] / 2, abs=1)
    assert image["width"] == pytest.approx(share * text["width"] if share else 200, abs=1)
    page.locator(".tools a").click()
    assert page.locator(".plate > img").bounding_box()["width"] > 700


def test_figures_keep_their_paper_in_the_dark(visit) -> None:
    page = visit(scheme="dark")
    colour = "getComputedStyle(document.querySelector('{}')).backgroundColor"
    assert page.evaluate(colour.format(".plate")) == "rgb(255, 255, 255)"
    assert page.evaluate(colour.format("html")) == "rgb(20, 24, 29)"


def test_prints_the_text_and_not_the_tools(visit) -> None:
    page = visit(scheme="dark")
    page.locator("figure:not(.table):visible .tools a").first.click()
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.querySelector('.plate:target')).position") == "static"
    for hidden in ("#TOC", ".tools", ".skip", ".anchor"):
        assert not page.locator(hidden).first.is_visible()
    assert all(tab.is_visible() for tab in page.locator(".tab").all())
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.querySelector('.scroll')).overflowX") == "visible"
