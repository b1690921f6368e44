"""A server for one page, which the browser loads again whenever it has changed; for this machine alone."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from report.errors import EnvironmentProblem
from report.preview.page import EMPTY_PAGE, PreviewState, compose_frames, compose_page

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.routing import BaseRoute

HOST = "127.0.0.1"
HOST_NAMES = (HOST, "localhost")
"""What a browser may call this server: a page from elsewhere whose name leads here is not answered."""
PORT, MOST_PORTS = 8420, 50
"""The usual port, and how many are tried from it on."""
POLL_SECONDS = 0.05
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'self'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True)
class Shown:
    """What the server answers from: the state as it is then, where words were written, and whether there is a PDF."""

    find_state: Callable[[], PreviewState]
    find_place: Callable[[str], str]
    paper: bool = False


def make_application(shown: Shown, ending: threading.Event) -> Starlette:
    """Return the server's answers: the page as it is then, and until ``ending`` its digest whenever it changes."""
    from starlette.requests import Request
    from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
    from starlette.routing import Route

    async def page(request: Request) -> Response:
        return HTMLResponse(compose_page(shown.find_state()), headers=HEADERS)

    async def frames(request: Request) -> Response:
        return HTMLResponse(compose_frames(), headers=HEADERS)

    async def paper(request: Request) -> Response:
        made = shown.find_state().paper
        if made:
            return Response(made, media_type="application/pdf", headers=HEADERS)
        return HTMLResponse(EMPTY_PAGE, headers=HEADERS)

    def place(request: Request) -> Response:
        asked = (request.query_params.get(name, "") for name in ("sentence", "passage"))
        return PlainTextResponse(next(filter(None, map(shown.find_place, asked)), ""), headers=HEADERS)

    async def changes(request: Request) -> Response:
        return StreamingResponse(
            _stream_digests(shown.find_state, ending), media_type="text/event-stream", headers=HEADERS
        )

    answers = {"/page": page, "/report.pdf": paper, "/place": place, "/changes": changes}
    return make_local(
        [
            Route("/", frames if shown.paper else page),
            *(Route(path, answer) for path, answer in answers.items()),
        ]
    )


def make_local(routes: Sequence[BaseRoute]) -> Starlette:
    """Return a server's answers for browsers that call it by a name of this machine."""
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    hosts = Middleware(TrustedHostMiddleware, allowed_hosts=HOST_NAMES, www_redirect=False)
    return Starlette(routes=routes, middleware=[hosts])


async def _stream_digests(
    find_state: Callable[[], PreviewState], ending: threading.Event
) -> AsyncIterator[str]:
    last, paper = None, ""
    yield "retry: 500\n\n"  # milliseconds, after which a browser asks again when the server was gone
    while not ending.is_set():
        state = find_state()
        if state is not last:
            yield f"data: {state.digest}\n\n"
            if state.paper_digest != paper:
                yield f"event: paper\ndata: {state.paper_digest}\n\n"
            last, paper = state, state.paper_digest
        await asyncio.sleep(POLL_SECONDS)


def listen(port: int | None = None) -> socket.socket:
    """Return a socket of this machine alone at ``port``; if none is named at the usual one, or the next that is free.

    Raises
    ------
    EnvironmentProblem
        None of them can be had.
    """
    refused = 0
    for number in [port] if port else range(PORT, PORT + MOST_PORTS):
        try:
            return socket.create_server((HOST, number))
        except OSError as error:
            refused = error.errno or 0
    what = f"port {port}" if port else f"no port from {PORT} on"
    hint = "name another with --port N" + (", or none: then a free one is taken" if port else "")
    raise EnvironmentProblem(f"{what}: {os.strerror(refused).lower()}", hint=hint)


@contextmanager
def serve_page(listener: socket.socket, shown: Shown) -> Iterator[None]:
    """Show browsers at ``listener`` the page, and each change of it."""
    ending = threading.Event()
    with serve(listener, make_application(shown, ending)):
        try:
            yield
        finally:
            ending.set()


@contextmanager
def serve(listener: socket.socket, application: Starlette) -> Iterator[None]:
    """Answer browsers at ``listener`` from a thread of its own."""
    import uvicorn

    config = uvicorn.Config(
        application,
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
        server.should_exit = True
        thread.join()
