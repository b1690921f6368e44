"""Facts of images that are there twice: how many, and what they join."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from analysis.evaluation.results_file import Basis, Entry, Results, entry

GROUPS, PAIRS = "audit.duplicates/groups.csv", "audit.duplicates/pairs.csv"
NOT_SPLIT = "the images are not split"
OTHERS = {"val": ("train",), "test": ("train", "val")}
"""Where an image of a split must not be again."""


def describe_groups(images: pd.DataFrame, groups: pd.DataFrame, pairs: pd.DataFrame, split: bool) -> Results:
    """Return the facts: groups and images by kind, conflicting labels, patients and splits, and images shared by splits.

    Parameters
    ----------
    images : DataFrame
        All images: ``image_id``, ``pixels``, ``label``, ``patient_id``, ``split``.
    groups, pairs : DataFrame
        As `analysis.audit.duplicates.find` writes them.
    split : bool
        Whether the images are split.
    """
    basis = _basis(images, GROUPS)
    exact = groups[groups.groupby("content")["content"].transform("size") > 1]
    near = pairs[pairs["kind"] == "near"]
    near_images = pd.concat([near["first"], near["second"]]).nunique()
    return {
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
        **(
            _joined(groups, "split", "across_splits", basis)
            if split
            else dict(_unknown("across_splits", basis))
        ),
        **dict(_shared(images, groups, split)),
    }


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


def _unknown(name: str, basis: Basis) -> Iterator[tuple[str, Entry]]:
    for what in ("groups", "images"):
        yield f"{name}.{what}", entry(None, "count", basis, reason_null=NOT_SPLIT)


def _shared(images: pd.DataFrame, groups: pd.DataFrame, split: bool) -> Iterator[tuple[str, Entry]]:
    """Return how many images of validation and test are in training, or test ones in validation, too."""
    for part, others in OTHERS.items():
        basis = _basis(images[images["split"] == part], GROUPS)
        places = [*((other,) for other in others), *([others] if len(others) > 1 else [])]
        for elsewhere in places:
            for kind, column in (("exact", "content"), ("any", "group")):
                name = f"{part}.{kind}_in_{'_or_'.join(elsewhere)}"
                value = _count_shared(groups, column, part, elsewhere) if split else None
                method = f"count; {'equal pixels' if kind == 'exact' else 'exact or near'} in {' or '.join(elsewhere)}"
                yield name, entry(value, method, basis, reason_null=NOT_SPLIT)


def _count_shared(groups: pd.DataFrame, column: str, part: str, elsewhere: tuple[str, ...]) -> int:
    there = groups.loc[groups["split"].isin(elsewhere), column]
    return int(groups.loc[groups["split"] == part, column].isin(there).sum())


def _basis(images: pd.DataFrame, artifact: str) -> Basis:
    """Return the basis with the images, and the patients among them where all are known."""
    patients = images["patient_id"]
    return Basis(artifact, len(images), int(patients.nunique()) if (patients != "").all() else None)
