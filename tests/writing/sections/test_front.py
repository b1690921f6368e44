"""The first page: verdict, abstract and headline table; where networks come from."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from report import PROJECT
from report.study.loading import load
from report.writing.study_facts import StudyFacts
from report.writing.values import Values
from tests.specimen import TWO_NETWORKS
from tests.tiny_build import having
from tests.writing.conftest import STUDY, facts_of, macro
from tests.writing.made_up_reports import Case, write_page

MOST_WORDS, MOST_NUMBERS = 150, 12
NUMBER = re.compile(r"(?<![\w.])[+−-]?\d[\d,]*(?:\.\d+)?")


def test_the_abstract_is_short_and_has_the_verdict_first(source):
    text = source()
    abstract = text[text.index("abstract: |") : text.index("bibliography:")].removeprefix("abstract: |\n")
    assert abstract.strip().startswith("**")
    assert len(abstract.split()) <= MOST_WORDS
    assert len(NUMBER.findall(abstract)) <= MOST_NUMBERS


def test_the_headline_table_has_all_classifiers_in_both_analyses(artifacts):
    text = macro(facts_of(artifacts()), "floats/headline.headline")
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")][2:]
    assert [row[0].removeprefix("| ") for row in rows] == [
        "Test, by image",
        *[""] * 3,
        "Test, by patient",
        *[""] * 3,
    ]
    all_classifiers = ["Baseline CNN", "Improved CNN", "Thumbnail trees", "Majority class"]
    assert [row[1] for row in rows] == all_classifiers * 2
    assert "*" not in text.replace("**", "").replace("*By patient*", "")


def test_the_headline_table_has_validation_where_there_is_one_analysis(artifacts):
    facts = facts_of(artifacts())
    results = {name: entry for name, entry in facts.values.results.items() if "@patient" not in name}
    one = replace(facts, values=Values(results))
    assert "| Validation | Baseline CNN |" in macro(one, "floats/headline.headline")
    assert "Validation" not in macro(replace(one, many=True), "floats/headline.headline")


def test_a_network_that_is_published_elsewhere_is_cited():
    facts = StudyFacts(STUDY, Values({}), {})
    assert macro(facts, "sentences/models.published") == (
        "The improved CNN and its training settings are not ours: they are taken from @assignment2023."
    )
    assert "*Rationale of the improved CNN (the author's).* Five poolings instead of two" in macro(
        facts, "sentences/models.rationales", ["baseline", "improved"]
    )
    whole = load(PROJECT / "studies" / "pediatric-imbalanced" / "study.toml").for_document()
    own = [{**model, "source": ""} for model in whole["models"]]
    assert (
        macro(
            StudyFacts({**whole, "models": own, "untrained": []}, Values({}), {}),
            "sentences/models.published",
        )
        == ""
    )


@pytest.mark.parametrize("name", sorted(p.parent.name for p in PROJECT.glob("studies/*/study.toml")))
def test_every_source_is_in_the_bibliography(name):
    known = (PROJECT / "templates" / "references.bib").read_text()
    for model in load(PROJECT / "studies" / name / "study.toml").models:
        for key in filter(None, model.source.split("; ")):
            assert f"{{{key.removeprefix('@')}," in known


@pytest.mark.parametrize(
    ("author", "signed"), [((), False), (("Name of the author",), False), (("Ada",), True)]
)
def test_a_study_is_signed_by_a_name_of_its_own(author, signed):
    about = load(TWO_NETWORKS / "study.toml").about
    assert about.model_copy(update={"author": author}).is_signed is signed


def test_a_network_that_predicts_one_class_is_told_with_its_score(tmp_path):
    page = write_page(Case("pediatric-official", ("far worse",), having(), one_class="cnn_2"), tmp_path)
    assert "for the CNN II (which always predicts Pneumonia)" in page.abstract
    assert page.abstract.count("always predicts") == 1


def test_images_are_resampled_where_nothing_tells_patients(tmp_path):
    page = write_page(
        Case("radiography", overrides=having("measures", "statistics"), without_patients=True), tmp_path
    )
    assert "the images that are tested, drawn anew in a bootstrap" in page.text_of("sec-measures")
    assert "take each image for a patient of its own" in page.text_of("sec-measures")
    assert "each image counts as a patient of its own" in page.text_of("sec-statistics")


def test_of_several_comparisons_the_first_page_has_a_tally_and_their_common_score_is_told_once(tmp_path):
    verdicts = ("underpowered", "cannot_be_decided", "better")
    page = write_page(Case("pediatric-imbalanced", verdicts, having("comparison")), tmp_path)
    assert page.abstract.startswith(
        "Of three networks that are compared with the CNN with smaller kernels, two are undecided and one is better. "
        "We compare 12 networks"
    )
    text = page.text_of("sec-comparison")
    assert text.count("The CNN with smaller kernels, with which all are compared, reaches macro F1 0.") == 1
    assert not re.search(r"Macro F1 is [\d.]+ against", text)
