"""The ledger in words and tables: what is compared, why the rest is not, and what mistakes cost."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from report.study.loading import load
from report.writing.study_facts import StudyFacts
from report.writing.values import Values
from tests.specimen import TWO_NETWORKS
from tests.writing.conftest import Written, macro

STUDY = load(TWO_NETWORKS / "study.toml").for_document()


@pytest.fixture
def ledger(artifacts):
    """Return a function that makes the ledger of the assignment, its rows and results changed."""

    def make(study=STUDY, results=None, **changes: str) -> Written:
        inputs = artifacts()
        path = Path(inputs["ledger"]) / "ledger.csv"
        text = path.read_text()
        for old, new in changes.items():
            text = text.replace(old.replace("_", " "), new)
        path.write_text(text)
        found = json.loads((inputs["results"] / "results.json").read_text())["results"] | (results or {})
        values = Values(found)
        return Written(StudyFacts(study, values, inputs))

    return make


def test_generated_pictures_are_compared_with_nothing(ledger):
    said = ledger()("ledger.summary")
    assert said == "No published figure is compared with ours. Not compared: the images are generated."


@pytest.mark.parametrize(
    ("agrees", "differs", "words"),
    [
        (3, 2, "Of 5 comparable published test accuracies 3 agree with ours."),
        (1, 0, "The one comparable published test accuracy agrees with ours."),
        (0, 1, "The one comparable published test accuracy differs from ours."),
        (0, 0, ""),
    ],
)
def test_accuracies_that_agree_are_counted_and_no_parameters(ledger, agrees, differs, words):
    tally = {"count": 9, "agrees": agrees, "differs": differs}
    results = {f"ledger.accuracy.{name}": _entry(n, None, None) for name, n in tally.items()}
    parameters = {
        "ledger.parameters.agrees": _entry(9, None, None),
        "ledger.parameters.differs": _entry(0, None, None),
    }
    assert ledger(results=results | parameters)("ledger.agreement") == words


def test_a_rule_that_takes_results_of_the_same_pictures_to_be_independent_is_called_lenient(ledger):
    tally = dict.fromkeys(("count", "agrees", "differs", "not_decided", "not_measured", "not_comparable"), 0)
    results = {
        f"ledger.{kind}.{name}": _entry(n, None, None)
        for kind in ("accuracy", "test", "parameters")
        for name, n in {**tally, "count": 3, "agrees": 3}.items()
    }
    lenient = "then they are not independent, as the rule takes them to be, and it is lenient."
    assert "lenient" not in ledger(results=results)("ledger.summary"), "1,383 images are not 40"
    official = {**STUDY, "split": {**STUDY["split"], "protocol": "official"}}
    assert f"the dataset's own test set: {lenient}" in ledger(official, results)("ledger.summary")
    classes = [c["id"] for c in STUDY["classes"]]
    names = ["data.test.count", *(f"data.test.count.{c}" for c in classes)]
    equal = {f"{p}{name}": _entry(10, None, None) for name in names for p in ("", "published.")}
    assert f"may well be the same images: {lenient}" in ledger(results=results | equal)("ledger.summary")


def test_main_figures_are_shown_once_with_most_digits(ledger):
    table = macro(ledger().facts, "floats/ledger.main_figures")
    assert table.count("Baseline CNN") == 3
    assert "| Baseline CNN | Accuracy | 0.6999 |" in table
    assert "| Improved CNN | Macro F1 | 0.704374 |" in table
    assert "tbl-ledger" in table


def test_published_counts_stand_beside_ours(ledger):
    table = macro(ledger().facts, "floats/ledger.counts")
    assert "| Test | All classes | 1,383 | 40 | −1,343 |" in table


def test_the_published_choice_is_told_with_its_reason(ledger):
    choice = {"model": "improved", "reason": "on the test set, for its F1"}
    published = {**STUDY["published"], "choice": choice}
    told = "The published study chose its model on the test set, for its F1: Improved CNN"
    assert ledger({**STUDY, "published": published})("ledger.choice") == f"{told}."
    untrained = {
        **STUDY,
        "published": published,
        "models": STUDY["models"][:1],
        "untrained": STUDY["models"][1:],
    }
    assert ledger(untrained)("ledger.choice") == f"{told}; it is not trained here."
    assert ledger()("ledger.choice") == ""


def test_everything_tells_where_each_figure_was_read(ledger):
    table = macro(ledger().facts, "floats/ledger.everything")
    assert "| Baseline CNN | Test: macro AUC | 0.86 |" in table
    assert "derived from published numbers" in table
    assert "| Curves: validation loss, best epoch | 0.6446 |" in table
    assert "| Network: parameters | 1,615,940 |" in table


def _entry(value: float, low: float | None, high: float | None) -> dict[str, object]:
    return {"value": value, "low": low, "high": high, "level": 0.95}


@pytest.mark.parametrize(
    ("accuracy", "words"),
    [
        (_entry(0.12, 0.05, 0.2), "Between these two trainings the mistake cost accuracy"),
        (_entry(-0.12, -0.2, -0.05), "Of these two trainings the one with the mistake is ahead in accuracy"),
        (_entry(0.02, -0.05, 0.2), "A cost in accuracy is not shown, as its interval includes zero."),
        (_entry(0.0, None, None), "Nothing changed in accuracy"),
    ],
)
def test_what_a_mistake_cost_follows_from_the_difference(ledger, accuracy, words):
    mistake = {"text": "Pixels were mixed.", "faithful": "baseline", "corrected": "improved"}
    pair = "improved_vs_baseline.test"
    made = ledger({**STUDY, "mistakes": [mistake]}, {f"{pair}.accuracy": accuracy})
    said = made("ledger.mistake", mistake)
    assert said.startswith(r"Pixels were mixed\. ")
    assert words in said
    assert not re.search(r"\d", said.replace("F1", "")), "numbers are in the table"


def test_of_a_mistake_that_changed_nothing_no_difference_is_printed(ledger):
    mistake = {"text": "Pixels were mixed.", "faithful": "baseline", "corrected": "improved"}
    same = {f"improved_vs_baseline.test.{name}": _entry(0.0, 0.0, 0.0) for name in ("accuracy", "f1.macro")}
    said = ledger({**STUDY, "mistakes": [mistake]}, same)("ledger.mistake", mistake)
    assert said.endswith(". Nothing changed in accuracy and macro F1.")


def test_what_a_mistake_cost_stands_in_a_table_where_both_networks_are_trained(ledger):
    mistake = {"text": "Pixels were mixed.", "faithful": "baseline", "corrected": "improved"}
    untrained = {"text": "Scales differ.", "faithful": "baseline", "corrected": "other"}
    pair = "improved_vs_baseline.test"
    results = {
        "baseline.test.accuracy": _entry(0.5, 0.4, 0.6),
        "improved.test.accuracy": _entry(0.62, 0.5, 0.7),
        f"{pair}.accuracy": _entry(0.12, 0.05, 0.2),
    }
    made = ledger({**STUDY, "mistakes": [mistake, untrained]}, results)
    table = macro(made.facts, "floats/ledger.mistakes")
    row = "| Baseline CNN | Accuracy | 0.500 | 0.620 | +0.120 (+0.050 to +0.200) |"
    assert row in table.replace("\u00a0", " ")
    assert table.count("| Macro F1 |") == 1
    assert "{#tbl-mistakes}" in table


def test_several_reasons_why_figures_are_not_compared_are_a_list(ledger):
    made = ledger(the_images_are_generated="the split is another; the images are generated")
    assert "Not compared" not in made("ledger.summary")
    listed = made("ledger.obstacles").split("\n")
    assert [line for line in listed if line.startswith("- ")] == [
        "- The split is another",
        "- The images are generated",
    ]


def test_the_cost_of_a_mistake_of_an_untrained_model_is_not_measured(ledger):
    trained, others = STUDY["models"][:1], STUDY["models"][1:]
    mistake = {"text": "Scales differ.", "faithful": "baseline", "corrected": "improved"}
    said = ledger({**STUDY, "models": trained, "untrained": others, "mistakes": [mistake]})(
        "ledger.mistake", mistake
    )
    assert said == r"Scales differ\. What it cost is not measured, as these networks are not trained here."


def test_two_networks_of_one_answer_tell_nothing_of_a_mistake(ledger):
    mistake = {"text": "Pixels were mixed.", "faithful": "baseline", "corrected": "improved"}
    pair, results = "improved_vs_baseline.test", {}
    for model, called in (("baseline", 0), ("improved", 1)):
        for k, c in enumerate(STUDY["classes"]):
            results[f"{model}.test.sensitivity.{c['id']}"] = _entry(float(k == called), None, None)
    results[f"{pair}.accuracy"] = _entry(-0.25, -0.3, -0.2)
    said = ledger({**STUDY, "mistakes": [mistake]}, results)("ledger.mistake", mistake)
    assert said.endswith(
        "Both predict one class for every image, so the difference tells nothing of the mistake."
    )


def test_networks_that_lack_their_weights_are_named_with_the_command(ledger):
    trained, others = STUDY["models"][:1], STUDY["models"][1:]
    made = ledger({**STUDY, "models": trained, "untrained": others})
    said = made("ledger.untrained")
    assert (
        "No test figure of the improved CNN is measured here: it begins with weights learnt on ImageNet"
        in said
    )
    assert "--weights keras` has Keras fetch them, and trains it" in said
    assert ledger(STUDY)("ledger.untrained") == ""
