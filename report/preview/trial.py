"""A page on which one tries a trained network: an image is dropped there, and the answer of ``report predict`` appears."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import queue
import secrets
import webbrowser
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import nullcontext
from dataclasses import dataclass, field
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from jinja2 import Environment

from analysis.image_files import escape_name
from analysis.vocabulary.splits import SPLITS
from report import PROJECT
from report.engine.local_processes import LocalProcesses
from report.engine.run import Options, build
from report.engine.store import Store
from report.pipeline.stages import PROGRAM
from report.preview.server import HEADERS, HOST, PORT, listen, make_local, serve
from report.preview.session import has_windows
from report.terminal import console
from report.workspace.plan import Plan
from report.workspace.trained import Trained
from report.writing.templates import make_engine

if TYPE_CHECKING:
    from starlette.applications import Starlette

MOST_MIB = 64
"""Of an image that is sent; the largest X-ray of a hospital's archive has half of that."""
MOST_WAITING = 8
LONGEST_NAME = 200
TEMPLATES = PROJECT / "templates" / "model"


@dataclass(frozen=True)
class Reply:
    """What is answered of one image, as HTML."""

    html: str
    status: HTTPStatus = HTTPStatus.OK


@dataclass(frozen=True)
class _Question:
    """An image that was sent, where it lies for now, and what waits for the reply."""

    name: str
    file: Path
    reply: Future[Reply] = field(default_factory=Future)


def show(plan: Plan, trained: Trained, port: int | None, *, browser: bool) -> None:
    """Show the page at a port of this machine until a signal comes.

    Images are asked about one after the other in this thread, in processes of their own that stay for the next one. They
    and all that is made of them lie in a cache of its own, which ends with the page.

    Raises
    ------
    EnvironmentProblem
        No port is free.
    WeightsError
        The network is not loaded.
    """
    questions: queue.Queue[_Question] = queue.Queue(MOST_WAITING)
    words = Words(plan, trained)
    with (
        Store(plan.cache).locks.register_reader(),
        listen(port) as listener,
        TemporaryDirectory() as temporary,
        LocalProcesses(PROGRAM, Store(Path(temporary)).root / "home") as workers,
        serve(listener, make_application(words, questions, Path(temporary))),
    ):
        free = listener.getsockname()[1]
        if free != (port or PORT):
            console.note(f"port {PORT} is taken; the next free one is {free}")
        of = f" of {plan.name}" if trained.known else ""
        console.say(f"http://{HOST}:{free}/  tries {trained.name}{of}; Ctrl-C ends it")
        if browser and has_windows():
            webbrowser.open(f"http://{HOST}:{free}/")
        ask(
            trained, workers, *_make_blank(Path(temporary))
        )  # so that the first image need not wait, nor fail
        while True:
            question = questions.get()
            if question.reply.set_running_or_notify_cancel():
                question.reply.set_result(_reply(trained, words, workers, question))


def _reply(trained: Trained, words: Words, workers: LocalProcesses, question: _Question) -> Reply:
    try:
        answer, figures = ask(trained, workers, question.name, question.file)
    except Exception as error:  # noqa: BLE001  # the page stays for the next image
        message, hint = console.describe_error(error)
        console.complain(message, hint)
        return words.refuse(question.name, HTTPStatus.INTERNAL_SERVER_ERROR, message, hint)
    if "problem" in answer:
        return words.refuse(question.name, HTTPStatus.UNPROCESSABLE_ENTITY, answer["problem"])
    return words.answer(answer, figures)


def ask(
    trained: Trained, workers: LocalProcesses, name: str, file: Path
) -> tuple[Mapping[str, Any], Mapping[str, bytes]]:
    """Return the answer about one image, and what is drawn beside it: PNG files by name; the cache is beside the ``file``."""
    options = Options(PROGRAM, lambda *_: nullcontext(workers))
    built = build([*trained.make_stages([(name, file)]), trained.make_map()], file.parent, options)
    (answer,) = json.loads(built["answer"].path("answers.json").read_text(encoding="utf-8"))
    drawn = {"seen": built["classify"].path("images.npy"), "map": built["explain"].path("maps.npy")}
    return answer, {what: png for what, path in drawn.items() if (png := _draw(path.read_bytes()))}


def _make_blank(folder: Path) -> tuple[str, Path]:
    """Return the name and the file of an image of one level."""
    from PIL import Image

    file = folder / "blank.png"
    Image.new("L", (8, 8)).save(file)
    return file.name, file


def _draw(images: bytes) -> bytes:
    """Return the one of ``images``, a NumPy array of levels in its file format, as PNG; nothing where there is none."""
    import numpy as np
    from PIL import Image

    drawn = BytesIO()
    for pixels in np.load(BytesIO(images)):
        Image.fromarray(pixels).save(drawn, "png")
    return drawn.getvalue()


class Words:
    """The page and the answers on it, as HTML from templates in which all that comes from elsewhere is escaped."""

    def __init__(self, plan: Plan, trained: Trained) -> None:
        self._trained = trained
        self._engine: Environment = make_engine(TEMPLATES, {}).overlay(autoescape=True)
        self._engine.bytecode_cache = None  # it would not tell a template that escapes from one that does not
        self._about = {
            "name": trained.name,
            "study": plan.study.about.title if trained.known else "",
            "generated": bool(trained.known) and plan.request.sample,
            "classes": trained.classes,
        }

    def page(self, token: str) -> tuple[str, str]:
        """Return the page, whose script sends ``token`` with each image, and its Content-Security-Policy."""
        style, script = ((TEMPLATES / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
        template = self._engine.get_template("page.html.j2")
        page = template.render(self._about, style=style, script=script, token=token, most_mib=MOST_MIB)
        sources = {"script-src": _name_source(script), "style-src": _name_source(style)}
        sources |= {"img-src": "data:", "connect-src": "'self'"}
        sources |= dict.fromkeys(("default-src", "base-uri", "form-action", "frame-ancestors"), "'none'")
        return page, "; ".join(f"{what} {source}" for what, source in sources.items())

    def answer(self, answer: Mapping[str, Any], figures: Mapping[str, bytes]) -> Reply:
        """Return the reply about an image, with what is drawn beside it."""
        probabilities, split = answer["probabilities"], self._trained.split
        return self._fill_in(
            **{name: answer[name] for name in ("image", "predicted", "probabilities")},
            look=answer["resemblance"],
            shown_otherwise=self._trained.shown_otherwise,
            part=SPLITS[split].name if split else "",
            most_probable=max(probabilities, key=probabilities.__getitem__),
            measures=self._trained.list_measures(answer["predicted"]),
            figures=[{"name": name, "png": base64.b64encode(png).decode()} for name, png in figures.items()],
        )

    def refuse(self, name: str, status: HTTPStatus, problem: str, hint: str = "") -> Reply:
        """Return the reply about an image that is not answered."""
        return self._fill_in(status, image=escape_name(name), problem=problem, hint=hint)

    def _fill_in(self, status: HTTPStatus = HTTPStatus.OK, **facts: Any) -> Reply:
        known = {"problem": "", "hint": "", "figures": [], "classes": self._trained.classes, **facts}
        return Reply(self._engine.get_template("answer.html.j2").render(known), status)


def _name_source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def make_application(words: Words, questions: queue.Queue[_Question], folder: Path) -> Starlette:
    """Return the server's answers: the page, and the reply about each image that it sends, which lies in ``folder`` meanwhile.

    Only the page knows the token without which no image is taken, so no other page can send one.
    """
    from starlette.requests import Request
    from starlette.responses import HTMLResponse, Response
    from starlette.routing import Route

    token = secrets.token_urlsafe()
    page, policy = words.page(token)

    async def show_page(request: Request) -> Response:
        return HTMLResponse(page, headers={**HEADERS, "Content-Security-Policy": policy})

    async def answer(request: Request) -> Response:
        name = Path(request.query_params.get("name", "")).name[-LONGEST_NAME:] or "image"
        if not secrets.compare_digest(request.headers.get("X-Token", "").encode(), token.encode()):
            return Response(status_code=HTTPStatus.FORBIDDEN, headers=HEADERS)
        file = folder / secrets.token_hex()
        try:
            reply = await _receive(request, words, questions, _Question(name, file))
        finally:
            file.unlink(missing_ok=True)
        return HTMLResponse(reply.html, reply.status, headers=HEADERS)

    return make_local([Route("/", show_page), Route("/answer", answer, methods=["POST"])])


async def _receive(
    request: Any, words: Words, questions: queue.Queue[_Question], question: _Question
) -> Reply:
    """Write what is sent to the file of ``question``, and return the reply when its turn has come."""
    size = 0
    with question.file.open("wb") as file:
        async for part in request.stream():
            size += len(part)
            if size > MOST_MIB * 2**20:
                too_large = f"larger than {MOST_MIB} MiB"
                return words.refuse(question.name, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, too_large)
            file.write(part)
    try:
        questions.put_nowait(question)
    except queue.Full:
        return words.refuse(question.name, HTTPStatus.SERVICE_UNAVAILABLE, "too many images wait already")
    return await asyncio.wrap_future(question.reply)
