"""Names of the results of the audit, and what kind of numbers they are."""

from __future__ import annotations

import pytest

from analysis.vocabulary import audit
from analysis.vocabulary.audit import is_percentage, names, quantity
from analysis.vocabulary.results import Quantity

CLASSES, MODELS, ANALYSES = ("a", "known"), ("net", "auroc"), ("", "@patient")
OF_CLASSES = (
    audit.probe_results,
    audit.confounding_results,
    audit.patient_results,
)
OTHERS = (audit.file_results, audit.duplicate_results, audit.leak_results)


def declared():
    yield from (pair for function in OF_CLASSES for pair in function(CLASSES))
    yield from (pair for function in OTHERS for pair in function())
    yield from audit.reach_results(MODELS)
    yield from audit.label_results(CLASSES)
    yield from audit.label_results(CLASSES, audit.BY_NETWORKS, ())


def test_measures_over_draws_are_numbers_and_those_of_pairs_differences():
    for name, kind in audit.draw_results(MODELS, ("net_vs_auroc",)):
        assert quantity(f"audit.{name}") is kind, name


def test_a_name_tells_its_kind_of_number_whatever_classes_and_models_are_called():
    for name, kind in declared():
        for owner in ("audit", "audit@patient"):
            assert quantity(f"{owner}.{name}") is kind, name
            assert is_percentage(f"{owner}.{name}") is (kind is Quantity.SHARE)


def test_the_names_of_a_study_are_those_declared_once_or_for_each_analysis():
    found = list(names(CLASSES, MODELS, ANALYSES))
    assert len(set(found)) == len(found)
    assert {name.partition(".")[2] for name in found} == {name for name, _ in declared()}
    of_patients = {name for name in found if name.startswith("audit@patient.")}
    assert {name.split(".")[1] for name in of_patients} == set(audit.OF_ANALYSES)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("net.test.accuracy", Quantity.NUMBER),
        ("data.audit_images", Quantity.COUNT),
        ("external.count.a", Quantity.COUNT),
        ("net.external.confusion_share.a.b", Quantity.SHARE),
    ],
)
def test_other_results_are_what_they_were(name, kind):
    assert quantity(name) is kind
