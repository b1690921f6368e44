"""Which model is chosen, by which rule, and the classification reports of all."""

from __future__ import annotations

import itertools

import pytest

from report.writing.sections.across import Across
from report.writing.study_facts import StudyFacts
from report.writing.values import Values
from tests.writing.conftest import Written, macro

MEASURES = ("ppv", "sensitivity", "f1")


def across(
    val: dict[str, float | None], test: dict[str, float], classes: int = 2, gain: float = 0.1
) -> Written:
    ids = [f"c{k}" for k in range(classes)]
    study = {
        "comparison": None,
        "report": {"main": []},
        "untrained": [],
        "classes": [{"id": c, "label": c.upper(), "normal": False} for c in ids],
        "models": [{"id": m, "title": f"Network {m}"} for m in val],
    }
    results = {}
    for m, split in itertools.product(val, ("val", "test")):
        value = (val if split == "val" else test)[m]
        entry = {"value": value, "low": None, "high": None, "level": None}
        names = [f"{x}.{c}" for x in MEASURES for c in (*ids, "macro")]
        results |= {f"{m}.{split}.{name}": entry for name in (*names, "accuracy")}
        results |= {f"{m}.{split}.support.{c}": {"value": 7} for c in ids}
    floor = {"value": 0.6, "low": None, "high": None, "level": None}
    results["low_detail.test.f1.macro"] = floor
    results |= {
        f"{m}_vs_low_detail.test.f1.macro": {"value": gain, "low": gain - 0.05, "high": 0.2} for m in val
    }
    values = Values(results)
    return Written(StudyFacts(study, values, {}))


def test_validation_chooses_and_not_the_test_set():
    made = across({"a": 0.9, "b": 0.8, "c": None}, {"a": 0.7, "b": 0.75, "c": 0.99})
    assert Across(made.facts).chosen == "a"
    said = made("across.choice")
    assert said.startswith(
        "The model chosen is the network a: of 3 trained models it has the highest macro F1"
    )
    assert "The network c reaches most there (0.990), but" in said
    assert "8 × 8" not in said


def test_of_a_chosen_model_below_the_floor_that_is_said():
    said = across({"a": 0.9, "b": 0.8}, {"a": 0.7, "b": 0.5}, gain=0.04)("across.choice")
    assert "It is not distinguishable from the thumbnail trees (difference +0.040," in said
    assert said.endswith("No other model reaches more there.")


def test_the_first_of_equals_is_chosen_and_a_best_one_is_told():
    made = across({"a": 0.9, "b": 0.9}, {"a": 0.8, "b": 0.7})
    assert Across(made.facts).chosen == "a"
    assert "on validation (0.900). The network b has the same, and of equals the first is taken." in made(
        "across.choice"
    )
    assert made("across.choice").endswith("No other model reaches more there.")


@pytest.mark.parametrize(("classes", "rows"), [(2, 12), (4, 12 * 5)])
def test_reports_of_two_classes_have_a_row_for_each_model(classes, rows):
    models = {f"m{k}": 0.5 + k / 100 for k in range(12)}
    table = macro(across(models, models, classes).facts, "floats/reports.reports")
    assert table.count("\n| ") == rows + 1
    assert "tbl-reports" in table
