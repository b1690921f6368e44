"""What is said of images from elsewhere."""

from __future__ import annotations

from dataclasses import replace

import pytest

from report.writing.sections.audit import Audit
from report.writing.sections.external import External
from report.writing.study_facts import StudyFacts
from report.writing.values import Values, unbroken
from tests.writing.conftest import facts_of, macro


def test_a_tie_is_shown_with_all_its_classes(found, tmp_path):
    facts: StudyFacts = facts_of(found(None))
    rows = ["kind,group,label,n,y_pred,count"]
    counts = {"bacterial": 2, "covid_19": 2, "healthy": 0, "viral": 0}
    rows += [f"sex,female,none,4,{name},{count}" for name, count in counts.items()]
    (tmp_path / "groups.csv").write_text("\n".join(rows) + "\n")
    inputs = {**facts.inputs, **{f"external_{m}": tmp_path for m in facts.trained}}
    study = {
        **facts.study,
        "external": {"classes": [{"id": "none", "label": "No finding", "matches": ["healthy"]}]},
    }
    external = External(replace(facts, inputs=inputs, study=study))
    (cells,) = external.groups(lambda kind, name: name)
    none = [row.replace(",2", ",0.3") for row in rows]
    (tmp_path / "groups.csv").write_text("\n".join(none) + "\n")
    assert external.groups(lambda kind, name: name)[0][-1] == "–", (
        "the mean of trainings, rounded, is no image"
    )
    tie = f"Bacterial Pneumonia, COVID\\-19{unbroken(' ')}(2)"
    assert cells == ["", "female", "No finding", "4", *[tie] * len(facts.trained)]


@pytest.mark.parametrize(
    ("called", "words"),
    [
        (
            "covid_19",
            "Among ours only COVID\\-19 images show adults. So age explains this only if older children look like adults.",
        ),
        ("healthy", "only COVID\\-19 images show adults, so age can explain this."),
    ],
)
def test_what_minors_are_called_is_held_against_age(found, tmp_path, monkeypatch, called, words):
    facts: StudyFacts = facts_of(found("strong"))
    own = [{"id": "covid_19", "many": 40, "known": 40, "values": ["adults"]}]
    monkeypatch.setattr(Audit, "own", lambda self, variable: own)
    rows = ["kind,group,label,n,y_pred,count"]
    for group, of_them in (("6 to 11", called), ("12 to 17", called), ("18 to 39", "viral")):
        rows += [f"age_group,{group},none,8,{name},{8 * (name == of_them)}" for name in facts.classes]
    (tmp_path / "groups.csv").write_text("\n".join(rows) + "\n")
    inputs = {**facts.inputs, **{f"external_{m}": tmp_path for m in facts.trained}}
    told = macro(replace(facts, inputs=inputs), "sentences/external.of_minors")
    assert told.startswith(f"Of 16 images of minors, the baseline CNN calls 100{unbroken(' ')}% ")
    assert f" Of images of adults it is 0{unbroken(' ')}%. " in told
    assert words in told
    rows += ["age_group,18 to 39,none,92,covid_19,92", "age_group,6 to 11,none,8,viral,8"]
    (tmp_path / "groups.csv").write_text("\n".join(rows) + "\n")
    told = macro(replace(facts, inputs=inputs), "sentences/external.of_minors")
    assert ("explain a part of this, but not the errors on minors, unless" in told) is (called == "covid_19")


@pytest.mark.parametrize(
    ("told", "words"),
    [("", "How they were chosen among all there is not recorded."), ("All of May", "All of May")],
)
def test_how_the_images_were_chosen_is_what_the_author_says(found, told, words):
    facts = facts_of(found(None))
    external = {"title": "another hospital", "selection": told, "classes": []}
    facts = replace(facts, study={**facts.study, "external": external, "sample": False})
    assert macro(facts, "sentences/external.selection") == words


@pytest.mark.parametrize(("high", "told"), [(0.3, True), (0.5, False), (1.0, False)])
def test_a_network_that_is_ahead_here_and_behind_there_is_told_of_by_whether_the_intervals_are_apart(
    found, high, told
):
    facts: StudyFacts = facts_of(found(None))
    results = dict(facts.values.results)
    for model, test, low, top in (("baseline", 0.7, 0.4, 0.6), ("improved", 0.8, 0.1, high)):
        results[f"{model}.test.accuracy"] = {"value": test}
        results[f"{model}.external.accuracy"] = {"value": (low + top) / 2, "low": low, "high": top}
    assert External(replace(facts, values=Values(results))).is_reversed() is told


@pytest.mark.parametrize(("ends", "told"), [((0.4, 0.6), True), ((0.51, 0.7), False), ((None, None), False)])
def test_no_better_than_chance_is_what_every_interval_allows(found, ends, told):
    facts: StudyFacts = facts_of(found(None))
    results = dict(facts.values.results)
    for model, (low, high) in (("baseline", (0.45, 0.65)), ("improved", ends)):
        value = None if low is None else (low + high) / 2
        results[f"{model}.external.auroc.healthy"] = {"value": value, "low": low, "high": high}
    external = External(replace(facts, values=Values(results)))
    assert external.is_chance(["baseline", "improved"], "healthy") is told
