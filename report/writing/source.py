"""Write the document's one source: a ``.qmd`` with its figures, tables and references."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from report.document import lint
from report.document.origin import find_origin
from report.study.folder import find_prose
from report.writing.artifacts import copy_figures, copy_tables
from report.writing.author.doubts import find_doubts
from report.writing.author.literature import write_literature
from report.writing.author.overrides import FOLDER, require_overrides
from report.writing.author.passages import close_passage
from report.writing.author.pictures import copy_images
from report.writing.facts import known_to_templates
from report.writing.left_out import drop_pointers, find_left_out
from report.writing.study_facts import Origin, StudyFacts
from report.writing.templates import locate_errors, make_engine
from report.writing.values import Values

if TYPE_CHECKING:
    from analysis.progress import Progress
from analysis.vocabulary.verdicts import UNEQUAL

Verdict = Mapping[str, Any]


def write(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    study: dict[str, Any],
    together: list[str],
    many: bool,
    sample: bool,
    **origin: Any,
) -> None:
    """Write ``report.qmd``, ``figures/``, ``tables/``, ``references.bib`` and ``doubts.json`` into ``out``.

    Parameters
    ----------
    study : dict
        The study file as JSON values.
    together : list of str
        The models whose curves lie over one another.
    many : bool
        Whether the models are so many that the report tells of them together and not one by one.
    sample : bool
        Whether the images are generated ones.
    **origin
        The fields of `Origin`.

    Raises
    ------
    RenderError
        A template or the author's prose is wrong, or the source fails our check; the message names file and line.
    """
    found = json.loads((inputs["results"] / "results.json").read_text(encoding="utf-8"))
    figures = copy_figures(inputs, out)
    copy_tables(inputs, out)
    write_literature(inputs["templates"], inputs["prose"], out)
    facts = StudyFacts(study, Values(found["results"]), inputs, many, sample, together, Origin(**origin))
    known = known_to_templates(facts, found["verdicts"], figures)
    text, left_out = fill(inputs["templates"], inputs["prose"], known)
    (out / "report.qmd").write_text(text, encoding="utf-8")
    copy_images(text, inputs["prose"], out)
    lines, folders = text.split("\n"), (inputs["templates"], inputs["prose"])
    lint.require_sound(out, lambda p: find_origin(lines[p.line - 1], *folders, word=p.word), left_out)
    prose = find_prose(inputs["prose"], study["report"]["sections"])
    _write_doubts(prose, out, found["verdicts"])


def fill(templates: Path, author: Path, known: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """Return the document's source with every template and the prose in the ``author``'s folder filled in.

    Beside it are the ids that it lacks, with the section that has them and that it leaves out.
    """
    sections = known["study"]["report"]["sections"]
    found = {
        path.name: close_passage(path, known, templates, is_section=path.name in sections)
        for path in find_prose(author, sections)
    }
    written = {name: text for name, text in found.items() if text}
    overrides = require_overrides(author, templates)
    known = {**known, "prose": written, "overrides": overrides}
    with locate_errors():
        engine = make_engine(templates, known, author / FOLDER)
        text = engine.get_template("report.qmd.j2").render()
        left_out = find_left_out(engine, sections, text)
    return drop_pointers(text, left_out, written.values()), left_out


def _write_doubts(prose: Sequence[Path], out: Path, verdicts: Sequence[Verdict]) -> None:
    """Write what in the author's words a result could contradict."""
    decided = bool(verdicts) and all(v["verdict"] in UNEQUAL for v in verdicts)
    doubts = [doubt for path in prose for doubt in find_doubts(path, decided=decided)]
    listing = json.dumps(doubts, indent=1, ensure_ascii=False)
    (out / lint.DOUBTS).write_text(listing + "\n", encoding="utf-8")
