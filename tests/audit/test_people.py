"""What tags tell of people, and what they cannot mean."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis.audit.people import list_age_groups, name_age_group, read_people


@pytest.mark.parametrize(
    ("tags", "age", "group"),
    [
        ("Age:60", 60, "60 to 79"),
        ("X-ray|Age:018M|Sex/F", 1.5, "1 to 5"),
        ("Age:0", 0, "under 1"),
        ("Age:17.9", 17.9, "12 to 17"),
        ("Age:120", 120, "80 and over"),
    ],
)
def test_ages_are_in_years_and_in_groups(tags, age, group):
    [row] = read_people(pd.DataFrame({"tags": [tags]})).itertuples()
    assert (row.age, row.age_group, row.implausible) == (age, group, False)


@pytest.mark.parametrize(
    ("tags", "implausible"), [("Age:411", True), ("Age:60s", False), ("Age:-3", False), ("", False)]
)
def test_an_age_that_can_be_none_is_not_known(tags, implausible):
    [row] = read_people(pd.DataFrame({"tags": [tags]})).itertuples()
    assert pd.isna(row.age)
    assert (row.age_group, row.implausible) == ("not known", implausible)


def test_every_age_is_of_one_group():
    assert {name_age_group(age / 2) for age in range(242)} == {*list_age_groups()} - {"not known"}


def test_sex_view_and_source_are_named_alike_however_they_are_spelt():
    tags = ["Sex/F|View/AP_Supine", "Sex/MALE|View/pa", "Sex/female|View/LL|Source/North", "sex/w|View/other"]
    people = read_people(pd.DataFrame({"tags": tags, "source": ["kermany", "table", "cohen", "unknown"]}))
    assert [*people["sex"]] == ["female", "male", "female", "female"]
    assert [*people["view"]] == ["AP", "PA", "lateral", "not known"]
    assert [*people["source"]] == ["kermany", "not known", "North", "not known"]
