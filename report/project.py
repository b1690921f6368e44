"""Where things lie: studies, data, the cache, and the folders that are written."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from analysis.errors import DataError
from report.engine.stage import Output, Stage
from report.errors import UsageError
from report.pipeline import PROJECT, Place, stages
from report.study import Study, load

STUDIES = PROJECT / "studies"
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")
DATASETS = {
    "v7": "darwin dataset pull v7-labs/covid-19-chest-x-ray-dataset:all-images",
    "class-folders": "put the pictures into one folder per class",
}


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
    """A study with its stages and the folders that belong to it."""

    name: str
    study: Study
    stages: list[Stage]
    cache: Path
    out: Path
    document: Path

    def upstream(self, names: Iterable[str]) -> list[Stage]:
        """Return the stages called ``names`` and all that they read, in the plan's order."""
        wanted = set(names)
        for stage in reversed(self.stages):
            if stage.name in wanted:
                wanted |= {given.stage for given in stage.inputs.values() if isinstance(given, Output)}
        return [stage for stage in self.stages if stage.name in wanted]


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
        if study.dataset.reader != "v7":
            raise UsageError(
                f"{folder.name}: generated pictures come in V7's layout, its reader is {study.dataset.reader}",
                hint=f"report build {request.study} --data DIR",
            )
        study, data = study.sampled(), None
    else:
        data = data_folder(request, study) if needs_data else PROJECT / study.dataset.root
    name = folder.name + ("-sample" if request.sample else "")
    return Plan(
        name=name,
        study=study,
        stages=stages(study, Place(folder, data, request.overrides)),
        cache=cache_folder(request.cache),
        out=(request.out or PROJECT / "build" / name).absolute(),
        document=PROJECT / "document" / name,
    )


def study_folder(name: str) -> Path:
    """Return the folder of a study given by name or path."""
    for folder in (STUDIES / name, Path(name)):
        if (folder / "study.toml").is_file():
            return folder.resolve()
    known = study_names()
    nearest = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {nearest[0]}?" if nearest else f"there are: {', '.join(known)}"
    raise UsageError(f"no study is called {name!r}", hint=hint)


def study_names() -> list[str]:
    """Return the names of the studies of this project."""
    return sorted(path.parent.name for path in STUDIES.glob("*/study.toml"))


def data_folder(request: Request, study: Study) -> Path:
    """Return the data folder or archive: ``--data``, else ``REPORT_DATA``, else the study's ``dataset.root``."""
    named = request.data or (Path(os.environ["REPORT_DATA"]) if os.environ.get("REPORT_DATA") else None)
    folder = named or PROJECT / study.dataset.root
    problem = data_problem(folder)
    if not problem:
        return folder.resolve()
    command = f"report build {request.study}"
    hint = (
        f"check the path given to --data, or try generated pictures: {command} --sample"
        if named
        else f"{dataset_command(study)}, then {command} --data DIR; or {command} --sample"
    )
    raise DataError(f"{folder}: {problem}", hint=hint)


def data_problem(path: Path) -> str:
    """Return why ``path`` can be no data folder or archive; nothing if it can."""
    if path.is_dir() or (path.is_file() and path.name.lower().endswith(ARCHIVES)):
        return ""
    return f"is not a folder, nor one of {', '.join(ARCHIVES)}" if path.exists() else "no such data folder"


def dataset_command(study: Study) -> str:
    """Return the command that fetches the data of a study, or where they are had."""
    return DATASETS[study.dataset.reader]


def cache_folder(asked: Path | None) -> Path:
    """Return the cache: ``--cache``, else ``REPORT_CACHE``, else ``.cache`` in the project."""
    chosen = asked or (Path(os.environ["REPORT_CACHE"]) if os.environ.get("REPORT_CACHE") else None)
    return (chosen or PROJECT / ".cache").absolute()
