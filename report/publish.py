"""Hand finished results over: from the cache to the folders that people open."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from report.errors import EnvironmentProblem
from report.evidence import STUDY, evidence_files, path_of, study_file

if TYPE_CHECKING:
    from report.engine.run import Built
    from report.project import Plan

PLACES = ("predictions/*", "predictions/*/*", "figures/*", "tables/*")
"""Where a build removes what is not its own."""


class Result(Protocol):
    """The files of a stage, in the cache or elsewhere."""

    @property
    def files(self) -> tuple[str, ...]:
        """Their paths inside the folder of the stage."""

    def path(self, relative: str) -> Path:
        """Return where one of them lies."""


def publish(plan: Plan, built: Mapping[str, Built], seconds: float) -> list[Path]:
    """Write the build folder of ``plan`` from what is built; return the paths of the documents.

    A file is written only when its content changed, next to its place and then renamed.
    """
    wanted = build_files(plan, built)
    with writing(plan.out):
        for relative, source in wanted.items():
            copy(source, plan.out / relative)
        if "source" in built:
            write(plan.out / STUDY, study_file(plan.study, plan.stages, built, wanted))
        if "results" in built:
            remove_others(plan.out, {*wanted, STUDY})
        replace(plan.out / "run.json", run_facts(plan, built, seconds))
    return [plan.out / name for name in ("report.html", "report.pdf") if name in wanted]


@contextmanager
def writing(target: Path) -> Iterator[None]:
    """Turn what the disk refuses into an error that names the file."""
    try:
        yield
    except OSError as error:
        raise EnvironmentProblem(
            f"{error.filename or target}: {error.strerror}",
            hint="free space or choose another place with --out",
        ) from error


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
    for name in built["source"].files:
        copy(built["source"].path(name), plan.document / name)
    return plan.document / "report.qmd"


def copy(source: Path, target: Path) -> None:
    """Copy a file unless the target has the same content already."""
    write(target, source.read_bytes())


def write(target: Path, content: bytes) -> None:
    """Write a file unless it has this content already."""
    if not (target.is_file() and target.read_bytes() == content):
        replace(target, content)


def replace(target: Path, content: bytes) -> None:
    """Write a file so that it is never seen half written."""
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        beside.write_bytes(content)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)


def others(out: Path, wanted: Collection[str]) -> list[Path]:
    """Return the files, hidden ones apart, that lie in the folders of a build and are not of it."""
    found = {
        path.relative_to(out).as_posix() for place in PLACES for path in out.glob(place) if path.is_file()
    }
    return [out / name for name in sorted(found - set(wanted)) if not (out / name).name.startswith(".")]


def remove_others(out: Path, wanted: Collection[str]) -> None:
    """Remove files of an earlier build that this one no longer has, and folders that become empty."""
    for path in others(out, wanted):
        path.unlink()
        if not any(path.parent.iterdir()):
            path.parent.rmdir()


def run_facts(plan: Plan, built: Mapping[str, Built], seconds: float) -> bytes:
    """Return ``run.json``: what ran and what was cached, where and how long; never part of the report."""
    facts: dict[str, Any] = {
        "study": plan.name,
        "seconds": round(seconds, 3),
        "cache": str(plan.cache),
        "stages": {
            name: {"how": b.how, "key": b.key, "seconds": b.record.seconds, "host": b.record.host}
            for name, b in built.items()
        },
    }
    return (json.dumps(facts, indent=1, ensure_ascii=False) + "\n").encode()
