"""What is said of labels: that a model disagrees, never that a label is wrong; and what the sources contradict."""

from __future__ import annotations

import re

from report import PROJECT
from report.document.markdown import escape

IMAGE = escape("first.png")
LABELS = ("sections/label_quality.qmd.j2", "sentences/label_quality.qmd.j2")


def section_of(text: str) -> str:
    return text[text.index("{#sec-labels}") : text.index("# Appendix: networks layer by layer")]


def test_labels_with_which_models_disagree_are_listed_in_html_alone(found, source):
    section = section_of(source(found("weak")))
    shown = section[section.index("::: {.content-visible") :]
    assert "![Images with whose label the networks disagree." in shown
    assert f"| 1 | {IMAGE} | Bacterial Pneumonia | 0.010 | COVID\\-19 | 0.990 |" in shown
    assert IMAGE not in section[: section.index("{#tbl-labels}")]
    assert "`tables/audit_labels_by_networks_candidates.csv`" in section


def test_what_a_source_contradicts_is_named(found, source):
    section = section_of(source(found("strong")))
    assert "images have a copy, equal or nearly so, with another label." in section
    assert "images have another finding in the collection that they came from." in section
    assert f"| {IMAGE} | Bacterial Pneumonia | COVID\\-19 ({escape('second.png')}) |" in section


def test_where_nothing_is_found_nothing_is_listed(found, source):
    section = section_of(source(found(None)))
    assert "so it disagrees with no label" in section
    assert not re.search("fig-labels|tbl-label-|candidates.csv", section)


def test_no_words_call_a_label_wrong():
    for name in LABELS:
        text = (
            (PROJECT / "templates" / name)
            .read_text(encoding="utf-8")
            .replace("does not say that a label is wrong", "")
        )
        assert not re.search(r"\berror|\bwrong|mislabel|incorrect", text), name
