"""What the data are: counts by class and split, exclusions, and what train and test share."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from analysis.datasets.people import age_years
from analysis.evaluation.predictions import cluster_ids
from analysis.evaluation.results_file import COUNT, Basis, Entry, Results, entry
from analysis.vocabulary.results import TAGGED
from analysis.vocabulary.splits import ALL_IMAGES, SPLITS

RECORDS = "read/records.csv"
SPLIT = "split/split.csv"
EXCLUDED = "read/excluded.csv"
FLOW = "read/flow.csv"
TAGS = dict(zip(TAGGED, ("Sex/F", "Sex/M", "View/PA", "View/AP|", "View/AP_Supine"), strict=True))
"""How the V7 dataset tags sex and view; a tag ends where the next begins."""
SHARE = "share of the images"
EMPTY = "no image in this split"


@dataclass(frozen=True)
class DataTables:
    """The tables of the ``read`` stage; ``records`` has the column ``split`` of the split stage too."""

    records: pd.DataFrame
    excluded: pd.DataFrame
    flow: pd.DataFrame


def data_results(tables: DataTables, classes: Sequence[str]) -> Results:
    """Return the facts of the data under names such as ``pictures`` and ``train.count.<class>``."""
    records = tables.records.assign(patient=cluster_ids(tables.records))
    patients = records["patient"].nunique()
    results: Results = {
        **_flow(tables),
        "images": _count(records["image_id"].nunique(), RECORDS, "images kept"),
        "patients": _count(patients, RECORDS, "patients; an image of none known is its own"),
        **_counts(records, ALL_IMAGES, RECORDS, classes),
        **_people(records, classes),
    }
    for split in SPLITS:
        results |= _counts(records[records["split"] == split], split, SPLIT, classes)
    return results | _shared(records, "val", ("train",)) | _shared(records, "test", ("train", "val"))


def slug(text: str) -> str:
    """Return ``text`` as part of a result's name."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def _count(value: int, artifact: str, method: str = COUNT) -> Entry:
    return entry(value, method, Basis(artifact))


def _flow(tables: DataTables) -> Results:
    """Return what was found and left out; reasons are named by their slug."""
    found = tables.flow[tables.flow["kind"] == "found"]
    reasons = tables.excluded["reason"].value_counts()
    return {
        **{
            slug(step): _count(count, FLOW) for step, count in zip(found["step"], found["count"], strict=True)
        },
        "excluded": _count(len(tables.excluded), EXCLUDED),
        **{f"excluded.{slug(str(reason))}": _count(count, EXCLUDED) for reason, count in reasons.items()},
    }


def _counts(rows: pd.DataFrame, split: str, artifact: str, classes: Sequence[str]) -> Results:
    basis = _basis(rows, artifact)
    results = {f"{split}.count": entry(basis.n, COUNT, basis)}
    for name in classes:
        labelled = rows[rows["label"] == name]
        share = len(labelled) / len(rows) if len(rows) else None
        results[f"{split}.count.{name}"] = entry(len(labelled), COUNT, _basis(labelled, artifact))
        results[f"{split}.share.{name}"] = entry(share, SHARE, basis, reason_null=EMPTY)
    return results


def _people(records: pd.DataFrame, classes: Sequence[str]) -> Results:
    """Return what the tags tell of age (years), sex and view of each class."""
    tags = (records["tags"] if "tags" in records else pd.Series("", records.index)) + "|"
    age = tags.map(age_years)
    found = {word: tags.str.contains(tag, regex=False) for word, tag in TAGS.items()}
    results: Results = {}
    for name in classes:
        of_class = records["label"] == name
        basis = _basis(records[of_class], RECORDS)
        known = age[of_class].dropna()
        results[f"all.age_known.{name}"] = entry(len(known), COUNT, basis)
        results[f"all.age_median.{name}"] = entry(
            _whole(known.median()) if len(known) else None,
            "median, years",
            basis,
            reason_null="no age is known",
        )
        for word, tagged in found.items():
            results[f"all.{word}.{name}"] = entry(int(tagged[of_class].sum()), COUNT, basis)
    return results


def _whole(value: float) -> float | int:
    """Return a median as it is: of whole years whole, or half a year between two."""
    return int(value) if value == int(value) else float(value)


def _shared(records: pd.DataFrame, split: str, others: Sequence[str]) -> Results:
    """Return how many images of ``split`` have their patient in train, or a duplicate in ``others``."""
    rows = records[records["split"] == split]
    basis = _basis(rows, SPLIT)
    patient = rows["patient"].isin(records.loc[records["split"] == "train", "patient"])
    # An image with a row for each of its labels is no copy of itself.
    pairs = rows[["image_id", "sha256"]].merge(
        records.loc[records["split"].isin(others), ["image_id", "sha256"]], on="sha256"
    )
    copied = pairs.loc[pairs["image_id_x"] != pairs["image_id_y"], "image_id_x"]
    twin = rows["image_id"].isin(copied)
    return {
        f"{split}.same_patient_in_train": entry(patient.sum(), COUNT, basis),
        f"{split}.same_patient_in_train_share": entry(patient.mean(), SHARE, basis, reason_null=EMPTY),
        f"{split}.exact_duplicate_elsewhere": entry(
            twin.sum(), f"count; same file as one of {' or '.join(others)}", basis
        ),
    }


def _basis(rows: pd.DataFrame, artifact: str) -> Basis:
    return Basis(artifact, len(rows), rows["patient"].nunique())
