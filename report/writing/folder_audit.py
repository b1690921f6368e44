"""Write the source of the page on a folder: what ``report audit`` has found, in the words of the report's sections."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.evaluation.results_file import Results, owned, read_results
from analysis.vocabulary.audit import AUDIT
from report.document import lint
from report.document.origin import find_origin
from report.writing.artifacts import copy_figures, copy_tables
from report.writing.facts import known_to_templates
from report.writing.study_facts import StudyFacts
from report.writing.templates import locate_errors, make_engine
from report.writing.values import Values

if TYPE_CHECKING:
    from analysis.progress import Progress

TEMPLATE = "folder_audit.qmd.j2"
FOUND = "audit.json"
WITHOUT_STUDY: Mapping[str, Any] = {
    "models": [],
    "untrained": [],
    "comparison": None,
    "external": None,
    "published": None,
    "report": {"sections": ("audit", "audit_details")},
}
"""What a page on a folder lacks of a study."""


def write(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    classes: Sequence[Mapping[str, str]],
    title: str,
) -> None:
    """Write ``report.qmd``, ``figures/``, ``tables/``, ``references.bib`` and ``audit.json`` into ``out``.

    ``audit.json`` has what was read (``read``), every number (``results``) and the findings (``findings``).

    Parameters
    ----------
    inputs : mapping of str to Path
        ``templates``, ``records``, ``audit_<topic>`` and ``figure_<name>``.
    classes : sequence of mapping
        ``id`` and ``label`` of each class.
    title : str
        What the data are called.

    Raises
    ------
    RenderError
        A template is wrong, or the source fails our check; the message names file and line.
    """
    read = json.loads((inputs["records"] / "data_check.json").read_text(encoding="utf-8"))
    figures = copy_figures(inputs, out)
    copy_tables(inputs, out)
    shutil.copyfile(inputs["templates"] / "references.bib", out / "references.bib")
    study = {**WITHOUT_STUDY, "classes": [{**c, "normal": False} for c in classes]}
    results = _collect(inputs)
    facts = StudyFacts(study, Values(results), inputs)
    known = {**known_to_templates(facts, (), figures), "survey": read, "data_title": title}
    with locate_errors():
        text = make_engine(inputs["templates"], known).get_template(TEMPLATE).render()
    (out / "report.qmd").write_text(text, encoding="utf-8")
    lines = text.split("\n")
    lint.require_sound(out, lambda p: find_origin(lines[p.line - 1], inputs["templates"], word=p.word))
    found = {"read": read, "results": results, "findings": [asdict(f) for f in facts.findings]}
    listing = json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    (out / FOUND).write_text(listing + "\n", encoding="utf-8")
    progress(1, 1, "documents")


def _collect(inputs: Mapping[str, Path]) -> Results:
    """Return the results of all topics under the names that they have in a study's ``results.json``."""
    found: Results = {}
    for name, folder in sorted(inputs.items()):
        if name.startswith(f"{AUDIT}_"):
            found |= owned(read_results(folder / "results.json"), AUDIT)
    return found
