"""A preview that a test asks: its server, its command in a process of its own, and its page without what is added."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from report.preview import page
from report.preview.page import PreviewState
from report.preview.server import HOST

ROOT = Path(__file__).parents[2]
PAGE = """<html><head><meta http-equiv="Content-Security-Policy" content="default-src 'none'; base-uri 'none'">
</head><body><main><p>Good.</p></main></body></html>"""
HOSTILE = "<script>alert(1)</script>"
SOON_SECONDS = 60.0  # it takes 0.1 s, but a busy machine may not come round to it
OURS = page.SCRIPT_SOURCES["script-src"]


def until(condition: Callable[[], object]) -> object:
    end = time.monotonic() + SOON_SECONDS
    while not (found := condition()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
    return found


def plain(html: str) -> str:
    """Return a served page without what the preview has added."""
    html = re.sub(
        r"<style>\s*#preview-place.*?</style><div id=.preview-place.[^>]*></div>", "", html, flags=re.S
    )
    html = re.sub(r'<script data-digest="[0-9a-f]{64}">.*?</script>(?=</body>|$)', "", html, flags=re.S)
    return html.replace(f" {OURS}", "").replace("; script-src;", ";").replace("; connect-src 'self'", "")


class Site:
    """A server of one page, whose ``shown`` a test may change."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.shown = PreviewState(PAGE)

    def find_place(self, words: str) -> str:
        """Return where words stand, of which this site knows one sentence."""
        return "discussion.md:3" if words == "Good." else ""

    def get(self, path: str = "/", host: str | None = None, method: str = "GET") -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=SOON_SECONDS)
        connection.putrequest(method, path, skip_host=True)
        connection.putheader("Host", host or f"{HOST}:{self.port}")
        connection.endheaders()
        return connection.getresponse()


def digest_in(stream: http.client.HTTPResponse) -> str:
    while not (line := stream.readline()).startswith(b"data: "):
        assert line, "the stream has ended"
    return line.decode().removeprefix("data: ").strip()


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


def address(log: Path) -> str:
    return until(lambda: re.search(r"http://127\.0\.0\.1:\d+/", log.read_text()))[0]
