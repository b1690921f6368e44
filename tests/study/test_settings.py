"""The tables of a study file."""

from __future__ import annotations

import pytest

from report.study.loading import load
from tests.study.conftest import ASSIGNMENT


@pytest.mark.parametrize("seeds", [[42], [1, 2, 3], [5, 4, 3, 2, 1]])
def test_one_seed_or_three_and_more_are_kept_in_their_order(seeds):
    assert load(ASSIGNMENT, (f"training.seeds={seeds}",)).training.seeds == tuple(seeds)


@pytest.mark.parametrize(
    ("overrides", "groups"),
    [
        ((), ("none", "patient")),
        (("split.also=none",), ("none",)),
        (("split.group=patient",), ("patient",)),
        (("split.group=patient", "split.also=none"), ("patient",)),
    ],
)
def test_the_analysis_by_patient_is_built_beside_one_that_is_not(overrides, groups):
    assert load(ASSIGNMENT, overrides).split.groups == groups


def test_the_second_analysis_is_built_unless_it_is_declined(edited):
    path = edited('also = "patient"', "")
    assert load(path).split.groups == ("none", "patient")


def test_folders_of_classes_are_read_as_tuples(edited):
    path = edited(
        'reader = "v7"\nroot = "data/v7"\nlabel_rule = "covid-first"',
        'reader = "class-folders"\nroot = "data"\nfolders = { viral = ["VIRUS", "viral pneumonia"] }',
    )
    assert load(path).dataset.folders == {"viral": ("VIRUS", "viral pneumonia")}
