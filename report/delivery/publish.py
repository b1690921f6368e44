"""Hand finished results over: from the cache to the folders that people open."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from report.delivery.build_folder import (
    find_current_documents,
    list_written,
    mark_unfinished,
    remove_stale,
)
from report.delivery.evidence import (
    DOCUMENTS,
    RUN,
    STUDY,
    describe_study,
    evidence_path,
    find_evidence,
    to_json,
)
from report.engine.stage import is_included
from report.engine.system.files import explain_refusals, write_atomically, write_if_changed

if TYPE_CHECKING:
    from report.engine.run import Built
    from report.workspace.plan import Plan

BUILD_FILES = ("predictions/*", "predictions/*/*", "figures/*", "tables/*")
"""Where everything in a build folder is of its build."""
SOURCE_FOLDERS = ("figures", "tables")
ELSEWHERE = "free space or choose another place with --out"
"""What to do where the disk refuses a file."""


class Result(Protocol):
    """The files of a stage, in the cache or elsewhere."""

    @property
    def files(self) -> tuple[str, ...]:
        """Their paths inside the folder of the stage."""

    def path(self, relative: str) -> Path:
        """Return where one of them lies."""


@dataclass(frozen=True)
class Publication:
    """The documents in a build folder, and what was removed of an earlier build."""

    documents: list[Path]
    removed: list[str]


def publish(plan: Plan, built: Mapping[str, Built], seconds: float) -> Publication:
    """Write the build folder of ``plan`` from what is built, and remove what earlier builds have left.

    A file is written only when its content changed, next to its place and then renamed.
    """
    wanted = list_build_files(plan, built)
    with explain_refusals(plan.out, ELSEWHERE):
        before = list_written(plan.out)
        kept, facts = _describe(plan, built, wanted)
        wanted |= kept
        names = {*wanted, *([STUDY] if facts else []), RUN}
        write_atomically(plan.out / RUN, mark_unfinished({*before, *names}), durable=False)
        for relative, source in wanted.items():
            write_if_changed(plan.out / relative, source.read_bytes())
        if facts:
            write_if_changed(plan.out / STUDY, facts)
        removed = remove_stale(plan.out, before, names)
        write_atomically(plan.out / RUN, _describe_run(plan, built, seconds, names), durable=False)
    return Publication([plan.out / name for name in DOCUMENTS if name in wanted], removed)


def _describe(
    plan: Plan, built: Mapping[str, Built], wanted: Mapping[str, Path]
) -> tuple[dict[str, Path], bytes]:
    """Return the documents of the same results that lie in the folder already, and ``study.json`` of all files."""
    if "source" not in built:
        return {}, b""
    facts = json.loads(to_json(describe_study(plan.study, plan.stages, built, wanted)))
    kept = find_current_documents(plan.out, facts)
    if kept:
        again = describe_study(plan.study, plan.stages, built, {**wanted, **kept})
        before = json.loads((plan.out / STUDY).read_bytes())
        facts = {**again, "program": dict(sorted({**before["program"], **again["program"]}.items()))}
    return kept, to_json(facts)


def list_build_files(plan: Plan, built: Mapping[str, Built]) -> dict[str, Path]:
    """Return what belongs into the build folder, by relative path, with where it lies in the cache."""
    predictions = {
        evidence_path(stage.name, file): built[stage.name].path(file)
        for stage in plan.stages
        if stage.kind == "predict" and stage.name in built
        for file in built[stage.name].files
        if is_included(file, stage.releases)
    }
    evidence = find_evidence(plan.stages, built) if "source" in built else {}
    return predictions | evidence | list_report_files(built)


def list_report_files(built: Mapping[str, Result]) -> dict[str, Path]:
    """Return the report with its results, figures and tables, by relative path in the build folder."""
    files = {
        name: built[stage].path(name)
        for stage, name in (("html", "report.html"), ("pdf", "report.pdf"), ("results", "results.json"))
        if stage in built
    }
    return files | _list_source_files(built)


def _list_source_files(built: Mapping[str, Result]) -> dict[str, Path]:
    """Return the figures and tables of the document's source, by relative path."""
    if "source" not in built:
        return {}
    source = built["source"]
    return {name: source.path(name) for name in source.files if name.partition("/")[0] in SOURCE_FOLDERS}


def publish_source(plan: Plan, built: Mapping[str, Built]) -> Path:
    """Write the ``.qmd`` with all that it needs into the document folder; return its path."""
    hint = "work in a clone of your own, or take report build with --out DIR: it writes HTML and PDF"
    with explain_refusals(plan.document, hint):
        for name in built["source"].files:
            write_if_changed(plan.document / name, built["source"].path(name).read_bytes())
    return plan.document / "report.qmd"


def find_strays(out: Path, known: Collection[str]) -> list[Path]:
    """Return the files, hidden ones apart, that lie in the folders of a build and are not among the ``known``."""
    found = {
        path.relative_to(out).as_posix()
        for pattern in BUILD_FILES
        for path in out.glob(pattern)
        if path.is_file()
    }
    return [out / name for name in sorted(found - set(known)) if not (out / name).name.startswith(".")]


def _describe_run(plan: Plan, built: Mapping[str, Built], seconds: float, files: Iterable[str]) -> bytes:
    """Return ``run.json``: what ran and what was cached, where and how long; never part of the report."""
    facts: dict[str, Any] = {
        "study": plan.name,
        "seconds": round(seconds, 3),
        "cache": str(plan.cache),
        "stages": {
            name: {"how": b.outcome, "key": b.key, "seconds": b.record.seconds, "host": b.record.host}
            for name, b in built.items()
        },
        "files": sorted(files),
    }
    return to_json(facts)
