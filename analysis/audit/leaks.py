"""The ``audit.leaks`` stage: images of a split that are in another split too, to the pixel or nearly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd

from analysis.audit.findings import Finding, write_findings
from analysis.audit.tables import read_table, write_table
from analysis.evaluation.predictions import cluster_ids
from analysis.evaluation.results_file import Basis, Entry, Results, entry, owned, write_json
from analysis.progress import Progress
from analysis.vocabulary.audit import (
    CONFLICT,
    COPY,
    LEAKS,
    LEFT_OUT,
    LEFT_OUT_TABLE,
    OF_KNOWN_PATIENTS,
    OTHERS,
)
from analysis.vocabulary.splits import SPLITS

ARTIFACT = "audit.leaks/leaks.csv"
KINDS = {"exact": "content", "any": "group"}
"""How names of results call images of equal pixels and those of one X-ray, and the column that joins them."""
ALONE = "alone: "
"""Before the id of an image that is its own group, so that this is no other's number."""


def find(inputs: Mapping[str, Path], out: Path, *, scratch: Path, progress: Progress) -> None:
    """Write which images are in several splits.

    ``leaks.csv`` has a row for each image of a group that is in several splits: ``group``, ``content`` (equal where the
    pixels are), ``image_id``, ``label``, ``patient_id`` and ``split``. ``leaking_pairs.csv``
    has the pairs of two splits, as ``pairs.csv`` of `analysis.audit.duplicates` and with ``split_first`` and
    ``split_second``. ``left_out.csv`` has the images that `analysis.audit.split_without_copies` has left out. ``results.json``
    counts all of them under ``leaks.``, and ``findings.json`` has a finding, always strong, for each split with images that
    are in one before it.

    Parameters
    ----------
    inputs : mapping of str to Path
        ``records``, ``duplicates`` with ``groups.csv`` and ``pairs.csv``, and ``split``.
    """
    split = read_table(inputs["split"] / "split.csv")[["image_id", "split"]].drop_duplicates()
    left_out = _read_left_out(inputs["split"] / LEFT_OUT_TABLE)
    groups = read_table(inputs["duplicates"] / "groups.csv")
    placed = place(split[split["split"].isin(SPLITS)], groups)
    leaks = placed[placed.groupby("group")["split"].transform("nunique") > 1]
    records = read_table(inputs["records"] / "records.csv")
    patients = dict(zip(records["image_id"], cluster_ids(records), strict=True))
    known = dict(_of_known_patients(placed, placed["image_id"].map(patients)))
    results = {**_count(placed, leaks), **known, **_count_left_out(left_out)}
    columns = ["group", "content", "image_id", "label", "patient_id", "split"]
    write_table(out / "leaks.csv", leaks[columns])
    pairs = _pairs(read_table(inputs["duplicates"] / "pairs.csv"), placed)
    write_table(out / "leaking_pairs.csv", pairs)
    write_table(out / LEFT_OUT_TABLE, left_out)
    write_json(out / "results.json", owned(results, LEAKS))
    write_findings(out, _find(results))
    progress(len(split), len(split), "images")


def place(split: pd.DataFrame, groups: pd.DataFrame) -> pd.DataFrame:
    """Return every row of a split with its group and content; an image that no other is like has its own of both.

    Under the label rule ``every-tag`` an image can be in two splits by itself.
    """
    placed = split.merge(groups, on="image_id", how="left").fillna("")
    alone = placed["group"] == ""
    for column in KINDS.values():
        placed.loc[alone, column] = ALONE + placed["image_id"][alone]
    return placed


def _read_left_out(path: Path) -> pd.DataFrame:
    """Return the images that a split has left out: none where it leaves nothing out, and so writes no such table."""
    return read_table(path) if path.exists() else pd.DataFrame(columns=list(LEFT_OUT))


def _count_left_out(table: pd.DataFrame) -> Results:
    basis = Basis(f"split/{LEFT_OUT_TABLE}", len(table))
    by_split = {f"left_out.{part}": table["split"] == part for part in SPLITS}
    by_reason = {f"left_out.{reason}": table["reason"] == reason for reason in (CONFLICT, COPY)}
    return {
        name: entry(int(rows.sum()), "count; rows without a split", basis)
        for name, rows in {**by_split, **by_reason}.items()
    }


def _pairs(pairs: pd.DataFrame, placed: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs that are in two splits, with both."""
    of_image = placed[["image_id", "split"]]
    for side in ("first", "second"):
        known = of_image.rename(columns={"image_id": side, "split": f"split_{side}"})
        pairs = pairs.merge(known, on=side)
    apart: pd.DataFrame = pairs[pairs["split_first"] != pairs["split_second"]]
    return apart


def _count(placed: pd.DataFrame, leaks: pd.DataFrame) -> Results:
    every = Basis(ARTIFACT, placed["image_id"].nunique())
    return {
        "groups": entry(leaks["group"].nunique(), "count; X-rays that are in several splits", every),
        "images": entry(leaks["image_id"].nunique(), "count; images of such X-rays", every),
        **dict(_shared(placed)),
    }


def _shared(placed: pd.DataFrame) -> Iterator[tuple[str, Entry]]:
    """Yield how many images of validation are in training too, and of the test in training, validation or either."""
    for part, places in OTHERS.items():
        rows = placed[placed["split"] == part]
        for elsewhere in places:
            there = placed[placed["split"].isin(elsewhere)]
            for kind, column in KINDS.items():
                value = rows.loc[rows[column].isin(set(there[column])), "image_id"].nunique()
                how = "equal pixels" if kind == "exact" else "exact or near"
                method = f"count; {how} in {' or '.join(elsewhere)}"
                name = f"{part}.{kind}_in_{'_or_'.join(elsewhere)}"
                yield name, entry(value, method, Basis(ARTIFACT, rows["image_id"].nunique()))


def _of_known_patients(placed: pd.DataFrame, patient: pd.Series[str]) -> Iterator[tuple[str, Entry]]:
    """Yield how many of a split's images that are again in one before it are of patients with training images."""
    of_known = patient.isin(set(patient[placed["split"] == "train"]))
    for part, places in OTHERS.items():
        rows = placed[placed["split"] == part]
        again = rows["group"].isin(set(placed.loc[placed["split"].isin(places[-1]), "group"]))
        value = rows.loc[again & of_known[rows.index], "image_id"].nunique()
        method = "count; exact or near in a split before, of a patient in train"
        yield f"{part}.{OF_KNOWN_PATIENTS}", entry(value, method, Basis(ARTIFACT, rows["image_id"].nunique()))


def _find(results: Results) -> Iterator[Finding]:
    for part, places in OTHERS.items():
        whole = "_or_".join(places[-1])
        names = tuple(f"{part}.{kind}_in_{whole}" for kind in ("any", "exact"))
        if results[names[0]]["value"]:
            yield Finding(LEAKS, part, "strong", tuple(f"{LEAKS}.{name}" for name in names))
