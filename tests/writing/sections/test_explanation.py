"""What is said of the errors that became fewer."""

from __future__ import annotations

from dataclasses import replace

from report.writing.values import Values
from tests.writing.conftest import facts_of, macro


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
        "Next is No Pneumonia \\(healthy\\) predicted as Viral Pneumonia (17 to 4). "
        "The commonest, Viral Pneumonia predicted as Bacterial Pneumonia, went from 105 to 102."
    )
    same = {k: dict(v) for k, v in results.items()}
    for name in same:
        if name.startswith("improved.test.confusion."):
            same[name] |= {"value": results[name.replace("improved", "baseline", 1)]["value"]}
    assert macro(replace(facts, values=Values(same)), "sentences/explanation.errors", "improved") == ""
