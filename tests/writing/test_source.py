"""The document's source: numbers from results, computed sentences, escaped words from outside."""

from __future__ import annotations

import json
import re
import shutil
from html.parser import HTMLParser
from itertools import pairwise
from typing import get_args

import pandas as pd
import pytest

from analysis.evaluation.statistics.verdict import Verdict
from analysis.progress import silent
from report import PROJECT
from report.document import html
from report.document.markdown import escape
from report.errors import RenderError
from report.study.loading import load
from report.writing.author.doubts import JUDGING
from report.writing.sections.comparison import Comparison
from report.writing.study_facts import StudyFacts
from report.writing.values import Values
from tests.specimen import TWO_NETWORKS
from tests.writing.conftest import Written, macro

STUDY = load(TWO_NETWORKS / "study.toml").for_document()

HOSTILE = ("<script>alert(1)</script>", '"><img onerror=alert(1) src=x>.png', "<iframe src='x'></iframe>")


def say(inputs, study=STUDY) -> Written:
    found = json.loads((inputs["results"] / "results.json").read_text())
    return Written(StudyFacts(study, Values(found["results"]), inputs), found["verdicts"])


def test_a_study_of_which_no_figures_were_published_has_no_ledger(source, artifacts):
    inputs = artifacts()
    path = inputs["results"] / "results.json"
    found = json.loads(path.read_text())
    of_ledger = [name for name in found["results"] if name.startswith(("ledger.", "published."))]
    assert of_ledger
    for name in of_ledger:
        del found["results"][name]
    path.write_text(json.dumps(found))
    del inputs["ledger"]
    text = source(inputs, {**STUDY, "published": None})
    assert "{#sec-comparison}" in text
    assert "Published figures" not in text
    assert "sec-ledger" not in text


def test_the_source_has_every_part_and_passes_its_check(source):
    text = source()
    for model in ("baseline", "improved"):
        assert f"#fig-confusion-{model}" in text
    for part in (
        *(
            "#fig-histories",
            "#fig-overlay-roc",
            "#fig-matrices",
            "#fig-effects-improved",
        ),
        *(
            "#tbl-measures",
            "#tbl-measures-val",
            "#tbl-measures-test",
            "#tbl-explanation",
            "#sec-discussion",
            "#sec-conclusion",
        ),
    ):
        assert f"{{{part}}}" in text or f"{{{part} " in text, part
    assert "sample: false" in text
    assert "generated images" not in text


def test_every_fence_is_opened_behind_a_blank_line(source):
    """Otherwise pandoc prints it as text."""
    opened = [before for before, line in pairwise(source().splitlines()) if line.startswith("::: {")]
    assert opened
    assert [*filter(None, opened)] == []


def test_the_source_is_as_kept(source, as_kept):
    """With the versions masked."""
    text, masked = re.subn(r"(?m)^(\| Software \| Python ).* with numpy .*$", r"\1…", source(sample=True))
    assert masked == 1
    as_kept("report.qmd", text)


def test_a_log_of_experiments_stands_in_the_appendix_as_the_author_s(source, artifacts, tmp_path):
    (tmp_path / "experiments.md").write_text("Macro F1 was [0.8]{.given}.\n")
    inputs = artifacts()
    inputs["prose"] = tmp_path
    text = source(inputs)
    before, shown = text.split("# Appendix: log of experiments ")
    assert re.search(r"(?m)^::: \{\.author\}\nMacro F1 was \[0\.8\]\{\.given\}\.\n:::\n", shown)
    assert "{.author}" not in before
    assert "wrote the passages headed *Author*" in before


def test_words_from_outside_stay_words(source, artifacts, tmp_path):
    inputs, attack = artifacts(), " ".join(HOSTILE)
    for errors in inputs["evaluate_baseline"].glob("errors.csv"):
        rows = pd.read_csv(errors)
        rows["image_id"] = attack
        rows.to_csv(errors, index=False)
    classes = [{**c, "label": f"{attack} {c['id']}"} for c in STUDY["classes"]]
    models = [{**m, "title": f"{attack} {m['id']}"} for m in STUDY["models"]]
    head = {**STUDY["study"], "title": attack, "author": [attack], "course": attack, "tools": attack}
    source(inputs, {**STUDY, "classes": classes, "models": models, "study": head})
    where = {"source": tmp_path / "source-out", "templates": PROJECT / "templates"}
    html.render(where, tmp_path, scratch=tmp_path, progress=silent)
    page = Page()
    page.feed((tmp_path / "report.html").read_text())
    assert page.tags.count("script") == 1  # our own
    assert not {"img", "iframe"} & set(page.tags)
    text = " ".join(page.text.split())
    assert text.count(attack) > 60


class Page(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags, self.words = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.words.append(data)  # a string of megabytes would be copied each time

    @property
    def text(self):
        return "".join(self.words)


def test_a_sample_says_so_at_the_top_and_in_the_footer(source):
    text = source(sample=True)
    head, _, body = text.partition("\n---\n")
    assert 'footer: "Built on generated images' in head
    assert body.index("Built on generated images") < body.index("# Introduction")


@pytest.mark.parametrize(
    "label", ["<script>alert(1)</script>", "a|b", "*x* [y](z)", "{{< include x >}}", "<< r(1) >>"]
)
def test_a_label_from_outside_stays_text(source, label):
    classes = [{**STUDY["classes"][0], "label": label}, *STUDY["classes"][1:]]
    text = source(study={**STUDY, "classes": classes})
    assert escape(label) in text
    assert label not in text


def test_only_the_declared_rule_passes_a_verdict(source):
    body = source().partition("# References")[0]
    computed = re.sub(r"::: \{\.author\}.*?:::", "", body, flags=re.DOTALL)
    decided = re.compile(
        r"[Tt]he improved CNN (is|cannot)[^.]*(\.\s+Macro F1 is )?[^.]*?(0\.\d+[^.]*?)+\.|The two analyses[^.]*?(0\.\d+[^.]*?)*\.|\*[Bb]etter\* (?:or|and) \*worse\*"
        r"|One network is called better[^.]*\.|It is better in macro F1, [^.]*(?:0\.\d+[^.]*)*\."
    )
    assert len(decided.findall(computed)) >= 5
    judged = re.findall(
        r"\b(better|worse|outperform\w*|superior|improves?|significant\w*)\b", decided.sub("", computed)
    )
    assert judged == []


@pytest.mark.parametrize("splits", [("val", "test"), ("test",)])
def test_matrices_of_each_network_are_on_paper_where_the_figure_of_all_lacks_a_set(source, artifacts, splits):
    inputs = artifacts()
    (inputs["figure_matrices"] / "figure.csv").write_text("\n".join(["split", *splits]) + "\n")
    text = source(inputs)
    hidden = re.findall(r'(?ms)^::: \{\.content-visible when-format="html"\}$.*?^:::$', text)
    is_hidden = any("{#fig-confusion-baseline " in part for part in hidden)
    assert is_hidden == (len(splits) == 2)
    assert ("@fig-matrices the confusion matrices" in text) == (len(splits) == 2)


def test_classes_that_went_up_and_down_are_both_named(artifacts):
    sentences = say(artifacts())
    values = sentences.facts.values
    for item in STUDY["classes"]:
        for measure in ("sensitivity", "ppv"):
            change = values.value(f"improved_vs_baseline.test.{measure}.{item['id']}")
            words = macro(sentences.facts, "sentences/explanation.moved", "improved", measure)
            named = escape(item["label"]) in words or "For the other classes" in words
            assert named == (change not in (0, None))


def test_classes_that_all_are_undecided_but_some_are_the_others(artifacts, monkeypatch):
    monkeypatch.setattr(Comparison, "is_grouped", False)
    sentences = say(artifacts())
    results = dict(sentences.results)
    for item in STUDY["classes"]:
        low = 0.01 if item["id"] == "viral" else -0.01
        ends = {"value": 0.1, "low": low, "high": 0.2, "level": 0.95}
        results[f"improved_vs_baseline.test.ppv.{item['id']}"] = ends
    assert sentences.having(results)("explanation.moved", "improved", "ppv") == (
        "Precision is higher for Viral Pneumonia. For the other classes the interval of the difference in precision "
        "includes zero."
    )


@pytest.mark.parametrize("by_patient", [True, False])
def test_what_moved_is_said_of_both_splits(artifacts, by_patient):
    sentences = say(artifacts())
    results = dict(sentences.results)
    for analysis, gaining in (("", {"viral", "healthy"}), ("@patient", {"viral"} if by_patient else set())):
        for item in STUDY["classes"]:
            low = 0.01 if item["id"] in gaining else -0.01
            ends = {"value": 0.1, "low": low, "high": 0.2, "level": 0.95}
            results[f"improved_vs_baseline{analysis}.test.ppv.{item['id']}"] = ends
    assert sentences.having(results)("explanation.moved", "improved", "ppv") == (
        "Precision is higher for "
        + (
            "Viral Pneumonia in both splits, for No Pneumonia \\(healthy\\) by image."
            if by_patient
            else "No Pneumonia \\(healthy\\) and Viral Pneumonia by image."
        )
    )


def test_a_direction_is_told_only_where_the_interval_lies_on_one_side_of_zero(artifacts, monkeypatch):
    monkeypatch.setattr(Comparison, "is_grouped", False)
    sentences = say(artifacts())
    pair = "improved_vs_baseline.test.sensitivity"
    ends = {"bacterial": (0.1, 0.01, 0.2), "covid_19": (0.1, -0.01, 0.2), "healthy": (-0.1, -0.2, -0.01)}
    ends["viral"] = (0.0, 0.0, 0.0)
    results = dict(sentences.results)
    for c, (value, low, high) in ends.items():
        results[f"{pair}.{c}"] = {"value": value, "low": low, "high": high, "level": 0.95}
    words = sentences.having(results)("explanation.moved", "improved", "sensitivity")
    assert words == (
        "Sensitivity is higher for Bacterial Pneumonia and lower for No Pneumonia \\(healthy\\). For COVID\\-19 the "
        "interval of the difference in sensitivity includes zero."
    )
    open_ones = {f"{pair}.{c}": {"value": 0.1, "low": -0.1, "high": 0.3, "level": 0.95} for c in ends}
    words = sentences.having(results | open_ones)("explanation.moved", "improved", "sensitivity")
    assert re.search(r"interval of the difference in sensitivity (includes|exclude) zero\.$", words)
    assert "rose" not in words


@pytest.mark.parametrize(
    ("models", "said"),
    [
        ({}, "*Scaled* probabilities are temperature-scaled [@guo2017]"),
        (
            {"class_balance": "oversample"},
            "For networks trained on rebalanced classes they are first brought",
        ),
        (
            {"class_weights": "balanced"},
            "For networks trained with class weights they are first brought to the classes' shares",
        ),
        (
            {"class_weights": {"a": 1}, "class_balance": "oversample"},
            "trained on rebalanced classes or with class weights",
        ),
    ],
)
def test_corrections_of_probabilities_are_those_of_the_study(artifacts, models, said):
    plain = {"class_balance": "none", "class_weights": "none"}
    study = {**STUDY, "models": [{**m, **plain, **models} for m in STUDY["models"]]}
    words = say(artifacts(), study)("probabilities.corrected")
    assert said in words
    assert ("saerens2002" in words) == bool(models)


@pytest.mark.parametrize(
    ("prose", "message"),
    [
        ('Fine.\n\nAccuracy << r("baseline.test.acuracy") >>.\n', "introduction.md:3: no result is called"),
        ("<< nonsense >>", "introduction.md:1: 'nonsense' is undefined"),
        ("one\n<% if %>", "introduction.md:2"),
        ("one\n\n<< 1 / 0 >>", "introduction.md:3: division by zero"),
        ("one\n\n<< r() >>", "introduction.md:3"),
        ("::: {.callout-note}\nopen", "introduction.md:1: ::: is never closed"),
        ("one\n\n<b>bold</b>", "introduction.md:3: HTML is not part of the subset"),
        ('x\n\n![a](https://x.org/a.png){fig-alt="a"}', "introduction.md:3: the image https://x.org/a.png"),
    ],
)
def test_a_mistake_in_the_prose_is_named_with_file_and_line(source, artifacts, tmp_path, prose, message):
    folder = tmp_path / "prose"
    folder.mkdir()
    (folder / "introduction.md").write_text(prose)
    with pytest.raises(RenderError) as caught:
        source({**artifacts(), "prose": folder})
    assert message in str(caught.value)


def test_the_author_may_quote_any_result(source, artifacts, tmp_path):
    folder = tmp_path / "prose"
    folder.mkdir()
    (folder / "introduction.md").write_text('Accuracy was << r("improved.test.accuracy") >>.')
    inputs = {**artifacts(), "prose": folder}
    expected = say(inputs).facts.values("improved.test.accuracy")
    assert f"Accuracy was {expected}." in source(inputs)


def test_templates_cannot_reach_python(source, artifacts, tmp_path):
    folder = tmp_path / "prose"
    folder.mkdir()
    (folder / "introduction.md").write_text("<< r.__class__.__mro__ >>")
    with pytest.raises(RenderError, match="unsafe"):
        source({**artifacts(), "prose": folder})


def test_a_study_without_prose_or_comparison_is_whole(source, artifacts, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    inputs = {k: v for k, v in artifacts().items() if "compare" not in k and "differences" not in k}
    report = {**STUDY["report"], "requirements": []}
    text = source({**inputs, "prose": empty}, {**STUDY, "comparison": None, "report": report})
    assert "against baseline CNN" not in text
    assert ".author" not in text
    shutil.rmtree(empty)


def test_prose_that_is_not_utf_8_is_named(source, artifacts, tmp_path):
    folder = tmp_path / "prose"
    folder.mkdir()
    (folder / "introduction.md").write_bytes("Über".encode("latin-1"))
    with pytest.raises(RenderError, match=r"introduction\.md:1: not UTF-8"):
        source({**artifacts(), "prose": folder})


def test_an_empty_file_of_the_author_leaves_no_empty_part(source, artifacts, tmp_path):
    folder = tmp_path / "prose"
    folder.mkdir()
    (folder / "introduction.md").write_text("\n")
    assert ".author" not in source({**artifacts(), "prose": folder})


TEMPLATES = PROJECT / "templates"


@pytest.mark.parametrize(
    ("words", "place"),
    [
        (
            rf"(?!beat)(?:{JUDGING})",
            "sentences/verdicts.qmd.j2",
        ),
        (r"beats?", "sentences/references.qmd.j2"),
        (
            r"contributes?|harms?|negligible|undetermined|synergy|redundancy",
            "sentences/ablation.qmd.j2",
        ),
    ],
)
def test_no_other_template_has_words_of_a_verdict(words, place):
    found = {
        path.relative_to(TEMPLATES).as_posix()
        for path in TEMPLATES.rglob("*.j2")
        if re.search(rf"\b({words})\b", path.read_text(encoding="utf-8"), re.IGNORECASE)
    }
    assert found == {place}


def test_each_verdict_has_its_own_words_and_they_are_chosen_by_it():
    text = (TEMPLATES / "sentences" / "verdicts.qmd.j2").read_text(encoding="utf-8")
    for verdict in get_args(Verdict):
        assert f"<% macro {verdict}(verdict) %>" in text
        assert text.count(f'"{verdict}": {verdict}') == 1
    for word in ("better", "worse"):
        sentence = text.partition(f"<% macro {word}(verdict) %>")[2].partition("<% endmacro %>")[0]
        assert {"better", "worse"} & set(re.findall(r"\w+", sentence)) == {word}
