"""The sections that a study file names: each is known, there, and named once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from report.errors import StudyError, UsageError
from report.study.folder import SECTIONS
from report.study.loading import load
from report.study.study import Study
from tests.study.conftest import STUDY

LINE = STUDY.count("\n") + 2


def write(folder: Path, *sections: str) -> Study:
    (folder / "related-work.md").write_text("# Related work\n\nWords.\n\n![A](figures/a.png)\n")
    path = folder / "study.toml"
    path.write_text(f"{STUDY}[report]\nsections = {json.dumps(sections)}\n")
    return load(path)


def test_without_the_key_the_order_is_ours_and_no_file_must_be_there(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(STUDY)
    assert load(path).report.sections == SECTIONS


def test_a_section_of_the_author_stands_where_he_wants_it(tmp_path):
    assert write(tmp_path, "data", "related-work.md", "reproduce").report.sections[1] == "related-work.md"


@pytest.mark.parametrize(
    ("sections", "said", "hint"),
    [
        (["dta", "reproduce"], "there is no section 'dta'", "did you mean data"),
        (["data", "data", "reproduce"], "data is named twice", "take one"),
        (["related-work.md"] * 2 + ["reproduce"], "related-work.md is named twice", "take one"),
        (["relatd-work.md", "reproduce"], "relatd-work.md: no such file", "did you mean related-work.md"),
        (["introduction.md", "reproduce"], "introduction.md: no such file", "write "),
        (["Related work.md", "reproduce"], "is no name of a section's file", "related-work.md"),
        (["../related-work.md", "reproduce"], "is no name of a section's file", "related-work.md"),
        (["label-quality.md", "reproduce"], "is called as a section of ours", "another name"),
        (
            ["discussion.md", "reproduce"],
            "discussion.md stands in the section discussion",
            'name "discussion"',
        ),
        (["data"], "reproduce is missing", 'add "reproduce"'),
    ],
)
def test_what_is_wrong_is_told_with_file_and_line(tmp_path, sections, said, hint):
    with pytest.raises(StudyError) as caught:
        write(tmp_path, *sections)
    assert f"study.toml:{LINE}: report.sections: " in caught.value.message
    assert said in caught.value.message
    assert hint in caught.value.hint


def test_an_override_is_blamed_for_what_it_says(tmp_path):
    write(tmp_path, "data", "reproduce")
    with pytest.raises(UsageError, match=r"--set report\.sections=.*mine\.md: no such file"):
        load(tmp_path / "study.toml", ('report.sections=["mine.md", "reproduce"]',))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("mine.md", f"study.toml:{LINE}: mine.md"),
        ("discussion.md", "discussion.md: discussion.md"),
        ("references.bib", "references.bib: references.bib"),
        ("figures", "related-work.md:5: figures"),
        ("figures/a.png", "related-work.md:5: figures/a.png"),
        ("templates/sections", "templates/sections: templates/sections"),
        ("templates/sections/data.qmd.j2", "templates/sections/data.qmd.j2: templates/sections/data.qmd.j2"),
    ],
)
def test_a_link_out_of_the_folder_is_refused_with_file_and_line(tmp_path, name, said):
    study, elsewhere = tmp_path / "study", tmp_path / "elsewhere"
    link, target = study / name, elsewhere / name
    for path in (link, target):
        path.parent.mkdir(parents=True, exist_ok=True)
    if Path(name).suffix:
        target.write_text("# Words")
    else:
        target.mkdir()
    sections = ("related-work.md", "mine.md", "discussion", "reproduce")
    for own in ("mine.md", "inside"):
        (study / own).write_text("# Words")
    link.unlink(missing_ok=True)
    link.symlink_to(study / "inside")  # within the folder a link may lead anywhere
    write(study, *sections)
    link.unlink()
    link.symlink_to(target)
    with pytest.raises(StudyError) as caught:
        write(study, *sections)
    assert f"{study}/{said} leads out of the study's folder" in caught.value.message
    assert caught.value.hint == f"put a copy in place of the link {link}"
