"""Names of the results of an external test, and what kind of numbers they are."""

from __future__ import annotations

import pytest

from analysis.vocabulary.external import is_percentage, names, quantity
from analysis.vocabulary.results import Quantity


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("external.count.normal", Quantity.COUNT),
        ("external.age_median", Quantity.YEARS),
        ("external.duplicates.train", Quantity.COUNT),
        ("net@patient.external.confusion.normal.covid_19", Quantity.COUNT),
        ("net.external.confusion_share.normal.covid_19", Quantity.SHARE),
        ("net.external.called_share.covid_19", Quantity.SHARE),
        ("net.external.auroc.healthy", Quantity.NUMBER),
        ("net.external.n", Quantity.COUNT),
        ("net.test.confusion.a.b", Quantity.COUNT),
        ("b_vs_a.test.f1.macro", Quantity.DIFFERENCE),
        ("data.external_things", Quantity.COUNT),
    ],
)
def test_kinds(name, kind):
    assert quantity(name) is kind
    assert is_percentage(name) is (kind is Quantity.SHARE)


def test_names_follow_from_the_classes_of_both_sides():
    found = [*names(["normal"], ["a", "b"], ["net"])]
    assert {
        "external.count",
        "external.count.normal",
        "net.external.confusion.normal.b",
        "net.external.auroc.a",
    } <= {*found}
    assert len(found) == len({*found})
