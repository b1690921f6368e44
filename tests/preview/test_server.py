"""The server: what it answers, and to whom."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from report.errors import EnvironmentProblem
from report.preview import server
from report.preview.page import PreviewState
from report.preview.server import HOST, Shown, listen, serve_page
from tests.preview.site import PAGE, Site, digest_in, plain


@pytest.fixture
def site() -> Iterator[Site]:
    with listen() as listener:
        site = Site(listener.getsockname()[1])
        with serve_page(listener, Shown(lambda: site.shown, site.find_place)):
            yield site


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8420", "localhost:1", "LOCALHOST"])
def test_the_page_is_served_to_this_machine(site, host):
    response = site.get(host=host)
    text = response.read().decode()
    assert response.status == 200
    assert response.headers["Content-Security-Policy"] == "frame-ancestors 'self'"
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


def test_a_change_is_told_at_once(site):
    stream = site.get("/changes")
    assert stream.headers["Content-Type"].startswith("text/event-stream")
    assert digest_in(stream) == site.shown.digest
    site.shown = PreviewState(PAGE, "wrong")
    assert digest_in(stream) == site.shown.digest
    assert site.shown.digest in site.get().read().decode()


def test_where_a_passage_was_written_is_told(site):
    for asked, place in (
        ("sentence=Good.", "discussion.md:3"),
        ("sentence=x&passage=Good.", "discussion.md:3"),
        ("", ""),
    ):
        assert site.get(f"/place?{asked}").read().decode() == place


def test_with_the_pdf_the_page_has_two_halves_and_a_new_pdf_is_told(site):
    site.shown = PreviewState(PAGE)
    with listen() as listener:
        beside = Site(listener.getsockname()[1])
        with serve_page(listener, Shown(lambda: site.shown, site.find_place, paper=True)):
            frames = beside.get().read().decode()
            assert 'src="/page"' in frames
            assert 'src="/report.pdf"' in frames
            assert plain(beside.get("/page").read().decode()) == PAGE
            assert beside.get("/report.pdf").headers["Content-Type"].startswith("text/html")
            stream = beside.get("/changes")
            digest_in(stream)
            site.shown = PreviewState(PAGE, paper=b"%PDF-")
            while stream.readline() != b"event: paper\n":
                pass
            assert digest_in(stream) == site.shown.paper_digest
            made = beside.get("/report.pdf")
            assert (made.headers["Content-Type"], made.read()) == ("application/pdf", b"%PDF-")


def test_the_server_ends_while_a_browser_listens():
    listener = listen()
    site = Site(listener.getsockname()[1])
    with serve_page(listener, Shown(lambda: site.shown, site.find_place)):
        stream = site.get("/changes")
        digest_in(stream)
        begun = time.monotonic()
    assert time.monotonic() - begun < 2
    assert stream.read() == b"\n"


def test_another_port_is_taken_where_none_is_named(monkeypatch):
    with listen() as first, listen() as second:
        taken = first.getsockname()[1]
        assert first.getsockname()[0] == second.getsockname()[0] == HOST
        assert server.PORT <= taken < second.getsockname()[1] < server.PORT + server.MOST_PORTS
        monkeypatch.setattr(server, "MOST_PORTS", 1)
        monkeypatch.setattr(server, "PORT", taken)
        with pytest.raises(EnvironmentProblem, match=f"no port from {taken} on: .*in use"):
            listen()


def test_a_port_that_is_named_is_had_or_refused():
    with listen() as first:
        taken = first.getsockname()[1]
        with pytest.raises(EnvironmentProblem, match=f"port {taken}: address already in use") as caught:
            listen(taken)
        assert "--port N" in caught.value.hint
    with listen(taken) as named:
        assert named.getsockname()[1] == taken
