"""What lies in a study's folder, which of it is the author's prose, and where the folders of the studies are."""

from __future__ import annotations

import difflib
from pathlib import Path

from report import PROJECT

STUDIES = PROJECT / "studies"
PUBLISHED = "published.toml"
PROSE_FILES = {
    "introduction.md": "Introduction",
    "discussion.md": "Discussion",
    "experiments.md": "Log of experiments",
}
"""The author's passages, and the heading of the section that each of them stands in."""
HTML_ONLY = ("experiments.md",)
"""Those of them that the PDF does not have: their headings have no number, or those behind would differ."""
_SUFFIXES = {".md", ".markdown", ".txt", ".qmd", ".rmd", ".docx", ".odt", ".tex"}


def find_prose(folder: Path) -> list[Path]:
    """Return the author's files in a study's folder; whatever else lies there is not for the report."""
    return [folder / name for name in PROSE_FILES if (folder / name).is_file()]


def find_misnamed_prose(folder: Path) -> list[str]:
    """Return a warning for each file that is called almost as one of the author's that is not there."""
    found = {path.name for path in find_prose(folder)}
    return [
        f"{path.name} is not read: the author's text is {near[0]}, written so"
        for path in sorted(folder.iterdir())
        if path.name not in PROSE_FILES
        and path.suffix.lower() in _SUFFIXES
        and (near := difflib.get_close_matches(path.stem.lower() + ".md", PROSE_FILES, n=1, cutoff=0.85))
        and near[0] not in found
    ]
