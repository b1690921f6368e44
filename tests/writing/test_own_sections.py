"""Sections of the author's choice: in his order, with his own, and without pointers to what he leaves out."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from report import PROJECT
from report.errors import RenderError
from report.study.folder import SECTIONS
from report.writing.left_out import drop_pointers
from report.writing.source import fill
from tests.writing.conftest import STUDY

SHORT = ("introduction.md", "data", "related-work.md", "models", "measures", "results", "comparison", "audit")
ENDING = ("details", "reproduce")


@pytest.fixture
def prose(tmp_path: Path) -> Path:
    folder = tmp_path / "prose"
    folder.mkdir()
    (folder / "introduction.md").write_text("# Introduction\n\nAs @sec-related-work says.\n")
    (folder / "related-work.md").write_text("# Related *work* & more\n\n## Before\n\nWords.\n")
    return folder


def of(*sections: str) -> dict[str, object]:
    return {**STUDY, "report": {**STUDY["report"], "sections": list(sections), "requirements": []}}


def headings(text: str) -> list[str]:
    return re.findall(r"(?m)^# .*\{#(sec-[\w-]+)", text)


def test_sections_stand_in_the_order_of_the_study_file(source, artifacts, prose):
    text = source({**artifacts(), "prose": prose}, of(*SHORT, *ENDING))
    named = [f"sec-{name.removesuffix('.md').replace('_', '-')}" for name in (*SHORT, *ENDING)]
    assert headings(text) == named
    assert "\n# Related *work* \\& more {#sec-related-work}\n\n::: {.author}\n## Before {#" in text
    assert "@sec-statistics" not in text


def test_what_still_refers_to_a_part_that_is_left_out_is_named_plainly(source, artifacts, prose):
    (prose / "introduction.md").write_text("Words.\n\nAs @sec-statistics says.\n")
    wanted = r"introduction\.md:3: @sec-statistics refers to the section statistics, which report\.sections leaves out"
    with pytest.raises(RenderError, match=wanted) as caught:
        source({**artifacts(), "prose": prose}, of(*SHORT, *ENDING))
    assert caught.value.hint == 'add "statistics" to it, or take the reference away'


def test_no_section_points_to_another_that_is_left_out(known, tmp_path):
    """But for those of which others speak: data and results."""
    found: set[str] = set()
    for dropped in [name for name in SECTIONS if name not in {"introduction.md", "data", "results"}]:
        sections = [name for name in SECTIONS if name != dropped]
        study = {**known["study"], "report": {**known["study"]["report"], "sections": sections}}
        text, left_out = fill(PROJECT / "templates", tmp_path, {**known, "study": study})
        assert [key for key in left_out if re.search(rf"@{key}(?![\w-])", text)] == [], dropped
        found |= {*left_out.values()}
    assert {"statistics", "layers", "details", "reproduce"} <= found


def test_a_section_needs_its_heading_and_some_words(source, artifacts, prose, tmp_path):
    (prose / "related-work.md").write_text("Words.\n")
    with pytest.raises(RenderError, match=r"related-work\.md: a section begins with its heading") as caught:
        source({**artifacts(), "prose": prose}, of(*SHORT, *ENDING))
    assert caught.value.hint == "# Related work"
    (prose / "related-work.md").write_text("# Related work\n<!-- to be written -->\n")
    (prose / "introduction.md").write_text("")
    shutil.rmtree(tmp_path / "source-out")
    found = headings(source({**artifacts(), "prose": prose}, of(*SHORT, *ENDING)))
    assert not {"sec-related-work", "sec-introduction"} & {*found}


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("One (@sec-a), two (@sec-b).", "One, two (@sec-b)."),
        ("One (@sec-a, @tbl-a).", "One."),
        ("One. @sec-a has 0.5 of it. Two.", "One. Two."),
        ("@tbl-b has it; @sec-a has the rest. Two.", "@tbl-b has it. Two."),
        ("@sec-a has it; where it is so, two.", "Where it is so, two."),
        ("@tbl-b has all, @sec-a each. Two.", "@tbl-b has all. Two."),
        ("One. Details: @sec-a. Two.", "One. Two."),
        ("One. Levels: @sec-a. {#tbl-b}", "One. {#tbl-b}"),
        ("As @sec-a says.", "As @sec-a says."),
        ("One (@sec-a-more).", "One (@sec-a-more)."),
        ("Mine (@sec-a).", "Mine (@sec-a)."),
    ],
)
def test_pointers_go_and_the_authors_words_stay(text, left):
    assert drop_pointers(text, ["sec-a", "tbl-a"], ["Mine (@sec-a).", ""]) == left


def test_the_list_of_sections_has_every_template_that_no_other_includes():
    folder = PROJECT / "templates"
    included = {
        name
        for path in (folder / "sections").iterdir()
        for name in re.findall(r'include "sections/(\w+)\.qmd\.j2"', path.read_text(encoding="utf-8"))
    }
    ours = {path.name.partition(".")[0] for path in (folder / "sections").iterdir()}
    assert {name for name in SECTIONS if not name.endswith(".md")} == ours - included - {"coverage"}
