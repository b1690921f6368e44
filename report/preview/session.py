"""Live preview while writing: the report's HTML, built and shown again after every save."""

from __future__ import annotations

import logging
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import webbrowser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from report import PROJECT
from report.engine.local_processes import LocalProcesses
from report.engine.store import Store
from report.errors import EnvironmentProblem, RenderError, UsageError
from report.pipeline.stages import PROGRAM
from report.preview.page import PreviewState
from report.preview.passages import find_passage
from report.preview.rendering import render, render_paper, rewrite_source
from report.preview.server import HOST, PORT, Shown, listen, serve_page
from report.study.folder import STUDIES
from report.terminal import console
from report.terminal.quantities import format_duration
from report.terminal.signals import raise_again
from report.workspace.places import find_study_folder
from report.workspace.plan import Plan
from report.workspace.request import Request

WAKE_MS = 200
ASK_SECONDS = 0.5
ENDS_SECONDS = 10
_WORDS = re.compile(r"[^.#~][^#~]*\.(?:md|j2|toml|bib|csv|png|jpe?g|svg|css|js|html|lua|woff2|ttf)", re.I)
"""Names of files that a report can read; editors have others for a while."""


@dataclass(frozen=True)
class Wanted:
    """How a preview is to be shown.

    ``port`` is the one that is named, None for the usual one or the next; ``browser`` opens a window, ``paper`` has the PDF beside
    the HTML, and ``quarto`` lets Quarto make the page.
    """

    port: int | None = None
    browser: bool = False
    paper: bool = False
    quarto: bool = False


def show(plan: Plan, wanted: Wanted) -> None:
    """Show a study's report in the browser, and again after each save, until a signal comes.

    Raises
    ------
    UsageError
        Quarto cannot show this study.
    EnvironmentProblem
        No port is free, the folders cannot be watched, or Quarto is not there.
    RenderError
        Quarto's preview ended with an error.
    """
    if wanted.quarto:
        show_with_quarto(plan, wanted)
    else:
        show_own(plan, wanted)


def show_with_quarto(plan: Plan, wanted: Wanted) -> None:
    """Run Quarto's preview on the source, which is written anew after each save."""
    request, quarto = replace(plan.request, data=plan.data), shutil.which("quarto")
    if request.overrides or find_study_folder(request.study).parent != STUDIES:
        hint = "report preview without --quarto shows any study"
        raise UsageError("Quarto shows the studies in studies/ only, as their files are", hint=hint)
    if quarto is None:
        hint = "https://quarto.org has it; report preview without --quarto needs none"
        raise EnvironmentProblem("Quarto is not on the path", hint=hint)
    with LocalProcesses(PROGRAM, Store(plan.cache).root / "home") as workers:
        rewrite_source(request, workers)
        with listen(wanted.port) as listener:
            port = listener.getsockname()[1]
        address = f"http://localhost:{port}/document/{plan.name}/report.html"
        console.say(f"{address}  as soon as Quarto has made it; Ctrl-C ends it")
        with run_quarto(quarto, request, port) as ended:
            if wanted.browser and has_windows():
                threading.Thread(target=_open_when_there, args=(port, address, ended), daemon=True).start()
            for names in watch_saves(*_watched(request), ended=ended):
                if names:
                    _rewrite(request, workers, names)


def _rewrite(request: Request, workers: LocalProcesses, names: Sequence[str]) -> None:
    """Write the source for Quarto, or say why that cannot be."""
    try:
        rewrite_source(request, workers)
    except Exception as error:  # noqa: BLE001  # the next save may mend whatever it is
        console.complain(*console.describe_error(error))
    else:
        console.note(f"{', '.join(names)}: written for Quarto")


@contextmanager
def run_quarto(quarto: str, request: Request, port: int) -> Iterator[threading.Event]:
    """Run Quarto's preview with this Python, which ``_quarto.yml`` calls, first on the path; tell when it has ended.

    Its launcher is a script that leaves the server behind when it is ended: so all of its group are.
    """
    places = {"REPORT_DATA": request.data, "REPORT_CACHE": request.cache}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environment = {**os.environ, "PATH": path, **{k: str(v.absolute()) for k, v in places.items() if v}}
    command = [quarto, "preview", ".", "--no-browser", "--port", str(port)]
    ended = threading.Event()
    with subprocess.Popen(command, cwd=PROJECT, env=environment, start_new_session=True) as process:
        threading.Thread(target=_tell_end, args=(process, ended), daemon=True).start()
        try:
            yield ended
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
                if not ended.wait(ENDS_SECONDS):
                    os.killpg(process.pid, signal.SIGKILL)
    if process.returncode > 0:
        message = f"quarto preview ended with exit code {process.returncode}"
        raise RenderError(message, hint="its own words stand above")


def _tell_end(process: subprocess.Popen[bytes], ended: threading.Event) -> None:
    process.wait()
    ended.set()


def _open_when_there(port: int, address: str, ended: threading.Event) -> None:
    """Open a window on a server that is about to begin."""
    while not ended.wait(ASK_SECONDS):
        with suppress(OSError), socket.create_connection((HOST, port), timeout=ASK_SECONDS):
            webbrowser.open(address)
            return


def show_own(plan: Plan, wanted: Wanted) -> None:
    """Show the report at a port of this machine, and again after each save, until a signal comes."""
    request, state = replace(plan.request, data=plan.data), PreviewState()
    home = Store(plan.cache).root / "home"
    watched = _watched(request)
    shown = Shown(lambda: state, lambda words: find_passage(words, watched), wanted.paper)
    with listen(wanted.port) as listener, LocalProcesses(PROGRAM, home) as workers:
        free = listener.getsockname()[1]
        if free != (wanted.port or PORT):
            console.note(f"port {PORT} is taken; the next free one is {free}")
        with serve_page(listener, shown):
            console.say(f"http://{HOST}:{free}/  shows {plan.name}; Ctrl-C ends it")
            if wanted.browser and has_windows():
                webbrowser.open(f"http://{HOST}:{free}/")
            for names in watch_saves(*watched):
                start, before = time.monotonic(), state
                state = render(request, workers, before)
                _print_state(state, before, names, time.monotonic() - start)
                if wanted.paper:
                    state = _add_paper(request, workers, state)


def _add_paper(request: Request, workers: LocalProcesses, state: PreviewState) -> PreviewState:
    """Return a page with its PDF, and say in the terminal how long that took or why it cannot be."""
    start = time.monotonic()
    made = render_paper(request, workers, state)
    if made.message != state.message:
        console.complain(made.message, made.hint)
    elif made.paper != state.paper:
        console.note(f"the PDF: shown after {format_duration(time.monotonic() - start)}")
    return made


def _watched(request: Request) -> tuple[Path, Path]:
    """Return the folders of the words: the author's, and ours."""
    return find_study_folder(request.study), PROJECT / "templates"


def has_windows() -> bool:
    """Tell whether a browser would open in a window of its own, and not in this terminal."""
    return sys.platform == "darwin" or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))


def watch_saves(*folders: Path, ended: threading.Event | None = None) -> Iterator[list[str]]:
    """Yield the names of files saved since the last time, at first none, until something has ``ended``.

    Raises
    ------
    EnvironmentProblem
        The system cannot watch a folder.
    Stopped
        A signal has come.
    """
    from watchfiles import watch

    logging.getLogger("watchfiles").setLevel(logging.ERROR)  # a signal is no warning
    first = True
    try:
        for changes in watch(
            *folders, stop_event=ended, rust_timeout=WAKE_MS, yield_on_timeout=True, raise_interrupt=False
        ):
            if changes or first:
                first = False
                yield sorted(filter(_WORDS.fullmatch, {Path(path).name for _, path in changes}))
    except OSError as error:
        message = f"cannot watch {', '.join(map(str, folders))}: {error}"
        raise EnvironmentProblem(message, hint="WATCHFILES_FORCE_POLLING=true report preview") from error
    raise_again()  # a signal only ends the loop


def _print_state(state: PreviewState, before: PreviewState, names: Sequence[str], seconds: float) -> None:
    """Say in the terminal what is shown in the browser, if a save has changed it."""
    changed = (state.page, state.message) != (before.page, before.message)
    if state.message and (names or changed):
        console.complain(state.message, state.hint)
    elif names and changed:
        console.note(f"{', '.join(names)}: shown after {format_duration(seconds)}")
    if state.warnings != before.warnings:
        for warning in state.warnings:
            console.warn(warning)
