"""A server for one page, which the browser loads again whenever it has changed; for this machine alone."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from report.errors import EnvironmentProblem

if TYPE_CHECKING:
    from starlette.applications import Starlette

HOST = "127.0.0.1"
NAMES = (HOST, "localhost")
"""What a browser may call this server: a page from elsewhere whose name leads here is not answered."""
PORTS = 50
POLL_SECONDS = 0.05
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
EMPTY = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Preview</title></head><body><p>The report appears here as soon as it is made.</p></body></html>
"""
STYLE = """
#preview-told { position: sticky; bottom: 0; z-index: 2147483647; max-height: 50vh; overflow: auto; padding: .8rem 1.2rem;
  font: 15px/1.45 system-ui, sans-serif; overflow-wrap: anywhere; color: #1c2127; background: #fff8e1;
  border-top: 3px solid #9a6700; }
#preview-told.wrong { color: #fff; background: #7d1128; border-color: #ffb3c1; }
#preview-told :is(p, ul) { margin: .2rem 0; max-width: none; }
@media print { #preview-told { display: none; } }
"""
SCRIPT = """
// The page is loaded again when it is no longer what is shown, and the reader's place is kept: open tabs,
// and what stands at the top of the window, known by its words, as the text above it may have become longer.
(() => {
  const KEY = "preview-place", OPEN = "input:checked[id], details[open][id]";
  const digest = document.currentScript.dataset.digest;
  const top = (block) => block.getBoundingClientRect().top;
  const blocks = () => [...document.querySelectorAll("main :is(h2, h3, h4, p, li, tr, pre, figure)")];

  function place() {
    const seen = blocks().filter((block) => block.getBoundingClientRect().bottom > 0).slice(0, 20);
    return {
      open: [...document.querySelectorAll(OPEN)].map((element) => element.id),
      seen: seen.map((block) => [block.textContent, top(block)]),
      y: scrollY,
    };
  }
  function restore({ open, seen, y }) {
    for (const element of open.map((id) => document.getElementById(id)).filter(Boolean)) {
      element[element.matches("details") ? "open" : "checked"] = true;
    }
    const all = blocks();
    for (const [words, was] of seen) {
      const same = all.filter((block) => block.textContent === words);
      if (same.length === 1) return scrollBy({ top: Math.round(top(same[0]) - was), behavior: "instant" });
    }
    scrollTo({ top: y, behavior: "instant" });
  }

  const kept = JSON.parse(sessionStorage.getItem(KEY));
  sessionStorage.removeItem(KEY);
  history.scrollRestoration = kept ? "manual" : "auto";
  if (kept) {
    restore(kept);
    addEventListener("load", () => document.fonts.ready.then(() => {
      restore(kept);
      history.scrollRestoration = "auto";
    }));
  }
  new EventSource("/changes").onmessage = (message) => {
    if (message.data === digest) return;
    sessionStorage.setItem(KEY, JSON.stringify(place()));
    location.reload();
  };
})();
"""
ALLOWED = {
    "script-src": f"'sha256-{base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()}'",
    "connect-src": "'self'",
}
_POLICY = re.compile(r'(<meta http-equiv="Content-Security-Policy" content=")([^"]*)')


@dataclass(frozen=True)
class Shown:
    """What the browser is to show: the last good page ("" if there was none), and what is wrong since.

    ``warnings`` do not keep a page from being good.
    """

    page: str = ""
    message: str = ""
    hint: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """The sha256 of all of it."""
        return hashlib.sha256(repr(self).encode()).hexdigest()


def served(shown: Shown) -> str:
    """Return the page, and at its end what is wrong and the script that loads it again."""
    page = _POLICY.sub(lambda match: match[1] + allowed(match[2]), shown.page or EMPTY, count=1)
    before, end, after = page.rpartition("</body>")
    added = f'{told(shown)}<script data-digest="{shown.digest}">{SCRIPT}</script>'
    return f"{before}{added}{end}{after}" if end else page + added


def allowed(policy: str) -> str:
    """Return a Content-Security-Policy that also allows our script and its connection to this server."""
    rules = {name: sources for name, *sources in (part.split() for part in policy.split(";") if part.strip())}
    for name, source in ALLOWED.items():
        rules[name] = [*(other for other in rules.get(name, []) if other != "'none'"), source]
    return "; ".join(" ".join([name, *sources]) for name, sources in rules.items())


def told(shown: Shown) -> str:
    """Return what is wrong, or else the warnings, as HTML; "" if all is well."""
    if shown.message:
        stays = "Until it is mended the page stays as it was." if shown.page else ""
        words = f"<strong>{escape(shown.message)}</strong>", escape(shown.hint), stays
        inside = "".join(f"<p>{part}</p>" for part in words if part)
    elif shown.warnings:
        items = "".join(f"<li>{escape(warning)}</li>" for warning in shown.warnings)
        summary = f"<summary>Warnings: {len(shown.warnings)}</summary>"
        inside = f'<details id="preview-warnings">{summary}<ul>{items}</ul></details>'
    else:
        return ""
    kind = ' class="wrong"' if shown.message else ""
    return f'<style>{STYLE}</style><div id="preview-told"{kind} role="alert">{inside}</div>'


def application(now: Callable[[], Shown], ending: threading.Event) -> Starlette:
    """Return the server's answers: the page of ``now()``, and until ``ending`` its digest whenever it changes."""
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware
    from starlette.requests import Request
    from starlette.responses import HTMLResponse, Response, StreamingResponse
    from starlette.routing import Route

    async def page(request: Request) -> Response:
        return HTMLResponse(served(now()), headers=HEADERS)

    async def changes(request: Request) -> Response:
        return StreamingResponse(_digests(now, ending), media_type="text/event-stream", headers=HEADERS)

    return Starlette(
        routes=[Route("/", page), Route("/changes", changes)],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=NAMES, www_redirect=False)],
    )


async def _digests(now: Callable[[], Shown], ending: threading.Event) -> AsyncIterator[str]:
    last = None
    yield "retry: 500\n\n"  # milliseconds, after which a browser asks again when the server was gone
    while not ending.is_set():
        shown = now()
        if shown is not last:
            yield f"data: {shown.digest}\n\n"
            last = shown
        await asyncio.sleep(POLL_SECONDS)


def listen(port: int) -> socket.socket:
    """Return a socket of this machine alone at ``port``, or at the next free one.

    Raises
    ------
    EnvironmentProblem
        None of them can be had.
    """
    refused: OSError | None = None
    for number in range(port, min(port + PORTS, 65_536)):
        try:
            return socket.create_server((HOST, number))
        except OSError as error:
            refused = error
    raise EnvironmentProblem(f"no port from {port} on: {refused}", hint="name another with --port N")


@contextmanager
def serving(listener: socket.socket, now: Callable[[], Shown]) -> Iterator[None]:
    """Answer browsers at ``listener`` from a thread of its own."""
    import uvicorn

    ending = threading.Event()
    config = uvicorn.Config(
        application(now, ending),
        log_config=None,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        server.should_exit = True
        thread.join()
