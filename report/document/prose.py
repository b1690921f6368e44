"""The author's words, checked before anything is trained: their markup, and what they quote by name."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from report.document.author import files, require_prose
from report.errors import RenderError
from report.pipeline import analyses
from report.study import LOW_DETAIL, MAJORITY, OWNERS

if TYPE_CHECKING:
    from report.study import Study

EVALUATED = (*OWNERS, "planning", LOW_DETAIL, MAJORITY)
"""What results are named after beside models."""
_PART = re.compile(r"<%[-+]?\s*(?P<word>if|endif)\b|<<(?P<filled>.*?)>>", re.S)
_QUOTED = re.compile(r"""\b(?:r|value|ci)\(\s*["']([^"']+)["']""")


def require(folder: Path, study: Study) -> None:
    """Check the author's files in a study's folder.

    A name under ``<% if ... %>`` is left alone: its sentence may be one for other settings.

    Raises
    ------
    RenderError
        Markup is wrong, or a result is quoted that this study cannot have; the message names file and line.
    """
    for path in files(folder):
        for line, name in quoted(require_prose(path)):
            if problem := _problem(name, study):
                raise RenderError(f"{path.name}:{line}: {name}: {problem[0]}", hint=problem[1])


def quoted(text: str) -> Iterator[tuple[int, str]]:
    """Yield line and name of every result that is quoted whatever the settings are."""
    depth = 0
    for part in _PART.finditer(text):
        depth += {"if": 1, "endif": -1}.get(part["word"] or "", 0)
        if part["filled"] and not depth and not re.search(r"\bif\b", part["filled"]):
            for name in _QUOTED.findall(part["filled"]):
                yield text.count("\n", 0, part.start()) + 1, name


def _problem(name: str, study: Study) -> tuple[str, str] | None:
    """Return why a study cannot have a result of this name, and what to do; None if it can."""
    guard = "take the sentence away, or put <% if grouped %> before it and <% endif %> behind it"
    owner, _, rest = name.partition(".")
    of, _, run = owner.partition("@")
    trained, described = ({m.id for m in models} for models in (study.trained, study.untrained))
    known = {*trained, *described, *EVALUATED}
    for one in [of] if of in known else of.split("_vs_"):
        if one not in known:
            near = difflib.get_close_matches(one, sorted(known), n=3, cutoff=0.5)
            return f"the study has no model {one!r}", f"there are: {', '.join(near or sorted(trained))}"
        if one in described and not rest.startswith("architecture."):
            return f"the model {one} is described and not trained", "quote its architecture only"
    if run and run not in _runs(study):
        return f"the study has no analysis {'@' + run!r}", guard
    if of in {"published", "ledger"} and study.published is None:
        return "the study has no published figures", "write them into published.toml beside study.toml"
    for left_out in (c.id for c in study.left_out):
        if left_out in rest.split("."):
            return f"the class {left_out} is left out", guard.replace("grouped", "not study.left_out")
    return None


def _runs(study: Study) -> set[str]:
    """Return what can follow an ``@``: analyses, and with several seeds each of them."""
    seeds = [f"seed_{seed}" for seed in study.training.seeds]
    grouped = [name.removeprefix("@") for name in analyses(study) if name]
    return {*grouped, *seeds, *(f"{group}_{seed}" for group in grouped for seed in seeds)}
