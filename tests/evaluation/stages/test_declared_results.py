"""What stages really write, against what the vocabulary declares: the names of results and their kinds of numbers."""

from __future__ import annotations

from typing import Any

import pytest

from analysis.vocabulary.results import Quantity, quantity
from report.study.loading import load
from report.writing.result_names import result_names
from tests.evaluation.conftest import Built
from tests.specimen import TWO_NETWORKS

OF_STUDIES = {"assignment": (), "three_seeds": ("split.also=none", "training.seeds=[42,43,44]")}


@pytest.fixture(params=OF_STUDIES)
def study(request: pytest.FixtureRequest) -> tuple[Built, frozenset[str]]:
    """A study with all that its stages write, and the names that are declared of it."""
    declared = load(TWO_NETWORKS / "study.toml", OF_STUDIES[request.param])
    return request.getfixturevalue(request.param), result_names(declared)


def test_stages_write_what_is_declared(study: tuple[Built, frozenset[str]]) -> None:
    built, declared = study
    written = {name for name in built.results if ".excluded." not in name}
    assert written <= declared
    elsewhere = {name for name in declared if "external" in name.split(".")[:2]}  # no images of it are there
    apart = ("ledger.", "audit", "attention.")  # these are tested in tests/audit and tests/explanation
    assert {name for name in declared - written - elsewhere if not name.startswith(apart)} == set()


def test_every_number_is_of_the_kind_that_is_declared(study: tuple[Built, frozenset[str]]) -> None:
    built, _ = study
    for name, item in built.results.items():
        # Published figures are read as they were printed, and counts of several trainings are averaged.
        of_one = not (name.startswith("published.") or item["method"].startswith("mean of"))
        if item["value"] is not None and of_one:
            assert fits(quantity(name), item["value"]), name


def fits(kind: Quantity, value: Any) -> bool:
    """Tell whether a number can be of a kind."""
    match kind:
        case Quantity.COUNT:
            return isinstance(value, int)
        case Quantity.YEARS:
            return value * 2 == int(value * 2)
        case Quantity.SHARE:
            return isinstance(value, float) and 0 <= value <= 1
    return isinstance(value, float)
