"""``report audit``: what results on a folder of images would rest on, without a study and without a training."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from analysis.errors import DataError
from report import PROJECT
from report.commands.options import AsJson, Cache
from report.terminal import console
from report.terminal.quantities import format_size

if TYPE_CHECKING:
    from report.engine.run import Built
    from report.study.study import Study

AUDIT_NAME = "audit"
"""The name under which the cache remembers the last audit of a folder."""
Found = Mapping[str, Any]


def audit(
    data: Annotated[Path, typer.Argument(metavar="DIR", help="A data folder, or a .zip, .tar or .tar.gz.")],
    study: Annotated[
        str | None, typer.Option("--study", metavar="STUDY", help="Try the settings of this study first.")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Fail where parts share images or patients, or labels conflict.")
    ] = False,
    as_json: AsJson = False,
    cache: Cache = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Where the page and its tables go.")
    ] = None,
) -> None:
    """Look a folder of images through: copies, patients, shortcuts, confounding, labels. Nothing is trained on it."""
    from report.commands.audit_words import describe_audit, describe_problems
    from report.delivery import build_folder
    from report.delivery.audit_folder import publish_audit
    from report.writing.folder_audit import FOUND

    data = data.resolve() if data.exists() else data
    folder = out.absolute() if out else PROJECT / "build" / f"audit-{data.name.partition('.')[0] or 'data'}"
    build_folder.require_usable(folder, "")
    built = _build(data, study, cache)
    found = json.loads(built["source"].path(FOUND).read_text(encoding="utf-8"))
    published = publish_audit(folder, built["source"], built["html"])
    if as_json:
        console.say(json.dumps(found, indent=1, ensure_ascii=False))
    else:
        for line in describe_audit(found):
            console.say(line)
        for path in published:
            console.say(f"{console.shorten_path(path)}  {format_size(path.stat().st_size)}")
    if strict and (problems := describe_problems(found)):
        hint = f"{console.shorten_path(folder / 'tables')} lists them; without --strict they are only told"
        raise DataError(f"{data}: {problems}", hint=hint)


def _build(data: Path, name: str | None, cache: Path | None) -> Mapping[str, Built]:
    """Return the stages of the audit: first those that read, as they tell what the others are.

    Raises
    ------
    DataError
        There is no such folder or archive, or no reader fits it.
    """
    from report.commands.execution import build_stages, local_options
    from report.pipeline.data import make_data_check_stages
    from report.pipeline.folder_audit import make_folder_audit_stages
    from report.study.loading import load
    from report.workspace.data import find_data_problem
    from report.workspace.places import find_cache, find_study_folder

    if problem := find_data_problem(data):
        raise DataError(
            f"{data}: {problem}", hint="name the data folder, or the archive as it was downloaded"
        )
    study: Study | None = load(find_study_folder(name) / "study.toml") if name else None
    options, place = local_options(AUDIT_NAME), find_cache(cache)
    cache_option = ["--cache", str(cache)] if cache else []

    def log_command(stage: str) -> str:
        return shlex.join(["report", "log", stage, *cache_option])

    first = build_stages(make_data_check_stages(data, study, keep=True), place, options, log_command)
    read = json.loads(first["read"].path("data_check.json").read_text(encoding="utf-8"))
    return build_stages(make_folder_audit_stages(data, study, read, data.name), place, options, log_command)
