"""Where things lie: studies, data, the cache, and the folders that are written."""

from __future__ import annotations

import hashlib
import os
import shlex
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from analysis.errors import DataError
from analysis.walk import walk
from report import PROJECT
from report.engine.code import code_hash
from report.engine.stage import Stage, selected
from report.engine.store import Store
from report.engine.system.files import environment_problems
from report.errors import StageError, UsageError, did_you_mean
from report.pipeline.data import Place
from report.pipeline.stages import stages
from report.study.folder import STUDIES
from report.study.loading import load
from report.study.study import Study
from report.terminal import console

PROGRAM = ("report", "analysis", "templates", ":!*README.md")
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")
V7_PULL = "darwin dataset pull v7-labs/covid-19-chest-x-ray-dataset:all-images"


@dataclass(frozen=True)
class Request:
    """What the command line asks for: a study, real or generated data, and changes to the study file."""

    study: str = "assignment"
    data: Path | None = None
    sample: bool = False
    overrides: tuple[str, ...] = ()
    cache: Path | None = None
    out: Path | None = None


@dataclass(frozen=True)
class Plan:
    """A study with its stages and the folders that belong to it; ``data`` is None for the sample, or if not found."""

    request: Request
    name: str
    study: Study
    stages: list[Stage]
    data: Path | None
    cache: Path
    out: Path
    document: Path
    commit: str = ""

    @property
    def pointers(self) -> str:
        """The name under which the cache remembers its results."""
        return _pointers(self.request)

    def upstream(self, names: Iterable[str]) -> list[Stage]:
        """Return the stages called ``names`` and all that they read, in the plan's order."""
        return selected(self.stages, [*names])

    def build_command(self, *words: str) -> str:
        """Return the command line that builds this plan."""
        data = [] if self.request.sample else ["--data", str(self.data or "DIR")]
        changes = [word for change in self.request.overrides for word in ("--set", change)]
        return shlex.join(["report", "build", self.request.study, *self._place(), *data, *words, *changes])

    def log_command(self, stage: str) -> str:
        """Return the command line that prints the log of a stage of this plan."""
        return shlex.join(["report", "log", stage, "--study", self.request.study, *self._place()])

    def keep_declaration(self, stages: Iterable[str]) -> None:
        """Keep which comparison is declared when predictions of the test set first become known."""
        store = Store(self.cache)
        begun = any(name.startswith("predict.") for name in stages)
        if begun and not store.latest(self.pointers, "declared"):
            store.point(self.pointers, {"comparison": self.study.declaration}, "declared")

    def _place(self) -> list[str]:
        cache = ["--cache", str(self.request.cache)] if self.request.cache else []
        return [*(["--sample"] if self.request.sample else []), *cache]

    def remember_data(self) -> None:
        """Keep where the data are, for commands that are not told."""
        if self.data:
            with environment_problems(self.cache):
                Store(self.cache).point(self.pointers, {"folder": str(self.data)}, "data")


def plan(request: Request, *, needs_data: bool = True) -> Plan:
    """Return the plan that ``request`` asks for; without ``needs_data`` the data folder may be missing.

    Raises
    ------
    UsageError
        There is no such study, or both data and the sample are asked for.
    StudyError
        The study file is wrong.
    DataError
        There is no data folder.
    """
    folder = study_folder(request.study)
    study = load(folder / "study.toml", request.overrides)
    if request.sample:
        if request.data is not None:
            raise UsageError("--data and --sample contradict each other", hint="leave one of them out")
        study, found = study.for_sample(), None
    else:
        found = _found(request, study, needs_data)
    data = None if request.sample else found or PROJECT / study.dataset.root
    name = folder.name + ("-sample" if request.sample else "")
    cache = cache_folder(request.cache)
    version = commit()
    declared = Store(cache).latest(_pointers(request), "declared").get("comparison", study.declaration)
    return Plan(
        request=request,
        name=name,
        study=study,
        stages=stages(study, Place(folder, data, request.overrides, declared != study.declaration, version)),
        data=found,
        cache=cache,
        out=(request.out or PROJECT / "build" / name).absolute(),
        document=PROJECT / "document" / name,
        commit=version,
    )


def _pointers(request: Request) -> str:
    return remembered_as(study_folder(request.study)) + ("-sample" if request.sample else "")


def commit() -> str:
    """Return the last commit of the program, with ``-dirty`` where it does something else now; "" outside a clone.

    A comment or docstring that is not committed yet, and commits of anything but the program, change nothing.
    """
    last = _git("log", "-1", "--format=%h", "--abbrev=12", "--", *PROGRAM).decode().strip()
    changed = _git("diff", "--name-only", "--no-renames", "--relative", "-z", "HEAD", "--", *PROGRAM)
    dirty = any(_does_otherwise(os.fsdecode(name)) for name in changed.split(b"\0") if name)
    return last + "-dirty" * (bool(last) and dirty)


def unversioned() -> str:
    """Return why git does not tell the version of the program."""
    try:
        done = _run_git("log", "-1", "--format=%h")
    except OSError as error:
        return f"git cannot be run: {error.strerror}"
    said = done.stderr.decode(errors="replace").strip().partition("\n")[0]
    return said.removeprefix("fatal: ") or f"{PROJECT} is no clone of the program"


def _git(*words: str) -> bytes:
    """Return what git prints; nothing outside a clone, in one of somebody else's, or on a machine without git."""
    try:
        return _run_git(*words).stdout
    except OSError:
        return b""


def _run_git(*words: str) -> subprocess.CompletedProcess[bytes]:
    """Run git in this project, whatever repository the caller works on."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return subprocess.run(["git", "-C", str(PROJECT), *words], capture_output=True, check=False, env=own)


def _does_otherwise(name: str) -> bool:
    """Tell whether a file differs from the last commit: a module in what it does, any other in its bytes."""
    path = PROJECT / name
    if path.suffix != ".py" or not path.is_file():
        return True
    with suppress(StageError):  # one of the two is not valid Python
        return code_hash(_git("show", f"HEAD:./{name}"), name) != code_hash(path.read_bytes(), name)
    return True


def _found(request: Request, study: Study, needed: bool) -> Path | None:
    """Return the data, and say so where nobody named them; without ``needed`` None if there are none."""
    try:
        folder = data_folder(request, study)
    except DataError:
        if needed or request.data:
            raise
        return None
    if needed and not _named(request) and folder != (PROJECT / study.dataset.root).resolve():
        console.note(f"data: {folder} (as in the last build)")
    return folder


def study_folder(name: str) -> Path:
    """Return the folder of a study given by its name, its folder or its file."""
    given = Path(name)
    for folder in (STUDIES / name, given.parent if given.name == "study.toml" else given):
        if (folder / "study.toml").is_file():
            return folder.resolve()
    known = study_names()
    raise UsageError(f"no study is called {name!r}", hint=did_you_mean(name, known))


def remembered_as(folder: Path) -> str:
    """Return the name of a study, and for one that is not among the others also what tells where it lies."""
    if folder.parent == STUDIES:
        return folder.name
    where = folder.relative_to(PROJECT) if folder.is_relative_to(PROJECT) else folder
    return f"{folder.name}-{hashlib.sha256(str(where).encode()).hexdigest()[:8]}"


def study_names() -> list[str]:
    """Return the names of the studies of this project."""
    return sorted(path.parent.name for path in STUDIES.glob("*/study.toml"))


def data_folder(request: Request, study: Study) -> Path:
    """Return the data folder or archive.

    ``--data``, else ``REPORT_DATA``, else the study's ``dataset.root``, else what the last build read.
    """
    named, root = _named(request), PROJECT / study.dataset.root
    last = None if named or root.exists() else last_data(request)
    folder = named or last or root
    problem = data_problem(folder)
    if not problem:
        _check_holds(folder, study)
        return folder.resolve()
    sample = f"report build {shlex.quote(request.study)} --sample"
    if named:
        hint = f"check the path given to --data, or try generated pictures: {sample}"
    elif last:
        problem += ", where the last build found them"
        hint = "repeat --data DIR, or set REPORT_DATA"
    else:
        hint = f"{dataset_command(study)}, then repeat with --data DIR, or set REPORT_DATA; or {sample}"
    raise DataError(f"{folder}: {problem}", hint=hint)


def _named(request: Request) -> Path | None:
    set_by_user = os.environ.get("REPORT_DATA")
    return request.data or (Path(set_by_user) if set_by_user else None)


def last_data(request: Request) -> Path | None:
    """Return the data that the last build of a study read, if any was."""
    pointers = Store(cache_folder(request.cache)).latest(remembered_as(study_folder(request.study)), "data")
    return Path(pointers["folder"]) if "folder" in pointers else None


def data_problem(path: Path) -> str:
    """Return why ``path`` can be no data folder or archive; nothing if it can."""
    if path.is_dir() or (path.is_file() and path.name.lower().endswith(ARCHIVES)):
        return ""
    return f"is not a folder, nor one of {', '.join(ARCHIVES)}" if path.exists() else "no such data folder"


def _check_holds(folder: Path, study: Study) -> None:
    """Refuse at once, before anything runs, what no reader or not that of the study can read."""
    if folder.is_file():
        return
    found = walk(folder)
    files = (*found.files, *found.skipped)
    if not files:
        raise DataError(
            f"the data folder {folder} is empty", hint="download the dataset into it, or name another folder"
        )
    if study.dataset.reader == "v7" and not any(n.lower().endswith(".json") for n in files):
        raise DataError(
            f"{folder} has no Darwin JSON annotations",
            hint=f"report data check {shlex.quote(str(folder))} tells which reader fits;"
            f" {dataset_command(study)} gets the data of this one",
        )


def dataset_command(study: Study) -> str:
    """Return the command that fetches the data of a study, or where they are had."""
    source = study.dataset.source
    if source.startswith("http"):
        return f"download {source}"
    had = {"v7": V7_PULL, "table": "put the pictures and the table of labels into one folder"}
    return source or had.get(study.dataset.reader, "put the pictures into one folder per class")


def cache_folder(asked: Path | None) -> Path:
    """Return the cache: ``--cache``, else ``REPORT_CACHE``, else ``.cache`` in the project."""
    chosen = asked or (Path(os.environ["REPORT_CACHE"]) if os.environ.get("REPORT_CACHE") else None)
    return (chosen or PROJECT / ".cache").absolute()
