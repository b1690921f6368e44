"""Live preview while writing: the report's HTML, built and shown again after every save.

It is the build that makes the page, so it is the page of a build; only the processes in which stages run stay for
the next save. Figures are drawn where they are out of date; what takes longer is named and left to ``report build``.
"""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import subprocess
import sys
import time
import webbrowser
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from report import PROJECT
from report.cli import DRAWN, not_built, require_finished
from report.document.lint import DOUBTS, origin
from report.document.pandoc import SOURCE
from report.engine.events import Event, Planned
from report.engine.local_processes import LocalProcesses
from report.engine.run import Built, Options, build
from report.engine.store import Store
from report.errors import EnvironmentProblem, RenderError, UserError
from report.pipeline.stages import PROGRAM
from report.preview.server import HOST, Shown, listen, serving
from report.study.folder import STUDIES
from report.study.prose import find_misnamed_prose
from report.terminal import console
from report.workspace.places import Plan, Request, plan, study_folder
from report.writing.author.glyphs import warn_of_missing_glyphs

PORT = 8420
STUDY = "study.toml"
WAKE_MS = 200
MADE = 2
"""The stages that any save makes anew: the source and the page."""


def preview(request: Request, *, port: int | None, browser: bool) -> None:
    """Show a study's report in the browser, and again after each save, until a signal comes.

    Raises
    ------
    UsageError
        Its results are not in the cache.
    """
    the_plan = plan(request)
    require_finished(the_plan)
    quarto = shutil.which("quarto")
    if quarto and (request.overrides or study_folder(request.study).parent != STUDIES):
        console.note("not with Quarto, which shows the studies in studies/ as their files are")
        quarto = None
    if quarto:
        console.note(f"Quarto shows {the_plan.name} at /document/{the_plan.name}/report.html of its address")
        run_quarto(quarto, request, port)
    else:
        serve(the_plan, port or PORT, browser=browser)


def run_quarto(quarto: str, request: Request, port: int | None) -> None:
    """Run Quarto's preview with this Python, which ``_quarto.yml`` calls, first on the path."""
    given = {"REPORT_DATA": request.data, "REPORT_CACHE": request.cache}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environment = {**os.environ, "PATH": path, **{k: str(v.absolute()) for k, v in given.items() if v}}
    command = [quarto, "preview", ".", "--no-browser", *(["--port", str(port)] if port else [])]
    with subprocess.Popen(command, cwd=PROJECT, env=environment) as process:
        try:
            code = process.wait()
        finally:
            process.terminate()
    if code:
        raise RenderError(f"quarto preview ended with exit code {code}", hint="its own words stand above")


def serve(the_plan: Plan, port: int, *, browser: bool) -> None:
    """Show the report at ``port`` of this machine, and again after each save, until a signal comes."""
    request, shown = replace(the_plan.request, data=the_plan.data), Shown()
    home = Store(the_plan.cache).root / "home"
    with listen(port) as listener, LocalProcesses(PROGRAM, home) as workers:
        free = listener.getsockname()[1]
        if free != port:
            console.note(f"port {port} is taken; the next free one is {free}")
        with serving(listener, lambda: shown):
            console.say(f"http://{HOST}:{free}/  shows {the_plan.name}; Ctrl-C ends it")
            if browser and _has_windows():
                webbrowser.open(f"http://{HOST}:{free}/")
            for names in saves(PROJECT / "templates", study_folder(request.study)):
                begun, before = time.monotonic(), shown
                shown = rendered(request, workers, before)
                _tell(shown, before, names, time.monotonic() - begun)


def _has_windows() -> bool:
    """Tell whether a browser would open in a window of its own, and not in this terminal."""
    return sys.platform == "darwin" or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))


def saves(*folders: Path) -> Iterator[list[str]]:
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


def rendered(request: Request, workers: LocalProcesses, before: Shown) -> Shown:
    """Return the page anew; where that fails the last good one, with what is wrong."""
    try:
        the_plan = plan(request)
        try:
            built = rebuild(the_plan, workers)
        except RenderError as error:
            raise RenderError(in_words_of_author(error.message, the_plan), hint=error.hint) from error
        page = built["html"].path("report.html").read_bytes().decode()
        doubts = json.loads(built["source"].path(DOUBTS).read_bytes())
        folder = study_folder(request.study)
        warnings = [*doubts, *find_misnamed_prose(folder), *warn_of_missing_glyphs(the_plan.study, folder)]
    except Exception as error:  # noqa: BLE001  # the next save may mend whatever it is
        message, hint = complaint(error)
        return Shown(before.page, message, hint)
    return Shown(page, warnings=tuple(warnings))


def rebuild(the_plan: Plan, workers: LocalProcesses) -> dict[str, Built]:
    """Build the page, and what it shows if that takes no training."""

    def hear(event: Event) -> None:
        if isinstance(event, Planned):
            refuse_training(the_plan, [*event.waiting])

    name = the_plan.pointers
    options = Options(PROGRAM, lambda *_: nullcontext(workers), name, only=["html"], on_event=hear)
    built = build(the_plan.stages, the_plan.cache, options)
    the_plan.keep_declaration(built)
    return built


def refuse_training(the_plan: Plan, waiting: Sequence[str]) -> None:
    """Let a build go on that makes figures and the document, and no other."""
    if late := [name for name in waiting if not name.startswith(DRAWN)]:
        raise not_built(the_plan, late)
    if len(waiting) > MADE:
        console.note(f"drawing figures: {len(waiting) - MADE}")


def _tell(shown: Shown, before: Shown, names: Sequence[str], seconds: float) -> None:
    """Say in the terminal what is shown in the browser."""
    if shown.message:
        console.complain(shown.message, shown.hint)
    elif names:
        console.note(f"{', '.join(names)}: shown after {console.duration(seconds)}")
    if shown.warnings != before.warnings:
        for warning in shown.warnings:
            console.note(f"warning: {warning}")


def complaint(error: Exception) -> tuple[str, str]:
    """Return what is wrong, with file and line, and what may help."""
    if isinstance(error, UserError):
        return error.message, error.hint
    return f"a fault of this program: {type(error).__name__}: {error}", "report --debug build shows where"


def in_words_of_author(message: str, the_plan: Plan) -> str:
    """Return ``message`` about a line of the source with the place where that was written, if it is plain."""
    store = Store(the_plan.cache)
    record = store.record(store.latest(the_plan.pointers).get("source", ""))
    found = re.fullmatch(rf"{SOURCE}:(\d+)(: .*)", message, re.S)
    if not found or not record:
        return message
    lines = store.checked(record.outputs[SOURCE], record.stage).read_text(encoding="utf-8").split("\n")
    place = origin(lines[int(found[1]) - 1], PROJECT / "templates", study_folder(the_plan.request.study))
    return f"{place}{found[2]}" if place else message
