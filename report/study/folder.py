"""What lies in a study's folder, which of it is the author's prose, and where the folders of the studies are."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path

from report import PROJECT

STUDIES = PROJECT / "studies"
PUBLISHED = "published.toml"
EXPLANATION = "explanation.md"
"""How the author explains the differences: it stands in the discussion, before the rest of it."""
PROSE_FILES = {
    "introduction.md": "Introduction",
    EXPLANATION: "Explanation",
    "discussion.md": "Discussion",
    "experiments.md": "Log of experiments",
}
"""The author's passages, and how each of them is headed, by its section or alone."""
HTML_ONLY = ("experiments.md",)
"""Those of them that the PDF does not have: their headings have no number, or those behind would differ."""
SECTIONS = (
    *(
        "introduction.md",
        "data",
        "models",
        "pretraining",
        "measures",
        "results",
        "across",
        "comparison",
        "ledger",
        "audit",
    ),
    *("external", "discussion", "limits", "conclusion", "statistics", "data_details", "audit_details"),
    *(
        "label_quality",
        "external_details",
        "layers",
        "details",
        "ablation",
        "draws",
        "folds",
        "subsets",
        "probabilities",
        "attention",
    ),
    *("previous", "each", "reproduce", "experiments"),
)
"""The sections of a report in their order: the names of our templates, and of files of the author.

Which of them a study has something for, each template says itself.
"""
_SUFFIXES = {".md", ".markdown", ".txt", ".qmd", ".rmd", ".docx", ".odt", ".tex"}


def list_prose(sections: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the author's files that a report of these sections reads."""
    own = [name for name in sections if name.endswith(".md")]
    return (*own, *(name for name in PROSE_FILES if find_section(name) in sections))


def find_section(name: str) -> str:
    """Return the section that a passage of ours stands in."""
    return "discussion" if name == EXPLANATION else name.removesuffix(".md")


def find_prose(folder: Path, sections: Sequence[str]) -> list[Path]:
    """Return the author's files in a study's folder; whatever else lies there is not for the report."""
    return [folder / name for name in list_prose(sections) if (folder / name).is_file()]


def find_strays(folder: Path, sections: Sequence[str]) -> list[Path]:
    """Return what the report would read as a file of a study's ``folder`` and a link leads to elsewhere."""
    globs = ("references.bib", "figures", "figures/*", "templates", "templates/*", "templates/*/*")
    own = [*find_prose(folder, sections), *(path for glob in globs for path in sorted(folder.glob(glob)))]
    return [path for path in own if not path.resolve().is_relative_to(folder.resolve())]


def find_unread_prose(folder: Path, sections: Sequence[str]) -> list[str]:
    """Return a warning for each passage that no section shows, or that is called almost as one that is not there."""
    read = list_prose(sections)
    found = {path.name for path in find_prose(folder, sections)}
    dropped = [
        f"{name} is not read: report.sections in study.toml does not name its section"
        for name in PROSE_FILES
        if name not in read and (folder / name).is_file()
    ]
    return dropped + [
        f"{path.name} is not read: the author's text is {near[0]}, written so"
        for path in sorted(folder.iterdir())
        if path.name not in {*PROSE_FILES, *read}
        and path.suffix.lower() in _SUFFIXES
        and (near := difflib.get_close_matches(path.stem.lower() + ".md", PROSE_FILES, n=1, cutoff=0.85))
        and near[0] not in found
    ]
