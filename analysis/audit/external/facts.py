"""The ``external.facts`` stage: what the external set is, apart from what a network says of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from analysis.audit.people import read_people
from analysis.evaluation.predictions import cluster_ids
from analysis.evaluation.results_file import COUNT, Basis, Entry, Results, entry, owned, write_json
from analysis.progress import Progress
from analysis.stage_files import find_file
from analysis.vocabulary.external import DUPLICATES, EXTERNAL, NEAR, NEAR_DUPLICATES, SHARED_PATIENTS
from analysis.vocabulary.origins import ADULT
from analysis.vocabulary.splits import SPLITS

RECORDS = f"{EXTERNAL}.read/records.csv"
EXCLUDED = f"{EXTERNAL}.read/excluded.csv"
TWINS = f"{EXTERNAL}.duplicates/duplicates.csv"
NO_AGE = "no age is known"


def describe(
    inputs: Mapping[str, Path], out: Path, *, scratch: Path, progress: Progress, classes: Sequence[str]
) -> None:
    """Write ``results.json``: counts, patients, ages, sex and view of the images that are not the study's too.

    Parameters
    ----------
    inputs : mapping of str to Path
        ``records`` (with ``excluded.csv``) and ``duplicates`` of the external set, ``study_records`` of the study.
    classes : sequence of str
        Those of the external set.
    """
    kept = _read(inputs["records"] / "records.csv")
    excluded = _read(inputs["records"] / "excluded.csv")
    twins = read_duplicates(inputs["duplicates"])
    records = drop_duplicates(kept, twins)
    basis = make_basis(records, RECORDS)
    results: Results = {
        "images_kept": entry(len(kept), "count; duplicates of the study's images among them", Basis(RECORDS)),
        "excluded": entry(len(excluded), COUNT, Basis(EXCLUDED)),
        DUPLICATES: entry(
            len(twins), "count; an X-ray that the study has too, to the pixel or nearly", Basis(TWINS)
        ),
        NEAR_DUPLICATES: entry(int((twins["how"] == NEAR).sum()), "count; not the same pixels", Basis(TWINS)),
        **{
            f"{DUPLICATES}.{split}": entry(int((twins["split"] == split).sum()), COUNT, Basis(TWINS))
            for split in SPLITS
        },
        "count": entry(len(records), COUNT, basis),
        **{
            f"count.{name}": entry(len(rows), COUNT, make_basis(rows, RECORDS))
            for name in classes
            for rows in [records[records["label"] == name]]
        },
        **_patients(records, _read(find_file(inputs["study_records"], "records.csv")), basis),
        **_people(records, basis),
    }
    write_json(out / "results.json", owned(results, EXTERNAL))
    progress(len(kept), len(kept), "images")


def read_duplicates(folder: Path) -> pd.DataFrame:
    """Return what `analysis.audit.external.duplicates.find` wrote, all as text."""
    return _read(folder / "duplicates.csv")


def drop_duplicates(table: pd.DataFrame, duplicates: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the images that the study does not have too."""
    return table[~table["image_id"].isin(duplicates["image_id"])].reset_index(drop=True)


def make_basis(rows: pd.DataFrame, artifact: str) -> Basis:
    """Return what a value computed on ``rows`` rests on; an image of no known patient is a patient of its own."""
    return Basis(artifact, len(rows), len(set(cluster_ids(rows))))


def _patients(records: pd.DataFrame, study: pd.DataFrame, basis: Basis) -> Results:
    patient = cluster_ids(records)
    of_patient = records.assign(patient=patient).groupby("patient")
    shared = pd.Series(patient).isin(set(cluster_ids(study)))
    return {
        "patients": entry(basis.clusters, "patients; an image of none known is its own", basis),
        "patients_of_several_images": entry(int((of_patient.size() > 1).sum()), COUNT, basis),
        "patients_of_several_labels": entry(int((of_patient["label"].nunique() > 1).sum()), COUNT, basis),
        SHARED_PATIENTS: entry(int(shared.sum()), "images whose patient has the same id in the study", basis),
    }


def _people(records: pd.DataFrame, basis: Basis) -> Results:
    people = read_people(records)
    age = people["age"].dropna()
    ends = {"lowest": age.min(), "median": age.median(), "highest": age.max()}
    return {
        "age_known": entry(len(age), COUNT, basis),
        "age_implausible": entry(int(people["implausible"].sum()), "count; taken as not known", basis),
        "minors": entry(int((age < ADULT).sum()), f"count; younger than {ADULT} years", basis),
        **{f"age_{end}": _years(value, end, basis) for end, value in ends.items()},
        **{sex: entry(int((people["sex"] == sex).sum()), COUNT, basis) for sex in ("female", "male")},
        **{
            f"view_{view.lower()}": entry(int((people["view"] == view).sum()), COUNT, basis)
            for view in ("PA", "AP")
        },
    }


def _years(value: float, end: str, basis: Basis) -> Entry:
    """Return an age in years, of whole years whole."""
    return entry(
        int(value) if float(value).is_integer() else value, f"{end}, years", basis, reason_null=NO_AGE
    )


def _read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False)
