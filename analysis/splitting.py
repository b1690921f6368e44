"""Which pictures are for training, which for validation and which for the test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold, train_test_split

from analysis.errors import DataError
from analysis.progress import Progress

SPLITS = ("train", "val", "test")

Rows = NDArray[np.intp]


def split(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    classes: Sequence[str],
    protocol: str,
    test: float,
    val: float,
    seed: int,
    group: str,
) -> None:
    """Write ``split.csv``, a row for each row of ``records.csv``.

    Each split has the classes in the proportions of the whole. The share ``test`` is set aside first, then
    ``val`` of what is left. With ``group="patient"`` all pictures of a patient are in one split.

    Under the label rule ``every-tag`` a picture has a row for each of its labels. Rows are split independently, as in
    the published experiment, so the same picture can be in two splits (not with ``group="patient"``).

    Raises
    ------
    DataError
        If a class has too few pictures to be in every split.
    """
    if protocol != "stratified":
        raise DataError(f"split protocol {protocol!r} is not known", hint='use split.protocol = "stratified"')
    records = pd.read_csv(inputs["records"] / "records.csv", dtype=str)
    labels = records["label"].to_numpy()
    patients = records["patient_id"].to_numpy() if group == "patient" else None
    _check_counts(labels, classes, patients, max(_folds(test), _folds(val)))
    rest, tested = _set_aside(np.arange(len(labels)), test, seed, labels, patients)
    _, validated = _set_aside(rest, val, seed, labels, patients)
    table = pd.DataFrame({"image_id": records["image_id"], "split": "train", "fold": ""})
    table.loc[validated, "split"] = "val"
    table.loc[tested, "split"] = "test"
    _check_present(labels, table["split"].to_numpy(), classes)
    table.to_csv(out / "split.csv", index=False, lineterminator="\n")
    progress(len(records), len(records), "pictures")


def _set_aside(
    rows: Rows, share: float, seed: int, labels: NDArray[np.str_], patients: NDArray[np.str_] | None
) -> tuple[Rows, Rows]:
    """Return the rows that are left and those set aside."""
    if patients is None:
        left, aside = train_test_split(rows, test_size=share, random_state=seed, stratify=labels[rows])
    else:
        folds = StratifiedGroupKFold(_folds(share), shuffle=True, random_state=seed)
        kept, first = next(folds.split(rows, labels[rows], patients[rows]))
        left, aside = rows[kept], rows[first]
    return left, aside


def _folds(share: float) -> int:
    return max(2, round(1 / share))


def _check_counts(
    labels: NDArray[np.str_], classes: Sequence[str], patients: NDArray[np.str_] | None, folds: int
) -> None:
    """Raise for a class that the splitters themselves would refuse, or complain of in their own words."""
    for label in classes:
        of_class = labels == label
        if of_class.sum() < len(SPLITS):
            raise _too_few(label, f"{of_class.sum()} pictures")
        if patients is not None and (count := len(set(patients[of_class]))) < folds:
            raise _too_few(label, f"pictures of {count} patients")
    if len(labels) < folds * len(classes):
        raise DataError(
            f"{len(labels)} pictures are too few to split into training, validation and test",
            hint="add pictures",
        )


def _check_present(labels: NDArray[np.str_], splits: NDArray[np.str_], classes: Sequence[str]) -> None:
    for label in classes:
        of_class = labels == label
        if len(set(splits[of_class])) < len(SPLITS):
            raise _too_few(label, f"{of_class.sum()} pictures")


def _too_few(label: str, what: str) -> DataError:
    return DataError(
        f'class "{label}" has {what}, too few to be in training, validation and test',
        hint="add pictures of this class, or take it out of the study file",
    )
