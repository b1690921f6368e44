"""The live preview: what it serves and to whom, when it renders again, and what it says when it cannot."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from report.engine.fingerprint import Surroundings
from report.engine.local_processes import LocalProcesses
from report.engine.store import Record, Store, digest_files, digest_json, input_files
from report.engine.system.files import digest_file
from report.errors import OK, RENDER, USAGE, EnvironmentProblem, UsageError
from report.pipeline import document
from report.pipeline.stages import PROGRAM
from report.preview import page, rendering, server, session
from report.preview.page import SCRIPT, PreviewState, allow_script, compose_page
from report.preview.server import HOST, listen, serve_page
from report.workspace.plan import Plan, make_plan
from report.workspace.request import Request
from tests.writing.conftest import evaluate_study

ROOT = Path(__file__).parents[1]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PAGE = """<html><head><meta http-equiv="Content-Security-Policy" content="default-src 'none'; base-uri 'none'">
</head><body><main><p>Good.</p></main></body></html>"""
HOSTILE = "<script>alert(1)</script>"
SOON_SECONDS = 60.0  # it takes 0.1 s, but a busy machine may not come round to it


def until(condition: Callable[[], object]) -> object:
    end = time.monotonic() + SOON_SECONDS
    while not (found := condition()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
    return found


# The page ------------------------------------------------------------------------------------------

OURS = page.ALLOWED["script-src"]


@pytest.mark.parametrize(
    ("policy", "adapted"),
    [
        (
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'",
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none';"
            f" script-src {OURS}; connect-src 'self'",
        ),
        (
            "default-src 'none'; script-src 'sha256-x'; style-src 'unsafe-inline'",
            f"default-src 'none'; script-src 'sha256-x' {OURS}; style-src 'unsafe-inline'; connect-src 'self'",
        ),
        (
            "script-src 'none'; connect-src 'none'; style-src 'none';",
            f"script-src {OURS}; connect-src 'self'; style-src 'none'",
        ),
    ],
)
def test_the_policy_of_the_page_allows_our_script_and_its_connection_alone(policy, adapted):
    assert allow_script(policy) == adapted


def plain(html: str) -> str:
    """Return a served page without what the preview has added."""
    html = re.sub(r'<script data-digest="[0-9a-f]{64}">.*?</script>(?=</body>|$)', "", html, flags=re.S)
    return html.replace(f" {OURS}", "").replace("; script-src;", ";").replace("; connect-src 'self'", "")


def test_the_page_is_that_of_the_build_but_for_the_script():
    page = PAGE.replace("base-uri", "script-src 'sha256-x'; base-uri")
    html = compose_page(PreviewState(page))
    assert html.endswith(f"{SCRIPT}</script></body></html>")
    assert "preview-notice" not in html.replace(SCRIPT, "")
    assert plain(html) == page


@pytest.mark.parametrize("page", [PAGE, "", "<p>no body, no policy"])
def test_what_is_wrong_is_told_in_the_page_and_escaped(page):
    html = compose_page(PreviewState(page, f"discussion.md:3: {HOSTILE}", f"mend {HOSTILE}"))
    assert "discussion.md:3: &lt;script&gt;alert(1)" in html
    assert HOSTILE not in html
    assert html.startswith(page[:20])
    assert html.count("<script") == 1


def test_warnings_are_told_unless_something_is_wrong():
    warned = PreviewState(PAGE, warnings=("discussion.md:3: 0.9 & such",))
    assert "<li>discussion.md:3: 0.9 &amp; such</li>" in compose_page(warned)
    assert "0.9 &amp;" not in compose_page(PreviewState(PAGE, "wrong", warnings=warned.warnings))
    assert warned.digest not in {PreviewState(PAGE).digest, PreviewState(PAGE, "wrong").digest}


# The server ----------------------------------------------------------------------------------------


class Site:
    """A server of one page, whose ``shown`` a test may change."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.shown = PreviewState(PAGE)

    def get(self, path: str = "/", host: str | None = None, method: str = "GET") -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=SOON_SECONDS)
        connection.putrequest(method, path, skip_host=True)
        connection.putheader("Host", host or f"{HOST}:{self.port}")
        connection.endheaders()
        return connection.getresponse()


@pytest.fixture
def site() -> Iterator[Site]:
    with listen(8420) as listener:
        site = Site(listener.getsockname()[1])
        with serve_page(listener, lambda: site.shown):
            yield site


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8420", "localhost:1", "LOCALHOST"])
def test_the_page_is_served_to_this_machine(site, host):
    response = site.get(host=host)
    text = response.read().decode()
    assert response.status == 200
    assert response.headers["Content-Security-Policy"] == "frame-ancestors 'none'"
    assert plain(text) == PAGE


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8420", "127.0.0.1.evil.example", "0.0.0.0"])
@pytest.mark.parametrize("path", ["/", "/changes"])
def test_a_foreign_name_for_this_machine_is_refused(site, host, path):
    response = site.get(path, host)
    assert response.status == 400
    assert b"Good." not in response.read()


def test_nothing_else_is_served(site):
    assert site.get("/../pyproject.toml").status == 404
    assert site.get("/report.html").status == 404
    assert site.get(method="POST").status == 405


def digest_in(stream: http.client.HTTPResponse) -> str:
    while not (line := stream.readline()).startswith(b"data: "):
        assert line, "the stream has ended"
    return line.decode().removeprefix("data: ").strip()


def test_a_change_is_told_at_once(site):
    stream = site.get("/changes")
    assert stream.headers["Content-Type"].startswith("text/event-stream")
    assert digest_in(stream) == site.shown.digest
    site.shown = PreviewState(PAGE, "wrong")
    assert digest_in(stream) == site.shown.digest
    assert site.shown.digest in site.get().read().decode()


def test_the_server_ends_while_a_browser_listens():
    listener = listen(8420)
    site = Site(listener.getsockname()[1])
    with serve_page(listener, lambda: site.shown):
        stream = site.get("/changes")
        digest_in(stream)
        begun = time.monotonic()
    assert time.monotonic() - begun < 2
    assert stream.read() == b"\n"


def test_a_taken_port_gives_the_next_free_one(monkeypatch):
    with listen(8420) as first, listen(first.getsockname()[1]) as second:
        taken = first.getsockname()[1]
        assert first.getsockname()[0] == second.getsockname()[0] == HOST
        assert taken < second.getsockname()[1] < taken + server.PORTS
        monkeypatch.setattr(server, "PORTS", 1)
        with pytest.raises(EnvironmentProblem, match=f"no port from {taken} on: .*in use"):
            listen(taken)


# Saves ---------------------------------------------------------------------------------------------


def test_saves_are_noticed_also_of_new_files_and_of_editors_that_rename(tmp_path):
    (tmp_path / "sections").mkdir()
    saves = session.watch_saves(tmp_path)
    assert next(saves) == []
    (tmp_path / "discussion.md").write_text("new")
    assert next(saves) == ["discussion.md"]
    (tmp_path / ".discussion.md.swp").write_text("renamed")
    (tmp_path / ".discussion.md.swp").rename(tmp_path / "discussion.md")
    assert next(saves) == ["discussion.md"]
    (tmp_path / "sections" / "data.j2").write_text("deep")
    (tmp_path / "discussion.md").unlink()
    assert next(saves) == ["data.j2", "discussion.md"]


def test_a_folder_that_cannot_be_watched_is_named(tmp_path):
    with pytest.raises(EnvironmentProblem, match=r"cannot watch .*missing"):
        next(session.watch_saves(tmp_path / "missing"))


# Rendering -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a cache with results of the assignment's sample: the real evaluation of made-up predictions."""
    root, cache = tmp_path_factory.mktemp("artifacts"), tmp_path_factory.mktemp("cache")
    evaluate_study(root, {})
    plant(make_plan(Request("assignment", sample=True, cache=cache)), root)
    return cache


def plant(the_plan: Plan, root: Path) -> None:
    """Store the folders in ``root`` as the results of the stages before the document."""
    store, records = Store(the_plan.cache), {}
    moment = Surroundings(PROGRAM, store.index)
    for stage in the_plan.upstream(["source"])[:-1]:
        inputs = {name: digest_files(files) for name, files in input_files(stage, records).items()}
        recipe, out = moment.recipe(stage, inputs), root / stage.name
        (out / ("model.keras" if stage.name.startswith("train") else "made-up")).write_text(stage.name)
        outputs = {
            path.name: {"sha256": digest_file(path), "size": path.stat().st_size} for path in out.iterdir()
        }
        key = digest_json(recipe)
        records[stage.name] = Record(key, stage.name, recipe, outputs, digest_files(outputs), 0.0, {}, "")
        store.keep(records[stage.name], out)
    store.point(the_plan.cache_name, {name: record.key for name, record in records.items()})


@pytest.fixture(scope="module")
def workers(made_up: Path) -> Iterator[LocalProcesses]:
    with LocalProcesses(PROGRAM, Store(made_up).root / "home") as workers:
        yield workers


class Draft:
    """A study and templates of one's own, and what is shown of them."""

    def __init__(self, root: Path, cache: Path, workers: LocalProcesses) -> None:
        self.study, self.templates = root / "studies" / "own", root / "templates"
        shutil.copytree(ROOT / "studies" / "assignment", self.study)
        shutil.copytree(ROOT / "templates", self.templates)
        self.request = Request(str(self.study), sample=True, cache=cache)
        self.workers, self.shown = workers, PreviewState()

    def edit(self, path: Path, old: str, new: str) -> PreviewState:
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))
        return self.render()

    def render(self) -> PreviewState:
        self.shown = rendering.render(self.request, self.workers, self.shown)
        return self.shown


@pytest.fixture
def draft(tmp_path: Path, made_up: Path, workers: LocalProcesses, monkeypatch: pytest.MonkeyPatch) -> Draft:
    monkeypatch.setattr(document, "PROJECT", tmp_path)
    monkeypatch.setattr(rendering, "PROJECT", tmp_path)
    monkeypatch.setattr(session, "PROJECT", tmp_path)
    return Draft(tmp_path, made_up, workers)


def test_what_is_saved_is_shown(draft):
    first = draft.render()
    assert (first.message, first.warnings) == ("", ())
    assert "EventSource" not in first.page
    (draft.study / "discussion.md").write_text("Written anew, quoting << r('baseline.test.accuracy') >>.\n")
    assert re.search(r"Written anew, quoting 0\.\d{3}\.", draft.render().page)
    (draft.study / "introduction.md").unlink()
    (draft.study / "discussion.md").write_text("An accuracy of 0.93.\n")
    shown = draft.render()
    assert 'id="sec-introduction"' not in shown.page
    assert re.match(r"discussion.md:1: 0.93 looks like a result", shown.warnings[0])
    draft.edit(draft.study / "study.toml", 'title = "Classifying', 'title = "Sorting')
    draft.edit(draft.templates / "report.qmd.j2", "# References", "Before them.\n\n# References")
    draft.edit(draft.templates / "theme" / "screen.css", "\n", "\n/* a new rule */\n")
    shown = draft.edit(draft.templates / "theme" / "page.html", "<body", "<body data-new")
    for new in ("<title>Sorting chest", "<p>Before them.</p>", "/* a new rule */", "<body data-new"):
        assert new in shown.page
    assert shown.message == ""


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("discussion.md", "", "one\n\n<< r('baseline.test.acuracy') >>\n\n", r"discussion.md:3: no result is"),
        ("discussion.md", "", "one\n\n@fig-nowhere and more\n\n", r"discussion.md:3: @fig-nowhere refers to no"),
        ("discussion.md", "", "one\n\n<iframe>\n\n", r"discussion.md:3: HTML is not part"),
        ("discussion.md", "", "one\n\nIf $a \\nonsense b$ then\n\n", r"discussion.md:3: the equation a \\nonsense b"),
        ("../../templates/report.qmd.j2", "# References", "<% if %>", r"report.qmd.j2:\d+: Expected"),
        ("../../templates/report.qmd.j2", "# References", "@nobody1999\n\n# References", r"report.qmd.j2:\d+: @nob"),
        ("../../templates/sections/limits.qmd.j2", "", "<< nothing >>", r"limits.qmd.j2:1: 'nothing' is undef"),
        ("../../templates/theme/page.html", "$endfor$", "", r'"templates/theme/page.html" \(line \d+.*unexpected'),
        ("../../templates/theme/fonts.css", ".woff2", ".woff3", r"templates/theme/fonts.css:\d+: fonts/.*woff3 is"),
        ("../../templates/filters/report.lua", "local", "locl", r" templates/filters/report.lua:\d+: syntax error"),
        ("../../templates/references.bib", "},", "}", r"references.bib: \(line \d+, .*unexpected"),
        ("study.toml", "epochs = 50", "epocs = 50", r"study.toml:\d+: models.improved.epocs: unknown key"),
        ("study.toml", "epochs = 50", "epochs 50", r"study.toml:\d+: not valid TOML"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_file_and_line_until_it_is_mended(draft, file, old, new, message):
    good = draft.render()
    path = draft.study / file
    before = path.read_text()
    wrong = draft.edit(path, old, new)
    assert re.search(message, wrong.message)
    assert "/tmp" not in wrong.message.replace(str(draft.study), "")
    assert wrong.page == good.page
    path.write_text(before)
    assert draft.render() == good


def test_a_change_that_needs_a_training_is_said_and_not_made(draft):
    good = draft.render()
    wrong = draft.edit(draft.study / "study.toml", "epochs = 10", "epochs = 11")
    assert wrong.page == good.page
    assert re.fullmatch(
        r"own-sample: not built yet, train.baseline, .* and \d+ more would run", wrong.message
    )
    assert wrong.hint.startswith(f"report build {draft.study} --sample")


def test_figures_are_no_training(draft, capfd):
    the_plan = make_plan(draft.request)
    rendering.refuse_training(the_plan, ["figure.counts", "figure.sizes", "source", "html"])
    assert capfd.readouterr().err == "drawing figures: 2\n"
    with pytest.raises(UsageError, match="not built yet, compare would run"):
        rendering.refuse_training(the_plan, ["compare", "figure.counts", "source", "html"])


# The command ---------------------------------------------------------------------------------------


@contextlib.contextmanager
def running(*arguments: str, log: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run the command as a terminal does; what it says goes to ``log``."""
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "report", "preview", *arguments],
            cwd=ROOT,
            env={**os.environ, "CI": "", **environment},
            stdout=stream,
            stderr=stream,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "studies" / "assignment", tmp_path / "own"))


def address(log: Path) -> str:
    return until(lambda: re.search(r"http://127\.0\.0\.1:\d+/", log.read_text()))[0]


def test_without_results_it_says_what_builds_them(tmp_path):
    log = tmp_path / "log"
    with running("--sample", "--cache", str(tmp_path / "empty"), log=log) as process:
        assert process.wait(60) == USAGE
    assert "error: assignment-sample: not built yet, sample, read" in log.read_text()
    assert f"hint: report build assignment --sample --cache {tmp_path / 'empty'}" in log.read_text()


def children(process: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_while_a_browser_listens(tmp_path, own, made_up, is_running, number):
    log, temporary = tmp_path / "log", tmp_path / "temporary"
    temporary.mkdir()
    (own / "discussion.md").write_text(
        f"PreviewState until signal {number}.\n"
    )  # so that there is something to make
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        wanted = (str(own), "--sample", "--cache", str(made_up), "--port", str(port), "--no-browser")
        with running(*wanted, log=log, TMPDIR=str(temporary)) as process:
            site = Site(int(address(log).rstrip("/").rpartition(":")[2]))
            assert f"port {port} is taken; the next free one is {site.port}" in log.read_text()
            until(lambda: b"<main" in site.get().read())
            assert plain(site.get().read().decode()).encode() == page_in(made_up, own)
            digest_in(site.get("/changes"))
            there = children(process.pid)
            process.send_signal(number)
            assert process.wait(SOON_SECONDS) == OK
    assert len(there) >= 1
    until(lambda: not any(map(is_running, there)))
    assert not list(temporary.iterdir())
    assert len(log.read_text().splitlines()) == 2


def page_in(cache: Path, study: Path) -> bytes:
    """Return the page as it is kept for a build."""
    store = Store(cache)
    pointers = make_plan(Request(str(study), sample=True, cache=cache)).cache_name
    record = store.find_record(store.latest(pointers)["html"])
    return store.sound_path(record.outputs["report.html"], "html").read_bytes()


QUARTO = """#!/bin/sh
echo "$PWD $*, cache $REPORT_CACHE, python $(command -v python)" >> "$CALLED"
[ "$ENDS" = never ] && exec sleep 60
exit $ENDS
"""


@pytest.fixture
def quarto(tmp_path: Path) -> dict[str, str]:
    """Put a Quarto on the path that only writes down how it was called."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "quarto").write_text(QUARTO)
    (tmp_path / "bin" / "quarto").chmod(0o755)
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return {"PATH": path, "CALLED": str(tmp_path / "called")}


@pytest.mark.parametrize(("ends", "code"), [("0", OK), ("1", RENDER)])
def test_with_quarto_on_the_path_its_preview_runs(tmp_path, made_up, quarto, ends, code):
    log = tmp_path / "log"
    with running(
        "--sample", "--cache", str(made_up), "--port", "4321", log=log, ENDS=ends, **quarto
    ) as process:
        assert process.wait(60) == code
    python = Path(sys.executable).with_name("python")
    called = (tmp_path / "called").read_text()
    assert called == f"{ROOT} preview . --no-browser --port 4321, cache {made_up}, python {python}\n"


def test_ctrl_c_ends_quarto_too(tmp_path, made_up, quarto, is_running):
    log = tmp_path / "log"
    with running("--sample", "--cache", str(made_up), log=log, ENDS="never", **quarto) as process:
        until((tmp_path / "called").exists)
        there = children(process.pid)
        process.send_signal(signal.SIGINT)
        assert process.wait(SOON_SECONDS) == OK
    assert there
    until(lambda: not any(map(is_running, there)))
    assert len(log.read_text().splitlines()) == 1


def test_quarto_is_passed_over_for_what_it_cannot_show(tmp_path, own, made_up, quarto):
    log = tmp_path / "log"
    with running(str(own), "--sample", "--cache", str(made_up), "--no-browser", log=log, ENDS="0", **quarto):
        address(log)
    assert "not with Quarto" in log.read_text()
    assert not (tmp_path / "called").exists()


# The browser ---------------------------------------------------------------------------------------

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
