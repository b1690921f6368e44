"""Which part of the training images a network is trained on, to tell what more of them would do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.arrays import Floats
from analysis.errors import DataError
from analysis.progress import Progress


def draw(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    share: float,
    seed: int,
    classes: Sequence[str],
) -> None:
    """Write ``split.csv`` with a share of the training images; those left out have no split, "".

    Images for validation and testing stay as they are. Whole patients are drawn, as `place_patients` says, so that of one
    seed a smaller share is part of a larger one.

    Parameters
    ----------
    inputs : mapping of str to Path
        The stages ``records`` and ``split``.
    share : float
        Of the training images, between 0 and 1.
    seed : int
        Of the order of patients.
    classes : sequence of str
        Each must have an image that is trained on.

    Raises
    ------
    DataError
        A class has no training image left.
    """
    records = pd.read_csv(inputs["records"] / "records.csv", dtype=str, keep_default_na=False)
    table = pd.read_csv(inputs["split"] / "split.csv", dtype=str, keep_default_na=False)
    train = records[table["split"] == "train"]
    left_out = train.index[place_patients(train, seed) > share]
    table.loc[left_out, "split"] = ""
    kept = set(train["label"].drop(left_out))
    if missing := [name for name in classes if name not in kept]:
        raise DataError(
            f"{100 * share:g} % of the training images have none of {', '.join(missing)}",
            hint="ask for a larger share in training.subsets of the study file",
        )
    table.to_csv(out / "split.csv", index=False, lineterminator="\n")
    progress(len(table), len(table), "images")


def place_patients(train: pd.DataFrame, seed: int) -> Floats:
    """Return for each image where its patient comes in a random order, shape (n,): a share has those up to it.

    The order is within strata, the patients with images of the same classes. A patient's place is a random point of those
    that his images take up, as a share of the stratum's: so strata of one patient are drawn as often as their share says.

    Parameters
    ----------
    train : DataFrame
        ``image_id``, ``label`` and ``patient_id`` of the training images; one without a patient is of its own.
    seed : int
    """
    own = "image " + train["image_id"]
    patient = train["patient_id"].where(train["patient_id"] != "", own)
    by_patient = train["label"].groupby(patient)
    patients = pd.DataFrame(
        {"images": by_patient.size(), "stratum": by_patient.agg(lambda labels: " ".join(sorted(set(labels))))}
    )
    rng = np.random.default_rng(seed)
    drawn = patients.iloc[rng.permutation(len(patients))]
    images = drawn["images"].groupby(drawn["stratum"])
    point = images.cumsum() - rng.random(len(drawn)) * drawn["images"]
    places: Floats = patient.map(point / images.transform("sum")).to_numpy(dtype=np.float64)
    return places
