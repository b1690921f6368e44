"""The document made once before anything is trained, with made-up results: what would be refused at the end is refused now.

The stages of the document run as they are, on files in the form of those that they will read. No number of them says
anything; all names, tables, figures, ids and references are there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from report import PROJECT
from report.delivery.made_up import make_up
from report.delivery.recompute import run_stage
from report.document.origin import locate_mistake
from report.document.pandoc import SOURCE
from report.engine.sources import list_source
from report.engine.stage import Source, Stage
from report.errors import RenderError, StudyError, did_you_mean, nearest
from report.study.complaints import find_line
from report.workspace.places import find_study_folder

if TYPE_CHECKING:
    from report.study.study import Study
    from report.workspace.plan import Plan

WORDS = (".md", ".j2")
"""Endings of the author's files that can quote results."""


def rehearse(plan: Plan) -> str:
    """Make the document of a plan with made-up results; return what could not be tried, "" if all was.

    An expression of a template that made-up numbers do not fit is no mistake of the author.

    Raises
    ------
    RenderError
        The author's words or a template cannot be carried by the report; the error has file and line.
    StudyError
        A requirement is answered in a part that the report will not have.
    """
    stages = {stage.name: stage for stage in plan.stages}
    words = stages["source"].inputs["prose"]
    assert isinstance(words, Source)
    prose = [words.path / name for name in sorted(list_source(words))]
    text = "\n".join(
        path.read_text(encoding="utf-8", errors="replace") for path in prose if path.suffix in WORDS
    )
    with TemporaryDirectory(prefix="report-rehearsal-") as work:
        folder = Path(work) / "source"
        source = folder / "out" / SOURCE
        try:
            needed = [stages[name] for name in sorted(stages["source"].needs)]
            _make_document(stages, make_up(needed, plan.study, text, Path(work) / "made-up"), folder)
        except RenderError as error:
            written = source.read_text(encoding="utf-8") if source.is_file() else ""
            if written:
                study_file = find_study_folder(plan.request.study) / "study.toml"
                _require_answers(plan.study, written, study_file, error.message)
            if isinstance(error.__cause__, ArithmeticError | TypeError) and error.file.endswith(".j2"):
                return str(error)
            raise locate_mistake(error, written, PROJECT / "templates", words.path) from error
    return ""


def _make_document(stages: Mapping[str, Stage], files: dict[str, dict[str, Path]], folder: Path) -> None:
    """Run the stages of the document on ``files``, the source in ``folder``, and draw its equations."""
    written = run_stage(stages["source"], files, folder)
    files["source"] = {name: written.path(name) for name in written.files}
    html = run_stage(stages["html"], files, folder.with_name("html")).path("report.html")
    page = html.read_text(encoding="utf-8")
    if "<math" in page:
        from report.document.equations import draw_equations

        draw_equations(page)


def _require_answers(study: Study, source: str, file: Path, said: str) -> None:
    """Refuse a requirement that refers to no part of the report, of which the check of the source has ``said`` why."""
    ids = set(re.findall(r"\{#((?:sec|fig|tbl)-[\w-]+)", source))
    for number, requirement in enumerate(study.report.requirements):
        for missing in (place for place in requirement.places if place not in ids):
            key = f"report.requirements.{number}.where"
            line = find_line(key, file.read_text(encoding="utf-8-sig"))
            why = f": {said}" if said.startswith(f"@{missing} ") else ""
            raise StudyError(
                f"{file}:{line}: {key}: the report has no part {missing}{why}",
                hint=did_you_mean(nearest(missing, ids), f"parts are: {', '.join(sorted(ids)[:8])}"),
            )
