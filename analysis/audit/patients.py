"""The ``patients`` stage of the audit: who is in two splits, how many images a patient has, and of which classes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.audit.findings import Finding, write_findings
from analysis.audit.tables import read_table, write_table
from analysis.evaluation.predictions import cluster_ids
from analysis.evaluation.results_file import COUNT, Basis, Results, entry, write_json
from analysis.progress import Progress
from analysis.vocabulary.audit import SAME_PATIENT, WHOLE
from analysis.vocabulary.splits import ALL_IMAGES, EVALUATED, SPLITS

RECORDS = "read/records.csv"
SPLIT = "split/split.csv"
UNKNOWN = "unknown"
"""In the column ``source`` of records: nothing tells the patient."""
SHARE = "share of the images"
NONE = "no image of this class in this split"


def audit(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    classes: Sequence[str],
) -> None:
    """Write who is in several splits and how many images each patient has.

    ``patients.csv`` has for each split (and ``all``) and class (and ``all``) images, patients, and the mean, the median and
    the largest number of images of a patient; ``images_per_patient.csv`` how many patients have how many images;
    ``overlap.csv`` for each class how many validation and test images have their patient in training, and ``shared.csv``
    those patients with their images in each split. ``results.json`` has it under ``patients.``, ``findings.json`` the overlaps.

    Parameters
    ----------
    inputs : mapping of str to Path
        ``records``, and ``split`` if the images are split.
    classes : sequence of str
        Class ids in the study's order.
    """
    records = read_table(inputs["records"] / "records.csv")
    records["patient"] = cluster_ids(records)
    split = read_table(inputs["split"] / "split.csv")["split"] if "split" in inputs else None
    results = _known(records, classes)
    write_table(out / "patients.csv", _count_rows(records.assign(split=split), classes, split is not None))
    write_table(out / "images_per_patient.csv", _histogram(records))
    results |= _images_per_patient(records)
    findings: list[Finding] = []
    if split is not None:
        records["split"] = split
        overlap = _overlap(records, classes)
        results |= overlap
        write_table(out / "overlap.csv", _overlap_rows(overlap, classes))
        write_table(out / "shared.csv", _shared(records))
        findings = list(_find(overlap))
    write_json(out / "results.json", results)
    write_findings(out, findings)
    progress(len(records), len(records), "images")


def _known(records: pd.DataFrame, classes: Sequence[str]) -> Results:
    """Return of how many images the patient is known: where it is not, an overlap is a lower bound."""
    results: Results = {}
    known = records["source"] != UNKNOWN
    for name, rows in _by_class(records, classes):
        basis = Basis(RECORDS, len(rows), rows["patient"].nunique())
        results[f"patients.known.{name}"] = entry(int(known[rows.index].sum()), COUNT, basis)
    return results


def _by_class(rows: pd.DataFrame, classes: Sequence[str]) -> Iterator[tuple[str, pd.DataFrame]]:
    yield WHOLE, rows
    for name in classes:
        yield name, rows[rows["label"] == name]


def _count_rows(records: pd.DataFrame, classes: Sequence[str], parted: bool) -> pd.DataFrame:
    rows = []
    for split in (ALL_IMAGES, *(SPLITS if parted else ())):
        part = records if split == ALL_IMAGES else records[records["split"] == split]
        for name, of_class in _by_class(part, classes):
            images = of_class.groupby("patient").size()
            rows.append(
                {
                    "split": split,
                    "class": name,
                    "images": len(of_class),
                    "share": len(of_class) / len(part) if len(part) else np.nan,
                    "patients": len(images),
                    "mean": images.mean(),
                    "median": images.median(),
                    "most": images.max() if len(images) else 0,
                }
            )
    return pd.DataFrame(rows)


def _histogram(records: pd.DataFrame) -> pd.DataFrame:
    images = records.groupby("patient")["image_id"].nunique()
    counts = images.value_counts().sort_index()
    return pd.DataFrame({"images": counts.index, "patients": counts.to_numpy()})


def _images_per_patient(records: pd.DataFrame) -> Results:
    of_patient = records.groupby("patient")
    images, labels = of_patient["image_id"].nunique(), of_patient["label"].nunique()
    basis = Basis(RECORDS, records["image_id"].nunique(), len(images))
    empty = "no image"
    return {
        "patients.images.mean": entry(images.mean(), "mean over patients", basis, reason_null=empty),
        "patients.images.median": entry(images.median(), "median over patients", basis, reason_null=empty),
        "patients.images.most": entry(int(images.max()), "largest of all patients", basis),
        "patients.several_images": entry(int((images > 1).sum()), COUNT, basis),
        "patients.several_classes": entry(int((labels > 1).sum()), COUNT, basis),
    }


def _overlap(records: pd.DataFrame, classes: Sequence[str]) -> Results:
    """Return how many images of a split have their patient in another, and how many patients are in several."""
    results: Results = {}
    in_train = records["patient"].isin(set(records.loc[records["split"] == "train", "patient"]))
    for split in EVALUATED:
        for name, rows in _by_class(records[records["split"] == split], classes):
            shared = in_train[rows.index]
            basis = Basis(SPLIT, len(rows), rows["patient"].nunique())
            label = f"patients.{split}.{SAME_PATIENT}"
            patients = rows.loc[shared, "patient"].nunique()
            share = float(shared.mean()) if len(rows) else None
            results[f"{label}.{name}"] = entry(int(shared.sum()), COUNT, basis)
            results[f"{label}_share.{name}"] = entry(share, SHARE, basis, reason_null=NONE)
            results[f"{label}_patients.{name}"] = entry(patients, "patients", basis)
    splits = records[records["split"].isin(SPLITS)].groupby("patient")["split"].nunique()
    basis = Basis(SPLIT, len(records), records["patient"].nunique())
    results["patients.in_several_splits"] = entry(int((splits > 1).sum()), "patients", basis)
    return results


def _overlap_rows(results: Results, classes: Sequence[str]) -> pd.DataFrame:
    rows = []
    for split in EVALUATED:
        for name in (WHOLE, *classes):
            label = f"patients.{split}.{SAME_PATIENT}"
            images = results[f"{label}.{name}"]
            rows.append(
                {
                    "split": split,
                    "class": name,
                    "images": images["n"],
                    "same_patient_in_train": images["value"],
                    "share": results[f"{label}_share.{name}"]["value"],
                    "patients": results[f"{label}_patients.{name}"]["value"],
                }
            )
    return pd.DataFrame(rows)


def _shared(records: pd.DataFrame) -> pd.DataFrame:
    """Return the patients who are in several splits, with how many images in each; most images first."""
    counts = records.pivot_table(index="patient", columns="split", values="image_id", aggfunc="count")
    counts = counts.reindex(columns=list(SPLITS)).fillna(0).astype(int)
    several = counts[(counts > 0).sum(axis=1) > 1]
    order = several.sum(axis=1).sort_values(ascending=False, kind="stable").index
    table: pd.DataFrame = several.loc[order].rename_axis("patient_id").reset_index()
    return table


def _find(overlap: Results) -> Iterator[Finding]:
    """Yield a finding for each split that has images of patients who are in training: strong, however few."""
    for split in EVALUATED:
        label = f"patients.{split}.{SAME_PATIENT}"
        if overlap[f"{label}.{WHOLE}"]["value"]:
            names = (f"{label}_share.{WHOLE}", f"{label}.{WHOLE}", f"{label}_patients.{WHOLE}")
            yield Finding("patients", split, "strong", names)
