"""What is said of the errors that became fewer, and of how long networks were trained."""

from __future__ import annotations

from dataclasses import replace

import pytest

from report.writing.sections.explanation import Explanation
from report.writing.values import Values
from tests.writing.conftest import STUDY, facts_of, macro


def test_the_errors_that_fell_most_are_named_and_what_became_of_the_commonest(artifacts):
    facts = facts_of(artifacts())
    results = {k: dict(v) for k, v in facts.values.results.items()}
    changes = {
        ("viral", "bacterial"): (105.3, 102.0),
        ("bacterial", "viral"): (94, 72),
        ("healthy", "viral"): (17, 4),
    }
    for true in facts.classes:
        for said in facts.classes:
            before, after = changes.get((true, said), (1, 1))
            results[f"baseline.test.confusion.{true}.{said}"] |= {"value": before}
            results[f"improved.test.confusion.{true}.{said}"] |= {"value": after}
    told = macro(replace(facts, values=Values(results)), "sentences/explanation.errors", "improved")
    assert told == (
        "The error that fell most is Bacterial Pneumonia predicted as Viral Pneumonia (94 to 72 images). "
        "The commonest, Viral Pneumonia predicted as Bacterial Pneumonia, went from 105 to 102. "
        "Of images with disease, the baseline CNN calls 3 No Pneumonia \\(healthy\\) and the improved CNN 3."
    )
    results["improved.test.confusion.viral.bacterial"]["value"] = (
        105.0  # 105.3 before, which is printed alike
    )
    told = macro(replace(facts, values=Values(results)), "sentences/explanation.errors", "improved")
    assert "Viral Pneumonia predicted as Bacterial Pneumonia, is as frequent as before (105). Of" in told
    results["improved.test.confusion.healthy.viral"] |= {"value": 13}
    results["improved.test.confusion.covid_19.healthy"] |= {"value": 6}
    told = macro(replace(facts, values=Values(results)), "sentences/explanation.errors", "improved")
    assert "(94 to 72 images). The commonest" in told, "four images are too few to be told of"
    assert told.endswith("the baseline CNN calls 3 No Pneumonia \\(healthy\\) and the improved CNN 8.")
    same = {k: dict(v) for k, v in results.items()}
    for name in same:
        if name.startswith("improved.test.confusion."):
            same[name] |= {"value": results[name.replace("improved", "baseline", 1)]["value"]}
    told = macro(replace(facts, values=Values(same)), "sentences/explanation.errors", "improved")
    assert told.startswith("Of images with disease"), "nothing fell"


@pytest.mark.parametrize(
    ("best", "said"),
    [
        (0.838, "That is more than the improved CNN has (0.830"),
        (0.830, "That is as much as the improved CNN has (0.830"),
        (0.827, "That closes 50"),
    ],
)
def test_what_early_stopping_would_have_given_is_held_against_the_other_network(
    artifacts, monkeypatch, best, said
):
    kept, other = 0.824, 0.830
    found = {"is_kept": False, "at_end": False, "epoch": 3, "is_averaged": False}
    found |= {"best": best, "kept": kept, "other": other, "share": (best - kept) / (other - kept)}
    monkeypatch.setattr(Explanation, "early_stopping", lambda self, b: found)
    assert said in macro(facts_of(artifacts()), "sentences/explanation.length_of_training", "improved")


def test_a_network_that_goes_on_from_another_has_been_trained_before(artifacts):
    words, inputs = "sentences/explanation.length_of_training", artifacts()
    assert "after the training of" not in macro(facts_of(inputs), words, "improved")
    models = [{**m, "init_from": "baseline" if m["id"] == "improved" else None} for m in STUDY["models"]]
    told = macro(facts_of(inputs, {**STUDY, "models": models}), words, "improved")
    assert ", the improved CNN after the training of the baseline CNN. " in told
