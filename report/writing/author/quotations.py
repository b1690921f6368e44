"""What the author's words quote by name, checked before anything is trained."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.vocabulary.folds import name_all_folds
from analysis.vocabulary.run_names import add_seed, split_run
from report.errors import RenderError, did_you_mean, nearest
from report.study.collisions import OWNERS
from report.study.folder import find_prose
from report.study.trainings import list_analyses, list_folds
from report.writing.author.markup import require_markup
from report.writing.result_names import result_names

if TYPE_CHECKING:
    from report.study.study import Study

_PART = re.compile(r"<%[-+]?\s*(?P<word>if|endif|elif)\b(?P<condition>.*?)%>|<<(?P<filled>.*?)>>", re.S)
_EXCLUDED = re.compile(r"data(@\w+)?\.excluded\.[a-z0-9_]+")
"""Reasons for which files are left out: what they are is known when the data are read."""
_QUOTED = re.compile(r"""\b(?:r|value|ci)\(\s*["']([^"']+)["']""")


def require_quotations(folder: Path, study: Study) -> None:
    """Check the author's files in a study's folder.

    A name under ``<% if ... %>`` may be one of other settings: there it is enough that some settings have it.

    Raises
    ------
    RenderError
        Markup is wrong, or a result is quoted that this study cannot have; the message names file and line.
    """
    of_study = result_names(study)
    # Once, and where a name is guarded alone: a build with nothing to do asks too.
    of_any = cache(lambda: of_study | result_names(_with_other_settings(study)))
    for path in find_prose(folder, study.report.sections):
        for line, name, guarded in find_quotations(require_markup(path)):
            if guarded:
                problem = _find_misspelling_in_any_settings(name, of_any())
            else:
                problem = _find_problem(name, study) or _find_misspelling(name, of_study)
            if problem:
                raise RenderError(f"{name}: {problem[0]}", hint=problem[1], file=path.name, line=line)


def find_quotations(text: str) -> Iterator[tuple[int, str, bool]]:
    """Yield line and name of every result that is quoted, and whether it is so for some settings only."""
    depth = 0
    for part in _PART.finditer(text):
        depth += {"if": 1, "endif": -1}.get(part["word"] or "", 0)
        for name in _QUOTED.findall(part["filled"] or part["condition"] or ""):
            line = text.count("\n", 0, part.start()) + 1
            yield line, name, bool(depth) or bool(re.search(r"\bif\b", part["filled"] or ""))


def _find_misspelling(name: str, known: Collection[str]) -> tuple[str, str] | None:
    """Return that no result has this name, and the nearest ones; None if one has it."""
    if name in known or _EXCLUDED.fullmatch(name):
        return None
    owner = name.partition(".")[0]
    longer = sorted(
        (n for n in known if n.startswith(f"{name}.")), key=lambda n: (not n.endswith(".macro"), n)
    )
    of_owner = sorted(n for n in known if n.startswith(f"{owner}."))
    shorter = [n for n in of_owner if name.startswith(f"{n}.")]
    near = longer[:3] or [*shorter, *nearest(name, of_owner)][:3]
    hint = did_you_mean(near, f"the results of {owner} stand in results.json")
    return "no result has this name", hint


def _find_misspelling_in_any_settings(name: str, known: Collection[str]) -> tuple[str, str] | None:
    """Return that no settings give a result of this name, of the names ``known`` in some; None if some do."""
    owner = name.partition(".")[0]
    return _find_misspelling(name, known) if any(n.startswith(f"{owner}.") for n in known) else None


def _with_other_settings(study: Study) -> Study:
    """Return a study with what gives it the most results: those of its settings that can, changed."""
    seeds = study.training.seeds if len(study.training.seeds) > 1 else (*study.training.seeds, -1)
    variants = {
        "classes": tuple(c.model_copy(update={"normal": i == 0}) for i, c in enumerate(study.classes)),
        "split": study.split.model_copy(update={"group": "none", "also": "patient"}),
        "models": tuple(m.model_copy(update={"class_balance": "oversample"}) for m in study.models),
        "training": study.training.model_copy(update={"seeds": seeds}),
        "ablation": study.ablation and study.ablation.model_copy(update={"run": True}),
    }
    return study.model_copy(update=variants)


def _find_problem(name: str, study: Study) -> tuple[str, str] | None:
    """Return why a study cannot have a result of this name, and what to do; None if it can."""
    guard = "take the sentence away, or put <% if grouped %> before it and <% endif %> behind it"
    owner, _, rest = name.partition(".")
    of, run = split_run(owner)
    trained, described = ({m.id for m in models} for models in (study.trained, study.untrained))
    known = {*trained, *described, *OWNERS}
    for one in [of] if of in known else of.split("_vs_"):
        if one not in known:
            near = nearest(one, known)
            return f"the study has no model {one!r}", f"there are: {', '.join(near or sorted(trained))}"
        if one in described and not rest.startswith("architecture."):
            return f"the model {one} is described and not trained", "quote its architecture only"
    if run and run not in _find_runs(study):
        return f"the study has no analysis {'@' + run!r}", guard
    if of in {"published", "ledger"} and study.published is None:
        return "the study has no published figures", "write them into published.toml beside study.toml"
    for left_out in (c.id for c in study.left_out):
        if left_out in rest.split("."):
            return f"the class {left_out} is left out", guard.replace("grouped", "not study.left_out")
    return None


def _find_runs(study: Study) -> set[str]:
    """Return what can follow an ``@``: analyses, and with several seeds each of them."""
    names = [name for analysis in list_analyses(study) for name in (analysis, *_add_seeds(analysis, study))]
    folds = [*list_folds(study), name_all_folds("")] if study.split.folds else []
    return {split_run(name)[1] for name in (*names, *folds)} - {""}


def _add_seeds(analysis: str, study: Study) -> list[str]:
    return [add_seed(analysis, seed) for seed in study.training.seeds]
