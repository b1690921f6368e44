"""``report data check`` and ``data sample``: what data hold, and data that are generated."""

from __future__ import annotations

import json
import shlex
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from analysis.errors import DataError
from report.commands.options import Cache, Set, StudyOption, request_plan
from report.errors import StudyError, UsageError
from report.terminal import console

if TYPE_CHECKING:
    from report.commands.data_words import Findings

CHECK_NAME = "check"
"""The name under which the cache remembers the last check."""
FIRST_STUDIES = {"v7": "assignment", "kermany": "pediatric-resplit", "radiography": "radiography"}
"""The study that is named first of those that read the data of a reader with no setting more."""


def check(
    data: Annotated[Path, typer.Argument(metavar="DIR", help="A data folder, or a .zip, .tar or .tar.gz.")],
    study: Annotated[
        str | None, typer.Option("--study", metavar="STUDY", help="Try the settings of this study first.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of words.")] = False,
    cache: Cache = None,
) -> None:
    """Tell which reader fits, counts per class, what is left out and why, patients, sizes, duplicates."""
    findings = examine(data, study, cache)
    if as_json:
        console.say(json.dumps(findings, indent=1, ensure_ascii=False))
    else:
        _print_findings(findings, data, study)


def examine(data: Path, study: str | None, cache: Path | None) -> Findings:
    """Return what the reader that fits ``data`` finds there; the settings of ``study`` are tried first.

    Raises
    ------
    DataError
        There is no such folder or archive, or no reader fits it.
    """
    from report.commands.execution import build_stages, local_options
    from report.pipeline.data import make_data_check_stages
    from report.study.loading import load
    from report.workspace.data import find_data_problem
    from report.workspace.places import find_cache, find_study_folder

    if problem := find_data_problem(data):
        raise DataError(
            f"{data}: {problem}", hint="name the data folder, or the archive as it was downloaded"
        )
    settings = load(find_study_folder(study) / "study.toml") if study else None
    cache_option = ["--cache", str(cache)] if cache else []
    built = build_stages(
        make_data_check_stages(data.resolve(), settings),
        find_cache(cache),
        local_options(CHECK_NAME),
        lambda stage: shlex.join(["report", "log", stage, *cache_option]),
    )
    findings: Findings = json.loads(built["check"].path("data_check.json").read_text(encoding="utf-8"))
    return findings


def _print_findings(findings: Findings, data: Path, study: str | None) -> None:
    from report.commands.data_words import describe_advice, describe_findings, describe_next_step

    for line in describe_findings(findings, study):
        console.say(line)
    for line in describe_advice(findings, data):
        console.say(f"{line}\n")
    for line in describe_next_step(findings, data, study, _find_readers(findings["reader"])):
        console.say(line)


def _find_readers(reader: str) -> list[str]:
    """Return the studies that read the data of a reader with no setting more, the usual one first."""
    from report.study.loading import load
    from report.workspace.places import find_study_folder, list_studies

    if reader not in FIRST_STUDIES:
        return []
    first, others = FIRST_STUDIES[reader], []
    for name in list_studies():
        with suppress(StudyError):  # one that is being written
            if name != first and load(find_study_folder(name) / "study.toml").dataset.reader == reader:
                others.append(name)
    return [first, *others]


def sample(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
    study: StudyOption = "assignment",
    overrides: Set = None,
    cache: Cache = None,
) -> None:
    """Write the generated sample: phantoms in the layout of the real dataset."""
    from report.commands.execution import build_plan
    from report.engine.system.files import explain_refusals, write_if_changed

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder}: not an empty folder", hint="name a new folder")
    result = build_plan(request_plan(study, None, True, overrides, cache), ["sample"])["sample"]
    with explain_refusals(folder, "name a folder that is yours, on a disk with room"):
        for name in result.files:
            write_if_changed(folder / name, result.path(name).read_bytes())
    console.say(f"{console.shorten_path(folder)}  {len(result.files):,} files")
