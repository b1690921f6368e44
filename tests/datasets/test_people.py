from __future__ import annotations

import numpy as np
import pytest

from analysis.datasets.people import age_years, tagged


@pytest.mark.parametrize(
    ("tags", "years"),
    [
        ("View/PA|Age:60|Sex/F", 60),
        ("Age: 60.5", 60.5),
        ("Age:060Y|CT", 60),
        ("Age:018M", 1.5),
        ("Age:60s", np.nan),
        ("StorAge:60", np.nan),
        ("", np.nan),
    ],
)
def test_the_age_in_years(tags, years):
    assert age_years(tags) == pytest.approx(years, nan_ok=True)


@pytest.mark.parametrize(
    ("tags", "kind", "value"),
    [
        ("View/PA|Sex/F", "Sex/", "F"),
        ("location:Hannover, Germany|location:Italy", "location:", "Hannover, Germany"),
        ("Sex/nan|Sex/M", "Sex/", "M"),
        ("Sex/|Sex/unknown", "Sex/", ""),
        ("Sexton/F", "Sex/", ""),
    ],
)
def test_what_a_tag_says(tags, kind, value):
    assert tagged(tags, kind) == value
