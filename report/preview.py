"""Live preview while writing: the report's HTML, rendered again from cached results after every save.

The document's source and its HTML are made in this process and kept out of the cache. Figures that are out of
date are drawn as by a build; anything heavier is named and left to ``report build``.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
import webbrowser
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Queue
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from analysis.errors import AnalysisError
from analysis.progress import silent
from report import console
from report.document.check import DOUBTS
from report.document.pandoc import SOURCE
from report.engine.explain import StageStatus, status
from report.engine.fingerprint import json_params
from report.engine.sources import files_of
from report.engine.stage import Source, Stage, included
from report.engine.store import Store
from report.errors import EnvironmentProblem, RenderError, ReportError, StudyError, UsageError
from report.pipeline import PROJECT
from report.project import STUDIES, Plan, Request, plan, study_folder
from report.reload import HOST, Shown, listen, serving

if TYPE_CHECKING:
    from report.engine.run import Built

PORT = 8420
DOCUMENT = ("source", "html")
STUDY, POINTERS = "study.toml", "results.json"
TEMPORARY = "report-preview-"
QUIET_MS = 20
"""A save is over when nothing was written for so long."""
_TABLE = re.compile(r"^[ \t]*(\[+)[ \t]*([\w.-]+)[ \t]*\]+", re.M)
_ID = re.compile(r'^[ \t]*id[ \t]*=[ \t]*"([^"]*)"', re.M)
_TOML_LINE = re.compile(r"at line (\d+)")
_SOURCE_LINE = re.compile(rf"{re.escape(SOURCE)}:(\d+): ")
_LINKED = re.compile(rf"/[^\s\"]*/{TEMPORARY}[^/]*/inputs/[^/]+/(?:source/)?")
_FILLED = re.compile(r"<<.*?>>|<%.*?%>|<#.*?#>")


@dataclass(frozen=True)
class Ready:
    """What the document is made from: the stages before it, where the plan points, and the results."""

    stages: Sequence[Stage]
    pointers: Mapping[str, str]
    built: Mapping[str, Built]


def preview(request: Request, *, port: int | None, browser: bool) -> None:
    """Show a study's report in the browser, and again after each save, until somebody interrupts.

    Raises
    ------
    UsageError
        Its results are not in the cache.
    """
    the_plan = plan(request)
    if late := heavy(the_plan):
        message = f"{the_plan.name}: not built yet, {_some([stage.name for stage in late])} would run"
        raise UsageError(message, hint=the_plan.build_command())
    if quarto := quarto_for(the_plan):
        console.note(f"Quarto shows {the_plan.name} at /document/{the_plan.name}/report.html of its address")
        run_quarto(quarto, request, port)
    else:
        serve(the_plan, port or PORT, browser=browser)


def heavy(the_plan: Plan) -> list[StageStatus]:
    """Return the stages before the document that would run and are no figures."""
    from report.cli import DRAWN

    stages = status(the_plan.stages, the_plan.cache, plan_name=the_plan.pointers)
    return [stage for stage in stages if stage.state != "fresh" and not stage.name.startswith(DRAWN)]


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def quarto_for(the_plan: Plan) -> str:
    """Return the path of Quarto if it is there and can show this study; "" if not."""
    found, request = shutil.which("quarto"), the_plan.request
    if not found or getattr(the_plan.study.report, "renderer", "quarto") == "pandoc":
        return ""
    if request.overrides or study_folder(request.study).parent != STUDIES:
        console.note("not with Quarto, which shows the studies in studies/ as their files are")
        return ""
    return found


def run_quarto(quarto: str, request: Request, port: int | None) -> None:
    """Run Quarto's preview with this Python, which ``_quarto.yml`` calls, first on the path."""
    given = {"REPORT_DATA": request.data, "REPORT_CACHE": request.cache}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environment = {**os.environ, "PATH": path, **{k: str(v.absolute()) for k, v in given.items() if v}}
    command = [quarto, "preview", ".", "--no-browser", *(["--port", str(port)] if port else [])]
    with subprocess.Popen(command, cwd=PROJECT, env=environment) as process:
        try:
            code = process.wait()
        except BaseException:
            process.terminate()
            raise
    if code:
        raise RenderError(f"quarto preview ended with exit code {code}", hint="its own words stand above")


def serve(the_plan: Plan, port: int, *, browser: bool) -> None:
    """Render, show and watch, until somebody interrupts."""
    desk = Desk(replace(the_plan.request, data=the_plan.data))
    with listen(port) as listener, watching(watched(the_plan)) as saves:
        free = listener.getsockname()[1]
        if free != port:
            console.note(f"port {port} is taken; the next free one is {free}")
        desk.render()
        with serving(listener, lambda: desk.shown):
            address = f"http://{HOST}:{free}/"
            console.say(f"{address}  shows {the_plan.name}; Ctrl-C ends it")
            if browser and _has_windows():
                webbrowser.open(address)
            for names in saves:
                desk.render(names)


def _has_windows() -> bool:
    """Tell whether a browser would open in a window of its own, and not in this terminal."""
    return sys.platform == "darwin" or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))


class Desk:
    """What is shown now, and what it was made from."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.shown = Shown()
        self.ready: Ready | None = None

    def render(self, saved: Iterable[str] = ()) -> None:
        """Make the page anew; where that fails the last good one stays, with what is wrong."""
        begun, names = time.monotonic(), sorted(saved)
        try:
            shown = self._page(plan(self.request))
        except Exception as error:  # noqa: BLE001  # the next save may mend whatever it is
            self.ready = None
            message, hint = complaint(error)
            shown = Shown(self.shown.page, message, hint)
        if shown == self.shown and names == [POINTERS]:  # a build elsewhere goes on
            return
        if shown.message:
            console.complain(shown.message, shown.hint)
        elif names:
            console.note(f"{_some(names)}: shown after {console.duration(time.monotonic() - begun)}")
        for warning in shown.warnings:
            console.note(f"warning: {warning}")
        self.shown = shown

    def _page(self, the_plan: Plan) -> Shown:
        ready = self._ready(the_plan)
        stages = {stage.name: stage for stage in the_plan.stages}
        with TemporaryDirectory(prefix=TEMPORARY) as folder:
            made: dict[str, Path] = {}
            for name in DOCUMENT:
                inputs = laid_out(stages[name], ready.built, made, Path(folder) / "inputs" / name)
                try:
                    made[name] = make(stages[name], inputs, Path(folder))
                except RenderError as error:
                    raise RenderError(at_origin(error.message, made, stages), hint=error.hint) from error
            warnings = json.loads((made["source"] / DOUBTS).read_text(encoding="utf-8"))
            page = (made["html"] / "report.html").read_text(encoding="utf-8")
        return Shown(page, warnings=tuple(warnings))

    def _ready(self, the_plan: Plan) -> Ready:
        """Return the results before the document; they are looked up again only if something may have changed."""
        from report.cli import run

        before = [stage for stage in the_plan.upstream(DOCUMENT) if stage.name not in DOCUMENT]
        store = Store(the_plan.cache)
        if self.ready and (self.ready.stages, self.ready.pointers) == (
            before,
            store.latest(the_plan.pointers),
        ):
            return self.ready
        if late := heavy(the_plan):
            why = next((f" ({stage.reasons[0]})" for stage in late if stage.reasons), "")
            needed = _some([stage.name for stage in late])
            raise UsageError(f"this needs a build: {needed} would run{why}", hint=the_plan.build_command())
        built = run(the_plan, [stage.name for stage in before])
        self.ready = Ready(before, store.latest(the_plan.pointers), built)
        return self.ready


def laid_out(
    stage: Stage, built: Mapping[str, Built], made: Mapping[str, Path], folder: Path
) -> dict[str, Path]:
    """Return the inputs of a stage, as a build would: folders of links to the files that it may see, and no others."""
    found = {}
    for name, where in stage.inputs.items():
        if isinstance(where, Source):
            links = {inside: where.path / inside for inside in files_of(where)}
        elif where.stage in made:
            links = {path.name: path for path in made[where.stage].iterdir()}
        else:
            result = built[where.stage]
            links = {
                inside: result.path(inside) for inside in result.files if included(inside, where.include)
            }
        found[name] = folder / name
        found[name].mkdir(parents=True)
        for inside, target in links.items():
            (found[name] / inside).parent.mkdir(parents=True, exist_ok=True)
            (found[name] / inside).symlink_to(target)
    return found


def make(stage: Stage, inputs: dict[str, Path], folder: Path) -> Path:
    """Run a stage in this process; return the folder that it wrote."""
    module, _, name = stage.function.partition(":")
    out = folder / stage.name
    out.mkdir()
    function = getattr(importlib.import_module(module), name)
    function(inputs, out, scratch=folder, progress=silent, **json_params(stage))
    return out


def complaint(error: Exception) -> tuple[str, str]:
    """Return what is wrong, with file and line, and what may help."""
    if isinstance(error, OSError) and error.filename:
        return _outside(f"{error.filename}: {error.strerror}"), "mend what names this file, and save"
    if not isinstance(error, ReportError | AnalysisError):
        return f"a fault of this program: {type(error).__name__}: {error}", "report --debug build shows where"
    path, colon, rest = error.message.partition(f"{STUDY}: ")
    if not isinstance(error, StudyError) or not colon:
        return _outside(error.message), error.hint
    file = Path(path) / STUDY
    text = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
    toml = _TOML_LINE.search(rest)
    line = int(toml[1]) if toml else line_of(rest.partition(": ")[0], text)
    return f"{STUDY}:{line}: {rest}", error.hint


def _outside(message: str) -> str:
    """Return ``message`` with the links that were made for a stage called as the files that they lead to."""
    return _LINKED.sub("", message)


def line_of(setting: str, text: str) -> int:
    """Return the line of a study file on which ``models.baseline.epochs`` stands, or else its table begins."""
    keys, tables = setting.split("."), list(_TABLE.finditer(text))
    ends = [table.start() for table in tables[1:]] + [len(text)]
    counts: dict[str, int] = {}
    for table, end in zip(tables, ends, strict=True):
        name, inside = table[2].split("."), text[table.end() : end]
        counts[table[2]] = index = counts.get(table[2], -1) + 1
        found = _ID.search(inside)
        which = [found[1] if found else str(index)] if table[1] == "[[" else []
        if keys[: len(name) + len(which)] in (name, name + which):
            key = "".join(keys[len(name) + len(which) :][:1])
            place = re.search(rf'^[ \t]*"?{re.escape(key)}"?[ \t]*=', inside, re.M) if key else None
            return text.count("\n", 0, table.end() + place.start() if place else table.start()) + 1
    return 1


def at_origin(message: str, made: Mapping[str, Path], stages: Mapping[str, Stage]) -> str:
    """Return ``message`` with the file and line where a line of report.qmd was written, if just one fits."""
    match = _SOURCE_LINE.match(message)
    if match is None or "source" not in made:
        return message
    line = (made["source"] / SOURCE).read_text(encoding="utf-8").split("\n")[int(match[1]) - 1]
    best: list[tuple[int, str]] = []
    for file in sources(stages["source"]):
        for number, written in enumerate(file.read_text(encoding="utf-8", errors="replace").split("\n"), 1):
            parts = _FILLED.split(written)
            letters = len("".join(parts).strip())
            if letters and re.fullmatch(".*".join(map(re.escape, parts)), line):
                best.append((letters, f"{file.name}:{number}"))
    best.sort(reverse=True)
    if not best or (len(best) > 1 and best[0][0] == best[1][0]):
        return message
    return f"{best[0][1]}: {message[match.end() :]} (line {match[1]} of {SOURCE})"


def sources(stage: Stage) -> list[Path]:
    """Return the files outside the cache that a stage reads."""
    places = [where for where in stage.inputs.values() if isinstance(where, Source)]
    return [where.path / inside for where in places for inside in files_of(where)]


def watched(the_plan: Plan) -> dict[Path, tuple[str, ...]]:
    """Return which files, as globs by folder, may change the page when they change: a build elsewhere among them."""
    pointers = Store(the_plan.cache).root / "latest" / the_plan.pointers
    places: dict[Path, tuple[str, ...]] = {
        study_folder(the_plan.request.study): (STUDY,),
        pointers: (POINTERS,),
    }
    for stage in the_plan.stages:
        for where in stage.inputs.values():
            if stage.name in DOCUMENT and isinstance(where, Source):
                places[where.path] = (*places.get(where.path, ()), *where.include)
    return {folder: include for folder, include in places.items() if folder.is_dir()}


@contextmanager
def watching(places: Mapping[Path, tuple[str, ...]]) -> Iterator[Iterator[set[str]]]:
    """Give the names of files as they are saved, those of one moment together.

    Raises
    ------
    EnvironmentProblem
        The system cannot watch a folder.
    """
    saves: Queue[set[str] | OSError] = Queue()
    stop = threading.Event()
    threads = [
        threading.Thread(target=_watch, args=(folder.resolve(), include, stop, saves), daemon=True)
        for folder, include in places.items()
    ]
    for thread in threads:
        thread.start()
    try:
        yield _together(saves)
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _watch(
    folder: Path, include: tuple[str, ...], stop: threading.Event, saves: Queue[set[str] | OSError]
) -> None:
    from watchfiles import watch

    def is_ours(_: object, path: str) -> bool:
        return included(Path(path).relative_to(folder).as_posix(), include)

    deep = any("/" in glob for glob in include)
    try:
        for changes in watch(folder, watch_filter=is_ours, stop_event=stop, step=QUIET_MS, recursive=deep):
            saves.put({Path(path).name for _, path in changes})
    except OSError as error:
        saves.put(error)


def _together(saves: Queue[set[str] | OSError]) -> Iterator[set[str]]:
    while True:
        names: set[str] = set()
        while not names or not saves.empty():
            found = saves.get()
            if isinstance(found, OSError):
                hint = "WATCHFILES_FORCE_POLLING=true report preview"
                raise EnvironmentProblem(f"cannot watch for changes: {found}", hint=hint) from found
            names |= found
        yield names
