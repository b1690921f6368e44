"""The browser follows the saves, and keeps its place."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator

import pytest

from tests.preview.site import HOSTILE, SOON_SECONDS, address, running, until

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
TABS = "::: {.panel-tabset}\n## One\n\nFirst tab.\n\n## Two\n\nSecond tab.\n:::\n"
PLACE = """() => {
  const line = [...document.querySelectorAll("main :is(p, li)")].find((p) => p.getBoundingClientRect().top > 0);
  return [line.textContent, line.getBoundingClientRect().top];
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    if CHROMIUM is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("Chromium is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        yield browser
        browser.close()


def test_the_browser_follows_and_keeps_its_place(tmp_path, own, made_up, browser):
    from playwright.sync_api import Error

    log, said = tmp_path / "log", []
    introduction = own / "introduction.md"
    introduction.write_text(good := f"{introduction.read_text()}\n\n{TABS}")
    with running(str(own), "--sample", "--cache", str(made_up), "--no-browser", log=log):
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(SOON_SECONDS * 1000)
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(address(log))
        page.get_by_text("Two", exact=True).click()
        page.evaluate("document.getElementById('sec-limits').scrollIntoView({ behavior: 'instant' })")
        words, top = page.evaluate(PLACE)

        def save(text: str, *there: str, gone: tuple[str, ...] = ()) -> None:
            def is_so() -> bool:
                with contextlib.suppress(Error):  # the page is being loaded again
                    counts = [page.locator(locator).count() > 0 for locator in (*there, *gone)]
                    wanted = [True] * len(there) + [False] * len(gone)
                    return counts == wanted and page.evaluate(PLACE) == [words, pytest.approx(top, abs=2)]
                return False

            introduction.write_text(text)
            until(is_so)
            assert page.get_by_text("Second tab.").is_visible()

        marker = "A marker that makes the text longer. "
        save(f"{good}\n\n{marker * 60}\n", f"text={marker}", gone=("#preview-notice",))
        save(f"{good}\n\n{HOSTILE}\n", f"text={marker}", "#preview-notice.wrong >> text=introduction.md:")
        save(good, gone=(f"text={marker}", "#preview-notice"))
        assert page.evaluate("history.scrollRestoration") == "auto"
    assert said == []
