"""The collected cases of what people write, as they lie beside the project."""

from __future__ import annotations

import pytest

from report import PROJECT
from report.document.markdown import escape
from report.errors import RenderError
from report.pipeline.data import Place
from report.pipeline.stages import make_stages
from report.study.loading import load
from report.writing.author.passages import close_passage
from report.writing.study_facts import uncapitalised

CASES = PROJECT.parent / "shared" / "cases"
CONTEXT = {"r": str, "value": len, "ci": str, "grouped": False, "study": {}, "sample": True}
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not CASES.is_dir(), reason="the cases do not lie beside the project"),
]


def introduction(case: str, name: str = "introduction.md") -> str:
    return close_passage(CASES / case / name, CONTEXT, PROJECT / "templates")


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("yaml-header-in-prose", r"introduction\.md:1: a header is no part of the text"),
        ("math-line", r"introduction\.md:1: the equation \\foo\{x\} is not understood"),
    ],
)
def test_is_refused_with_the_line_of_the_author(case, said):
    with pytest.raises(RenderError, match=said):
        introduction(case)


def test_a_byte_order_mark_is_no_letter():
    assert "\n## Heading {#introduction-heading}\n" in introduction("bom-prose")


def test_a_note_of_the_same_name_in_both_passages_is_two_notes():
    notes = [introduction("footnote-in-both", f"{name}.md") for name in ("introduction", "discussion")]
    assert "[^introduction-1]: Intro text." in notes[0]
    assert "[^discussion-1]: Discussion text." in notes[1]


def test_the_heading_of_the_section_stands_once():
    assert introduction("heading-introduction") == "::: {.author}\nText.\n:::"


def test_names_keep_their_capitals():
    models = load(CASES / "names-lowercased" / "study.toml").models
    assert [uncapitalised(m.title) for m in models] == ["Xception", "Inception v3"]


def test_a_label_is_printed_with_its_dollars():
    labels = [c.label for c in load(CASES / "label-with-dollar" / "study.toml").classes]
    assert escape(labels[1]) == r"Paid \$\$"


def test_a_label_with_a_slash_is_no_folder():
    folder = CASES / "label-with-slash"
    planned = make_stages(load(folder / "study.toml"), Place(folder, "sample"))
    (sample,) = (stage for stage in planned if stage.name == "sample")
    assert [c["folder"] for c in sample.params["classes"]] == ["Normal", "pneumonia"]
