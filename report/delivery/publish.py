"""Hand finished results over: from the cache to the folders that people open."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from report.delivery import build_folder
from report.delivery.build_folder import RUN
from report.delivery.evidence import DOCUMENTS, STUDY, as_json, evidence_files, path_of, study_facts
from report.engine.system.files import explain_refusals, write_atomically, write_if_changed

if TYPE_CHECKING:
    from report.engine.run import Built
    from report.workspace.plan import Plan

PLACES = ("predictions/*", "predictions/*/*", "figures/*", "tables/*")
"""Where everything in a build folder is of its build."""
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
class Published:
    """The documents in a build folder, and what was taken away of an earlier build."""

    documents: list[Path]
    gone: list[str]


def publish(plan: Plan, built: Mapping[str, Built], seconds: float) -> Published:
    """Write the build folder of ``plan`` from what is built, and take away what earlier builds have left.

    A file is written only when its content changed, next to its place and then renamed.
    """
    wanted = build_files(plan, built)
    with explain_refusals(plan.out, ELSEWHERE):
        before = build_folder.earlier(plan.out)
        facts = _facts(plan, built, wanted)
        names = {*wanted, *([STUDY] if facts else []), RUN}
        write_atomically(plan.out / RUN, build_folder.unfinished({*before, *names}), durable=False)
        for relative, source in wanted.items():
            copy(source, plan.out / relative)
        if facts:
            write_if_changed(plan.out / STUDY, facts)
        gone = build_folder.take_away(plan.out, before, names)
        write_atomically(plan.out / RUN, run_facts(plan, built, seconds, names), durable=False)
    return Published([plan.out / name for name in DOCUMENTS if name in wanted], gone)


def _facts(plan: Plan, built: Mapping[str, Built], wanted: dict[str, Path]) -> bytes:
    """Return ``study.json``, and add to ``wanted`` the documents that lie there already and are of it."""
    if "source" not in built:
        return b""
    facts = json.loads(as_json(study_facts(plan.study, plan.stages, built, wanted)))
    if kept := build_folder.still_true(plan.out, facts):
        wanted |= kept
        again = study_facts(plan.study, plan.stages, built, wanted)
        before = json.loads((plan.out / STUDY).read_bytes())
        facts = {**again, "program": dict(sorted({**before["program"], **again["program"]}.items()))}
    return as_json(facts)


def build_files(plan: Plan, built: Mapping[str, Built]) -> dict[str, Path]:
    """Return what belongs into the build folder, by relative path, with where it lies in the cache."""
    predictions = {
        path_of(name, file): result.path(file)
        for name, result in built.items()
        if name.startswith("predict.")
        for file in result.files
    }
    evidence = evidence_files(plan.stages, built) if "source" in built else {}
    return predictions | evidence | report_files(built)


def report_files(built: Mapping[str, Result]) -> dict[str, Path]:
    """Return the report with its results, figures and tables, by relative path in the build folder."""
    files = {
        name: built[stage].path(name)
        for stage, name in (("html", "report.html"), ("pdf", "report.pdf"), ("results", "results.json"))
        if stage in built
    }
    return files | source_files(built, ("figures", "tables"))


def source_files(built: Mapping[str, Result], folders: tuple[str, ...]) -> dict[str, Path]:
    """Return the files of the document's source that lie in ``folders``, by relative path."""
    if "source" not in built:
        return {}
    source = built["source"]
    return {name: source.path(name) for name in source.files if name.partition("/")[0] in folders}


def publish_source(plan: Plan, built: Mapping[str, Built]) -> Path:
    """Write the ``.qmd`` with all that it needs into the document folder; return its path."""
    hint = "work in a clone of your own, or take report build with --out DIR: it writes HTML and PDF"
    with explain_refusals(plan.document, hint):
        for name in built["source"].files:
            copy(built["source"].path(name), plan.document / name)
    return plan.document / "report.qmd"


def copy(source: Path, target: Path) -> None:
    """Copy a file unless the target has the same content already."""
    write_if_changed(target, source.read_bytes())


def others(out: Path, wanted: Collection[str]) -> list[Path]:
    """Return the files, hidden ones apart, that lie in the folders of a build and are not of it."""
    found = {
        path.relative_to(out).as_posix() for place in PLACES for path in out.glob(place) if path.is_file()
    }
    return [out / name for name in sorted(found - set(wanted)) if not (out / name).name.startswith(".")]


def run_facts(plan: Plan, built: Mapping[str, Built], seconds: float, files: Iterable[str]) -> bytes:
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
    return as_json(facts)
