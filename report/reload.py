"""A server for one page, which the browser loads again whenever it has changed; for this machine alone."""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
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
EMPTY = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Preview</title></head><body></body></html>
"""
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
STYLE = """
.preview-told { position: fixed; inset: auto 0 0 0; z-index: 2147483647; max-height: 50vh; overflow: auto;
  padding: .8rem 1.2rem; font: 15px/1.45 system-ui, sans-serif; overflow-wrap: anywhere;
  color: #1c2127; background: #fff8e1; border-top: 3px solid #9a6700; }
.preview-told.wrong { color: #fff; background: #7d1128; border-color: #ffb3c1; }
.preview-told p, .preview-told ul { margin: .2rem 0; }
@media print { .preview-told { display: none; } }
"""
SCRIPT = """
(() => {
  const KEY = "preview-place", shown = document.currentScript.dataset.digest;
  const blocks = () => [...document.querySelectorAll("main :is(h1, h2, h3, h4, h5, h6, p, li, tr, pre, figure)")];
  const words = (block) => block.textContent.replace(/\\s+/g, " ").trim().slice(0, 200);
  const top = (block) => block.getBoundingClientRect().top;

  // The place is what stands at the top of the window, by its words: text above may have become longer.
  function keep() {
    const all = blocks();
    const first = all.findIndex((block) => block.getBoundingClientRect().bottom > 0);
    const seen = first < 0 ? [] : all.slice(first, first + 20);
    const places = seen.map((block, i) => ({ words: words(block), index: first + i, top: top(block) }));
    sessionStorage.setItem(KEY, JSON.stringify({ places, y: scrollY }));
  }
  function find(place, all) {
    const same = all.filter(([said]) => said && said === place.words);
    const far = ([, index]) => Math.abs(index - place.index);
    return same.length ? same.reduce((a, b) => (far(b) < far(a) ? b : a))[2] : null;
  }
  function restore(kept) {
    const all = blocks().map((block, index) => [words(block), index, block]);
    for (const place of kept.places) {
      const block = find(place, all);
      if (block) return scrollBy({ top: top(block) - place.top, behavior: "instant" });
    }
    scrollTo({ top: kept.y, behavior: "instant" });
  }

  const kept = JSON.parse(sessionStorage.getItem(KEY) || "null");
  const [how] = performance.getEntriesByType("navigation");
  if (kept && how && how.type === "reload") {
    history.scrollRestoration = "manual";
    restore(kept);
    let moved = false;
    for (const act of ["wheel", "touchmove", "keydown", "pointerdown"]) addEventListener(act, () => { moved = true; });
    const again = () => { if (!moved) restore(kept); };
    addEventListener("load", again);
    document.fonts.ready.then(again);
  }
  addEventListener("pagehide", keep);
  new EventSource("/changes").onmessage = (message) => { if (message.data !== shown) location.reload(); };
})();
"""
_POLICY = re.compile(r'(<meta http-equiv="Content-Security-Policy" content=")([^"]*)(")')


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
        return hashlib.sha256(repr((self.page, self.message, self.hint, self.warnings)).encode()).hexdigest()


def served(shown: Shown, nonce: str) -> str:
    """Return the page with what is wrong at its foot and the script that loads it again; allowed by ``nonce``."""
    page = _POLICY.sub(
        lambda policy: f"{policy[1]}{allowed(policy[2], nonce)}{policy[3]}", shown.page or EMPTY, 1
    )
    script = f'<script nonce="{nonce}" data-digest="{shown.digest}">{SCRIPT}</script>'
    before, end, after = page.rpartition("</body>")
    added = told(shown, nonce) + script
    return f"{before}{added}{end}{after}" if end else page + added


def allowed(policy: str, nonce: str) -> str:
    """Return a Content-Security-Policy that also allows what has ``nonce``, and connections to this server."""
    rules = {name: sources for name, *sources in (part.split() for part in policy.split(";") if part.strip())}
    added = {"script-src": f"'nonce-{nonce}'", "connect-src": "'self'"}
    if "'unsafe-inline'" not in rules.get("style-src", []):
        added["style-src"] = f"'nonce-{nonce}'"
    for name, source in added.items():
        rules[name] = [*(known for known in rules.get(name, []) if known != "'none'"), source]
    return "; ".join(" ".join([name, *sources]) for name, sources in rules.items())


def told(shown: Shown, nonce: str) -> str:
    """Return what is wrong, or else the warnings, as HTML; "" if all is well."""
    if shown.message:
        hint = f"<p>{escape(shown.hint)}</p>" if shown.hint else ""
        stays = "<p>Until it is mended the page stays as it was.</p>" if shown.page else ""
        inside = f"<p><strong>{escape(shown.message)}</strong></p>{hint}{stays}"
    elif shown.warnings:
        items = "".join(f"<li>{escape(warning)}</li>" for warning in shown.warnings)
        inside = f"<details><summary>Warnings: {len(shown.warnings)}</summary><ul>{items}</ul></details>"
    else:
        return ""
    kind = " wrong" if shown.message else ""
    style = f'<style nonce="{nonce}">{STYLE}</style>'
    return f'{style}<div class="preview-told{kind}" role="alert">{inside}</div>'


def application(now: Callable[[], Shown], ending: threading.Event) -> Starlette:
    """Return the server's answers: the page of ``now()``, and until ``ending`` its digest whenever it changes."""
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware
    from starlette.requests import Request
    from starlette.responses import HTMLResponse, Response, StreamingResponse
    from starlette.routing import Route

    async def page(request: Request) -> Response:
        return HTMLResponse(served(now(), secrets.token_urlsafe(16)), headers=HEADERS)

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
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, number))
            listener.listen()
        except OSError as error:
            listener.close()
            refused = error
            continue
        return listener
    reason = refused.strerror if refused else "none"
    raise EnvironmentProblem(f"port {port} and the next {PORTS}: {reason}", hint="name another with --port N")


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
