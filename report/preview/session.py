"""Live preview while writing: the report's HTML, built and shown again after every save."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import time
import webbrowser
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from report import PROJECT
from report.engine.local_processes import LocalProcesses
from report.engine.store import Store
from report.errors import EnvironmentProblem, RenderError
from report.pipeline.stages import PROGRAM
from report.preview.page import PreviewState
from report.preview.rendering import render
from report.preview.server import HOST, listen, serve_page
from report.study.folder import STUDIES
from report.terminal import console
from report.terminal.quantities import format_duration
from report.workspace.places import find_study_folder
from report.workspace.plan import Plan
from report.workspace.request import Request

PORT = 8420
WAKE_MS = 200


def show(plan: Plan, *, port: int | None, browser: bool) -> None:
    """Show a study's report in the browser, and again after each save, until a signal comes.

    Parameters
    ----------
    port : int, optional
        The first that is tried; None for the usual one.
    browser : bool
        Whether to open a window.

    Raises
    ------
    EnvironmentProblem
        No port is free, or the folders cannot be watched.
    RenderError
        Quarto's preview ended with an error.
    """
    request = plan.request
    quarto = shutil.which("quarto")
    if quarto and (request.overrides or find_study_folder(request.study).parent != STUDIES):
        console.note("not with Quarto, which shows the studies in studies/ as their files are")
        quarto = None
    if quarto:
        console.note(f"Quarto shows {plan.name} at /document/{plan.name}/report.html of its address")
        run_quarto(quarto, request, port)
    else:
        show_own(plan, port or PORT, browser=browser)


def run_quarto(quarto: str, request: Request, port: int | None) -> None:
    """Run Quarto's preview with this Python, which ``_quarto.yml`` calls, first on the path."""
    places = {"REPORT_DATA": request.data, "REPORT_CACHE": request.cache}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environment = {**os.environ, "PATH": path, **{k: str(v.absolute()) for k, v in places.items() if v}}
    command = [quarto, "preview", ".", "--no-browser", *(["--port", str(port)] if port else [])]
    with subprocess.Popen(command, cwd=PROJECT, env=environment) as process:
        try:
            code = process.wait()
        finally:
            process.terminate()
    if code:
        raise RenderError(f"quarto preview ended with exit code {code}", hint="its own words stand above")


def show_own(plan: Plan, port: int, *, browser: bool) -> None:
    """Show the report at ``port`` of this machine, and again after each save, until a signal comes."""
    request, state = replace(plan.request, data=plan.data), PreviewState()
    home = Store(plan.cache).root / "home"
    with listen(port) as listener, LocalProcesses(PROGRAM, home) as workers:
        free = listener.getsockname()[1]
        if free != port:
            console.note(f"port {port} is taken; the next free one is {free}")
        with serve_page(listener, lambda: state):
            console.say(f"http://{HOST}:{free}/  shows {plan.name}; Ctrl-C ends it")
            if browser and _has_windows():
                webbrowser.open(f"http://{HOST}:{free}/")
            for names in watch_saves(PROJECT / "templates", find_study_folder(request.study)):
                start, before = time.monotonic(), state
                state = render(request, workers, before)
                _print_state(state, before, names, time.monotonic() - start)


def _has_windows() -> bool:
    """Tell whether a browser would open in a window of its own, and not in this terminal."""
    return sys.platform == "darwin" or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))


def watch_saves(*folders: Path) -> Iterator[list[str]]:
    """Yield the names of files saved since the last time, at first none, until a signal comes.

    Raises
    ------
    EnvironmentProblem
        The system cannot watch a folder.
    """
    from watchfiles import watch

    logging.getLogger("watchfiles").setLevel(logging.ERROR)  # a signal is no warning
    first = True
    try:
        for changes in watch(*folders, rust_timeout=WAKE_MS, yield_on_timeout=True, raise_interrupt=False):
            if changes or first:
                first = False
                yield sorted({Path(path).name for _, path in changes})
    except OSError as error:
        message = f"cannot watch {', '.join(map(str, folders))}: {error}"
        raise EnvironmentProblem(message, hint="WATCHFILES_FORCE_POLLING=true report preview") from error


def _print_state(state: PreviewState, before: PreviewState, names: Sequence[str], seconds: float) -> None:
    """Say in the terminal what is shown in the browser."""
    if state.message:
        console.complain(state.message, state.hint)
    elif names:
        console.note(f"{', '.join(names)}: shown after {format_duration(seconds)}")
    if state.warnings != before.warnings:
        for warning in state.warnings:
            console.warn(warning)
