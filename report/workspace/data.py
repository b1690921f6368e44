"""Where the data of a study lie, and where they are had."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from analysis.errors import DataError
from analysis.vocabulary.external import EXTERNAL
from analysis.vocabulary.pretraining import PRETRAINING
from analysis.walk import walk
from report import PROJECT
from report.engine.store import Store
from report.errors import UsageError
from report.study import readers
from report.study.study import Study
from report.workspace.places import find_cache
from report.workspace.request import Request

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")


def find_data(request: Request, study: Study) -> Path:
    """Return the data folder or archive.

    ``--data``, else ``REPORT_DATA``, else the study's ``dataset.root``, else what the last build read.
    """
    named, root = request.named_data, PROJECT / study.dataset.root
    last = None if named or root.exists() else find_last_data(request)
    folder = named or last or root
    problem = find_data_problem(folder)
    if not problem:
        _require_dataset(folder, study)
        return folder.resolve()
    sample = f"report build {shlex.quote(request.study)} --sample"
    if named:
        hint = f"check the path given to --data, or try generated images: {sample}"
    elif last:
        problem += ", where the last build found them"
        hint = "repeat --data DIR, or set REPORT_DATA"
    else:
        hint = f"{fetch_command(study)}, then repeat with --data DIR, or set REPORT_DATA; or {sample}"
    raise DataError(f"{folder}: {problem}", hint=hint)


def find_last_data(request: Request) -> Path | None:
    """Return the data that the last build of a study read, if any was."""
    pointers = Store(find_cache(request.cache)).latest(request.cache_name, "data")
    return Path(pointers["folder"]) if "folder" in pointers else None


def find_external(request: Request, study: Study) -> Path | None:
    """Return the folder or archive of the study's external set; None if it has none, or its images are not there.

    ``--external``, else ``REPORT_EXTERNAL``, else its ``root``, else what the last build read.

    Raises
    ------
    DataError
        The user names one that does not exist.
    UsageError
        ``--external`` is named, and the study has no external set.
    """
    named = request.named_external
    if study.external is None:
        if request.external:
            raise UsageError(
                f"--external {request.external}: the study has no external set",
                hint="declare [external] in the study file, or try one network: report test --model MODEL --data DIR",
            )
        return None
    return _find_further(request, EXTERNAL, named, study.external.root)


def find_pretraining(request: Request, study: Study, *, needed: bool) -> Path | None:
    """Return the folder or archive of the images that a network learns from first; None if the study has none.

    ``--pretraining``, else ``REPORT_PRETRAINING``, else its ``root``, else what the last build read. Where they are not
    there and not ``needed``, it is the ``root``.

    Raises
    ------
    DataError
        They are not there.
    UsageError
        ``--pretraining`` is named, and the study has none.
    """
    if study.pretraining is None:
        if request.pretraining:
            problem = f"--pretraining {request.pretraining}: the study has no [pretraining]"
            raise UsageError(problem, hint="leave it out, or declare the table in the study file")
        return None
    root, source = study.pretraining.root, study.pretraining.source
    found = _find_further(request, PRETRAINING, request.named_pretraining, root)
    if needed and not found:
        raise DataError(
            f"{PROJECT / root}: {find_data_problem(PROJECT / root)}, from which {study.pretraining.model.title} learns first",
            hint=f"{_fetch(source, study.pretraining.reader)}, then name it with --pretraining DIR",
        )
    return found or PROJECT / root


def _find_further(request: Request, kind: str, named: Path | None, root: str) -> Path | None:
    """Return the folder or archive of another set of images that is ``named``, or at its ``root``, or where it was last."""
    last = Store(find_cache(request.cache)).latest(request.cache_name, kind).get("folder")
    places = [named] if named else [PROJECT / root, *([Path(last)] if last else [])]
    found = next((place for place in places if not find_data_problem(place)), None)
    if named and not found:
        raise DataError(f"{named}: {find_data_problem(named)}", hint=f"check the path given to --{kind}")
    return found and found.resolve()


def find_data_problem(path: Path) -> str:
    """Return why ``path`` can be no data folder or archive; nothing if it can."""
    if path.is_dir() or (path.is_file() and path.name.lower().endswith(ARCHIVES)):
        return ""
    return f"is not a folder, nor one of {', '.join(ARCHIVES)}" if path.exists() else "no such data folder"


def _require_dataset(folder: Path, study: Study) -> None:
    """Refuse at once, before anything runs, what no reader or not that of the study can read."""
    suffixes = readers.look_up(study.dataset.reader).files
    if folder.is_file() or all(_has_file(folder, suffix) for suffix in suffixes or ("",)):
        return
    found = walk(folder)
    files = (*found.files, *found.skipped)
    if not files:
        raise DataError(
            f"the data folder {folder} is empty", hint="download the dataset into it, or name another folder"
        )
    for suffix, called in suffixes.items():
        if not any(name.lower().endswith(suffix) for name in files):
            raise DataError(
                f"{folder} has no {called}",
                hint=f"report data check {shlex.quote(str(folder))} tells which reader fits;"
                f" {fetch_command(study)} gets the data of this one",
            )


def _has_file(folder: Path, suffix: str) -> bool:
    """Tell whether a folder has a file that ends so, without a look at all: there may be many thousands."""
    return any(
        name.lower().endswith(suffix) and not name.startswith(".")
        for _, _, names in os.walk(folder)
        for name in names
    )


def fetch_command(study: Study) -> str:
    """Return the command that fetches the data of a study, or where they are had."""
    return _fetch(study.dataset.source, study.dataset.reader)


def _fetch(source: str, reader: str) -> str:
    if source.startswith("http"):
        return f"download {source}"
    return source or readers.look_up(reader).obtained
