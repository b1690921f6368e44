"""Facts of images that are there twice: how many, and what they join."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from analysis.audit.findings import Finding, Level
from analysis.evaluation.results_file import Basis, Results, entry, owned
from analysis.vocabulary.audit import DUPLICATES

GROUPS, PAIRS = "audit.duplicates/groups.csv", "audit.duplicates/pairs.csv"
GROUPED = "groups"
LEVELS: dict[str, Level] = {"conflicting_labels": "strong", "across_patients": "weak", GROUPED: "weak"}
"""Of what is found of duplicates. Copies of one class and patient within a split only count twice."""


def describe_groups(images: pd.DataFrame, groups: pd.DataFrame, pairs: pd.DataFrame) -> Results:
    """Return the facts under ``duplicates.``: groups and images by kind, conflicting labels, and several patients.

    Parameters
    ----------
    images : DataFrame
        All images: ``image_id``, ``pixels``, ``label``, ``patient_id``.
    groups, pairs : DataFrame
        As `analysis.audit.duplicates.find` writes them.
    """
    basis = _basis(images, GROUPS)
    exact = groups[groups.groupby("content")["content"].transform("size") > 1]
    near = pairs[pairs["kind"] == "near"]
    near_images = pd.concat([near["first"], near["second"]]).nunique()
    found = {
        "images": entry(len(images), "count; images looked through", basis),
        "groups": entry(groups["group"].nunique(), "count; groups of one X-ray, exact or near", basis),
        "grouped_images": entry(len(groups), "count; images in groups, exact or near", basis),
        "exact.groups": entry(exact["content"].nunique(), "count; groups of equal pixels", basis),
        "exact.images": entry(len(exact), "count; images in groups of equal pixels", basis),
        "near.pairs": entry(
            len(near), "count; pairs of one X-ray, not of equal pixels", _basis(images, PAIRS)
        ),
        "near.images": entry(near_images, "count; images in near pairs", _basis(images, PAIRS)),
        **_joined(groups, "label", "conflicting_labels", basis),
        **_joined(groups, "patient_id", "across_patients", basis),
    }
    return owned(found, DUPLICATES)


def find_findings(results: Results) -> Iterator[Finding]:
    """Yield a finding for images that are there twice, for those of different labels, and of different patients."""
    for subject, level in LEVELS.items():
        names = tuple(f"{DUPLICATES}.{subject}.{what}" for what in ("groups", "images"))
        if subject == GROUPED:
            names = (f"{DUPLICATES}.groups", f"{DUPLICATES}.grouped_images")
        if results[names[0]]["value"]:
            yield Finding(DUPLICATES, subject, level, names)


def _joined(groups: pd.DataFrame, column: str, name: str, basis: Basis) -> Results:
    """Return how many groups have several values of a column, and the images in them; "" is no value."""
    known = groups[groups[column] != ""]
    values = known.groupby("group")[column].nunique()
    several = groups[groups["group"].isin(values.index[values > 1])]
    return {
        f"{name}.groups": entry(
            several["group"].nunique(), f"count; groups with several values of {column}", basis
        ),
        f"{name}.images": entry(
            len(several), f"count; images in groups with several values of {column}", basis
        ),
    }


def _basis(images: pd.DataFrame, artifact: str) -> Basis:
    """Return the basis with the images, and the patients among them where all are known."""
    patients = images["patient_id"]
    return Basis(artifact, len(images), int(patients.nunique()) if (patients != "").all() else None)
