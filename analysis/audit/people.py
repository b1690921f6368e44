"""What the tags of images tell of age, sex, view and source, whichever reader has written them.

A tag is ``Age:60``, ``Age:18M`` (months), ``Sex/F``, ``View/AP Supine`` or ``Source/Hannover``, as V7's dataset, DICOM files
and tables have them.
"""

from __future__ import annotations

import re

import pandas as pd

from analysis.datasets.people import age_years, tagged
from analysis.vocabulary.origins import ADULT

UNKNOWN = "not known"
OLDEST = 120
"""In years: what a table calls an age and is higher is none. NIH's tables have ages of 411, which are days or typing errors."""
AGE_GROUPS = ((0, 1), (1, 6), (6, 12), (12, ADULT), (ADULT, 40), (40, 60), (60, 80), (80, OLDEST + 1))
"""In years, each from the first number to below the second."""
SEXES = {"f": "female", "w": "female", "m": "male"}
"""What a sex is called, by how it begins in a table."""
VIEWS = (
    ("lateral", re.compile(r"l|ll|rl|lat|lateral")),
    ("AP", re.compile(r"ap\b.*")),
    ("PA", re.compile(r"pa\b.*")),
)
NO_COLLECTION = ("unknown", "table", "name", "dicom", "made up")
"""What the column ``source`` of the records says where it names no collection, but only how a patient was told."""


def read_people(records: pd.DataFrame) -> pd.DataFrame:
    """Return what is known of each image.

    Parameters
    ----------
    records : pandas.DataFrame
        ``records.csv``, all as text.

    Returns
    -------
    pandas.DataFrame
        With the index of ``records``: ``age`` in years (NaN where it is not known), ``implausible`` (an age is told that
        can be none), and as text, ``not known`` where nothing tells them, ``age_group``, ``sex``, ``view``, ``source``.
    """
    tags = records["tags"] if "tags" in records else pd.Series("", records.index)
    told = tags.map(age_years)
    age = told.where(told <= OLDEST)
    collection = records["source"] if "source" in records else pd.Series("", records.index)
    of_reader = collection.where(~collection.isin(NO_COLLECTION), "")
    source = tags.map(lambda text: tagged(text, "Source/"))
    return pd.DataFrame(
        {
            "age": age,
            "implausible": told.notna() & age.isna(),
            "age_group": age.map(name_age_group),
            "sex": tags.map(lambda text: SEXES.get(tagged(text, "Sex/")[:1].lower(), UNKNOWN)),
            "view": tags.map(lambda text: _name_view(tagged(text, "View/"))),
            "source": source.where(source != "", of_reader).replace("", UNKNOWN),
        }
    )


def name_age_group(age: float) -> str:
    """Return the group of an age in years: ``18 to 39``, ``80 and over``, or that it is not known."""
    for low, high in AGE_GROUPS:
        if low <= age < high:
            last = (low, high) == AGE_GROUPS[-1]
            return (
                f"{low} and over" if last else f"{low} to {high - 1}" if high - low > 1 else f"under {high}"
            )
    return UNKNOWN


def list_age_groups() -> list[str]:
    """Return all groups of age from the youngest on, and the one of those whose age is not known."""
    return [*(name_age_group(low) for low, _ in AGE_GROUPS), UNKNOWN]


def _name_view(view: str) -> str:
    """Return the direction of a view, however its table spells it: ``AP_Supine`` is AP."""
    plain = view.lower().replace("_", " ").strip()
    return next((name for name, pattern in VIEWS if pattern.fullmatch(plain)), UNKNOWN)
