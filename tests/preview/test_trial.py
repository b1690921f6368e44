"""The page on which one tries a network: to whom it answers, what it refuses, and how it looks in a real browser."""

from __future__ import annotations

import http.client
import io
import queue
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest
from PIL import Image

from report.preview import trial
from report.preview.server import HOST, listen, serve
from report.preview.trial import Words, make_application
from report.workspace.plan import make_plan
from report.workspace.request import Request
from report.workspace.trained import Trained
from tests.preview.site import HOSTILE, SOON_SECONDS, until
from tests.preview.test_browser import browser

__all__ = ["browser"]

ENTRY = {"value": 0.912, "low": 0.85, "high": 0.95, "n": 120}
LOOK = {"value": 0.4, "as_unlike": 1, "of": 1257, "unlike": True}
ANSWER = {
    "predicted": "b",
    "probabilities": {"a": 0.3, "b": 0.7},
    "uncalibrated": {"a": 0.3, "b": 0.7},
    "resemblance": LOOK,
}


def png() -> bytes:
    held = io.BytesIO()
    Image.linear_gradient("L").resize((32, 32)).save(held, "png")
    return held.getvalue()


class Trial:
    """A page whose network is made up: it answers of every image the same, and of what is no image that it is none."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.questions = folder, queue.Queue(trial.MOST_WAITING)
        results = {f"{measure}.b": ENTRY for measure in ("sensitivity", "specificity")}
        network = folder / "model.keras", folder / "input.json"
        self.trained = Trained(
            "baseline", network, {"a": HOSTILE, "b": "Second"}, {"x": folder}, "test", "none", results
        )
        plan = make_plan(Request(sample=True, cache=folder))
        self.words = Words(plan, self.trained)
        self.port = 0

    @contextmanager
    def serving(self) -> Iterator[None]:
        with listen() as listener, serve(listener, make_application(self.words, self.questions, self.folder)):
            self.port = listener.getsockname()[1]
            yield

    def answer_all(self) -> None:
        while question := self.questions.get():
            if question.file.read_bytes() == png():
                reply = self.words.answer({**ANSWER, "image": question.name}, {"seen": png(), "map": png()})
            else:
                reply = self.words.refuse(question.name, trial.HTTPStatus.UNPROCESSABLE_ENTITY, "no image")
            question.reply.set_result(reply)

    def ask(
        self, path: str = "/", body: bytes | None = None, method: str = "GET", **headers: str
    ) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=SOON_SECONDS)
        given = {"Host": f"{HOST}:{self.port}", **{k.replace("_", "-"): v for k, v in headers.items()}}
        connection.request("POST" if body is not None else method, path, body, given)
        return connection.getresponse()

    def find_token(self) -> str:
        return re.search(r'data-token="([^"]+)"', self.ask().read().decode())[1]


@pytest.fixture
def unanswered(tmp_path: Path) -> Iterator[Trial]:
    made = Trial(tmp_path)
    with made.serving():
        yield made


@pytest.fixture
def made(unanswered: Trial) -> Iterator[Trial]:
    thread = threading.Thread(target=unanswered.answer_all, daemon=True)
    thread.start()
    yield unanswered
    unanswered.questions.put(None)
    thread.join()


def left(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_file()]


def test_the_page_runs_its_own_script_alone_and_in_no_other_page(made):
    response = made.ask()
    page, policy = response.read().decode(), response.headers["Content-Security-Policy"]
    for rule in ("default-src 'none'", "frame-ancestors 'none'", "connect-src 'self'", "script-src 'sha256-"):
        assert rule in policy
    assert "unsafe" not in policy
    assert HOSTILE not in page
    assert "generated images" in page
    assert "Not for clinical use" in page


def test_an_answer_says_all_that_is_known_and_the_image_does_not_stay(made):
    response = made.ask(
        "/answer?" + urlencode({"name": f"../{HOSTILE}.png"}), png(), X_Token=made.find_token()
    )
    html = re.sub(r"\s+", " ", response.read().decode())
    assert response.status == 200
    assert HOSTILE not in html
    assert "../" not in html
    for words in (
        "<h2>Second</h2>",
        "unlike the images that the network was trained on: 1 of 1,257 test images is",
    ):
        assert words in html
    for words in (
        "0.700",
        "Sensitivity for Second in the study: 0.912 (0.850 to 0.950), on 120 test",
        "data:image/png",
        "What the network sees",
        "the more of this answer comes from there. It does not locate disease.",
    ):
        assert words in html
    until(lambda: not left(made.folder))


def test_what_is_no_image_is_told_and_the_next_one_answered(made):
    token = made.find_token()
    response = made.ask("/answer?name=x.png", b"text", X_Token=token)
    assert (response.status, b"No image." in response.read()) == (422, True)
    assert made.ask("/answer?name=x.png", png(), X_Token=token).status == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example"])
def test_a_foreign_name_for_this_machine_is_refused(made, host):
    token = made.find_token()
    assert made.ask(Host=host).status == 400
    assert made.ask("/answer", png(), Host=host, X_Token=token).status == 400


def test_another_page_can_send_no_image(unanswered):
    for token in ({}, {"X_Token": ""}, {"X_Token": "guessed"}, {"X_Token": "\xe9"}):
        assert unanswered.ask("/answer", png(), Origin="http://evil.example", **token).status == 403
    preflight = unanswered.ask("/answer", method="OPTIONS", Origin="http://evil.example")
    assert preflight.status == 405
    assert not [name for name in preflight.headers if name.lower().startswith("access-control")]
    assert unanswered.ask("/answer").status == 405
    assert unanswered.ask("/../pyproject.toml").status == 404
    assert unanswered.questions.empty()


def test_what_is_too_large_or_too_much_at_once_is_refused(unanswered, monkeypatch):
    token = unanswered.find_token()
    for _ in range(trial.MOST_WAITING):
        unanswered.questions.put(SimpleNamespace())
    busy = unanswered.ask("/answer", png(), X_Token=token)
    assert (busy.status, b"wait already" in busy.read()) == (503, True)
    monkeypatch.setattr(trial, "MOST_MIB", 1)
    large = unanswered.ask("/answer", bytes(2**20 + 1), X_Token=token)
    assert (large.status, b"Larger than 1 MiB" in large.read()) == (413, True)
    until(lambda: not left(unanswered.folder))


def test_images_are_chosen_and_dropped_in_a_real_browser(made, browser, tmp_path):
    from axe_playwright_python.sync_playwright import Axe

    image, broken = tmp_path / "sent" / f"{HOSTILE.replace('/', '')}.png", tmp_path / "sent" / "broken.png"
    image.parent.mkdir()
    image.write_bytes(png())
    broken.write_text("text")
    said: list[str] = []
    page = browser.new_page(viewport={"width": 400, "height": 800}, bypass_csp=False)
    page.set_default_timeout(SOON_SECONDS * 1000)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.goto(f"http://{HOST}:{made.port}/")
    page.set_input_files("#file", [str(image), str(broken)])
    page.locator("article").nth(1).wait_for()
    assert page.locator("article h2").all_inner_texts() == ["broken.png", "Second"], "the last one is above"
    assert HOSTILE in page.locator("article").nth(1).inner_text()
    drawn = page.locator("figure img")
    assert drawn.count() == 2, "the image, and where the answer comes from"
    assert drawn.first.evaluate("image => image.complete && image.naturalWidth") == 32
    place = page.locator("#place").element_handle()
    data = page.evaluate_handle(
        """([name, bytes]) => {
          const data = new DataTransfer();
          data.items.add(new File([Uint8Array.from(bytes)], name));
          return data;
        }""",
        ["dropped.png", list(png())],
    )
    place.dispatch_event("drop", {"dataTransfer": data})
    page.locator("article").nth(2).wait_for()
    assert "dropped.png" in page.locator("article").first.inner_text()
    assert page.locator("#state").inner_text() == "dropped.png is answered."
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    assert said == []
    page.close()
    checked = browser.new_page(
        bypass_csp=True
    )  # what checks the page is a script that the page does not allow
    checked.goto(f"http://{HOST}:{made.port}/")
    checked.set_input_files("#file", str(image))
    checked.locator("article").wait_for()
    found = Axe().run(checked, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]})
    assert found.response["violations"] == []
    checked.close()
