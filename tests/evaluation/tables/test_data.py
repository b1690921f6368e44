"""What is told of the people behind the pictures."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis.evaluation.tables.data import DataTables, data_results


def medians(*tags: str) -> tuple[float | None, int]:
    """Return the median age of pictures with such tags, and of how many an age is known."""
    n = len(tags)
    records = pd.DataFrame(
        {"image_id": [f"{i}.png" for i in range(n)], "label": "a", "tags": tags, "split": "test"}
    )
    records = records.assign(patient_id="", sha256=records["image_id"])
    none = pd.DataFrame(columns=["step", "count", "kind", "reason"])
    found = data_results(DataTables(records, none, none), ["a"])
    return found["all.age_median.a"]["value"], found["all.age_known.a"]["value"]


@pytest.mark.parametrize(
    ("ages", "median"),
    [
        (("Age:60", "Age:61"), 60.5),
        (("Age:60", "Age:62"), 61),
        (("Age:60", "Age:61", "Age:75"), 61),
        (("Age:60.5",), 60.5),
        (("Age: 60", "Age:060Y", "age:60y"), 60),
        (("Age:18M",), 1.5),
        (("Age:000D",), 0),
    ],
)
def test_the_median_age_is_the_median(ages: tuple[str, ...], median: float) -> None:
    value, known = medians(*(f"X-ray|{age}|View/PA" for age in ages), "X-ray")
    assert (value, known) == (pytest.approx(median), len(ages))
    assert isinstance(value, int) == (median == int(median)), "60 is printed, not 60.0"


@pytest.mark.parametrize("tag", ["Age:60s", "Age:", "Age:unknown", "Age:60-70", "Page:60", "Age:6 0", ""])
def test_what_is_no_age_is_none(tag: str) -> None:
    assert medians(f"X-ray|{tag}") == (None, 0)
    assert medians(f"{tag}|X-ray", "Age:40") == (40, 1)
