"""Which images are for training, which for validation and which for the test."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from analysis.arrays import Indices
from analysis.errors import DataError
from analysis.patient_split import FEWEST, draw_folds, draw_patients
from analysis.progress import Progress
from analysis.vocabulary.splits import SPLITS

BY_IMAGE = ", or split by image alone: --set split.group=none --set split.also=none"
WITHOUT_FOLDS = ", or take fewer folds, or none: --set split.folds=0"


@dataclass(frozen=True)
class Rule:
    """How the images are shared out: the part of the study file that the stage depends on.

    Parameters
    ----------
    classes : sequence of str
        The ids of the classes, in the order of the study file.
    protocol : {"stratified", "holdout", "splitfolders", "official", "folds"}
        ``stratified``: the share ``test``, then ``val`` of what is left. ``holdout``: the shares ``test`` and ``val`` of
        the whole, set aside together. ``splitfolders``: the same shares of each class, as that program cuts them.
        ``official``: the dataset's own test set, and ``val`` of its training set. ``folds``: one of several folds.
    test, val : float
        Shares, between 0 and 1.
    seed : int
        What is drawn is drawn by it.
    draw : {"stratified", "keras"}
        How the validation set is drawn from an official training set.
    official_val : {"train", "val"}
        Whether the dataset's own validation images are pooled with its training images.
    subset : mapping of class id to int
        So many images of an official training set are trained on, all others are for validation; none: all.
    group : {"none", "patient"}
        What is kept together in one split.
    folds, fold : int
        With the protocol ``folds``: into how many folds the patients are parted, and which of them is the test set, from 1.
        ``val`` is a share of the other images.
    """

    classes: Sequence[str]
    protocol: str
    test: float
    val: float
    seed: int
    draw: str
    official_val: str
    subset: Mapping[str, int]
    group: str
    folds: int = 0
    fold: int = 0

    @property
    def by_patient(self) -> bool:
        """Whether all images of a patient are in one split."""
        return self.group == "patient"

    @property
    def instead(self) -> str:
        """What else can be done where a class has too few patients."""
        return WITHOUT_FOLDS if self.folds else BY_IMAGE


def split(inputs: Mapping[str, Path], out: Path, *, scratch: Path, progress: Progress, **rule: Any) -> None:
    """Write ``split.csv``, a row for each row of ``records.csv``.

    With ``group="patient"`` all images of a patient are in one split, as `draw_patients` draws them.

    Under the label rule ``every-tag`` an image has a row for each of its labels. Rows are split independently, as in
    the published experiment, so the same image can be in two splits (not with ``group="patient"``).

    Parameters
    ----------
    inputs : mapping of str to Path
        The stage ``records``.
    rule
        The fields of `Rule`.

    Raises
    ------
    DataError
        If a class has too few images to be in every split, or the data have no split of their own to keep to.
    """
    how = Rule(**rule)
    records = pd.read_csv(inputs["records"] / "records.csv", dtype=str, keep_default_na=False)
    validated, tested = PROTOCOLS[how.protocol](records, how)
    table = pd.DataFrame({"image_id": records["image_id"], "split": "train", "fold": how.fold or ""})
    table.loc[validated, "split"] = "val"
    table.loc[tested, "split"] = "test"
    _check_present(records, table["split"], how.classes)
    table.to_csv(out / "split.csv", index=False, lineterminator="\n")
    progress(len(records), len(records), "images")


def _stratified(records: pd.DataFrame, how: Rule) -> tuple[Indices, Indices]:
    """Return the rows for validation and for the test: ``test`` of all, then ``val`` of what is left."""
    _check_counts(records, how, how.test, how.val)
    rest, tested = _set_aside(np.arange(len(records)), how.test, records, how)
    return _set_aside(rest, how.val, records, how)[1], tested


def _holdout(records: pd.DataFrame, how: Rule) -> tuple[Indices, Indices]:
    """Return ``val`` and ``test`` of the whole: set aside together, then parted."""
    both = how.test + how.val
    _check_counts(records, how, how.test, how.val)
    if how.by_patient:
        return _shares_by_patient(records, how)
    _, aside = _set_aside(np.arange(len(records)), both, records, how)
    validated, tested = _set_aside(aside, how.test / both, records, how)
    return validated, tested


def _splitfolders(records: pd.DataFrame, how: Rule) -> tuple[Indices, Indices]:
    """Return ``val`` and ``test`` of each class as ``splitfolders.ratio`` does: by name, shuffled, cut at whole numbers."""
    _check_counts(records, how, how.test, how.val)
    if how.by_patient:
        return _shares_by_patient(records, how)
    train = round(1 - how.test - how.val, 10)
    validated, tested = [], []
    for label in how.classes:
        rows = _by_name(records, np.flatnonzero(records["label"] == label)).tolist()
        random.Random(how.seed).shuffle(rows)
        first = int(train * len(rows))
        second = first + int(how.val * len(rows))
        validated += rows[first:second]
        tested += rows[second:]
    return np.array(validated, dtype=np.intp), np.array(tested, dtype=np.intp)


def _official(records: pd.DataFrame, how: Rule) -> tuple[Indices, Indices]:
    """Return the dataset's own test set, and of its other images those for validation."""
    _check_official(records, how.classes)
    tested = np.flatnonzero(records["official"] == "test")
    ours = ["train", "val"] if how.by_patient or how.official_val == "train" else ["train"]
    pool = np.flatnonzero(records["official"].isin(ours))
    others = np.flatnonzero(~records["official"].isin([*ours, "test"]))
    if how.by_patient:
        _check_apart(records, tested)
    if how.subset:
        return np.setdiff1d(np.append(pool, others), _draw_subset(records, pool, how)), tested
    if how.draw == "keras" and not how.by_patient:
        drawn = _draw_as_keras(records, pool, how)
    else:
        _check_counts(records.iloc[pool], how, how.val)
        drawn = _set_aside(pool, how.val, records, how)[1]
    return np.append(drawn, others), tested


def _one_fold(records: pd.DataFrame, how: Rule) -> tuple[Indices, Indices]:
    """Return the images of one fold of patients for the test, and ``val`` of the others for validation."""
    labels, patients = records["label"].to_numpy(), records["patient_id"].to_numpy()
    for label in how.classes:
        if (count := len(set(patients[labels == label]))) < how.folds:
            raise _too_few(
                label, f"images of {count} patients for {how.folds} folds", how.classes, how.instead
            )
    tested = draw_folds(labels, patients, how.folds, how.seed)[how.fold - 1]
    rest = np.setdiff1d(np.arange(len(records)), tested)
    return _set_aside(rest, how.val, records, how)[1], tested


PROTOCOLS = {
    "stratified": _stratified,
    "holdout": _holdout,
    "splitfolders": _splitfolders,
    "official": _official,
    "folds": _one_fold,
}


def _draw_as_keras(records: pd.DataFrame, pool: Indices, how: Rule) -> Indices:
    """Return the share ``val`` of ``pool`` that ``image_dataset_from_directory`` takes for validation.

    It lists class by class, by name, shuffles, and takes the last.
    """
    named = _by_name(records, pool)
    labels = records["label"].to_numpy()
    listed = np.concatenate([named[labels[named] == label] for label in how.classes])
    np.random.RandomState(how.seed).shuffle(listed)
    return listed[len(listed) - int(how.val * len(listed)) :]


def _by_name(records: pd.DataFrame, rows: Indices) -> Indices:
    """Return ``rows`` by file name, whatever folder a file lies in."""
    names = records["image_id"].iloc[rows].str.rsplit("/", n=1).str[-1]
    order = np.lexsort((records["image_id"].iloc[rows], names))
    return rows[order]


def _draw_subset(records: pd.DataFrame, pool: Indices, how: Rule) -> Indices:
    """Return as many rows of each class, drawn from ``pool``, as ``subset`` says.

    By patient the images of whole patients are drawn as long as they fit; the sum can be somewhat smaller.
    """
    rng = np.random.default_rng(how.seed)
    drawn: list[Indices] = []
    for label in how.classes:
        rows = pool[records["label"].iloc[pool] == label]
        wanted = how.subset[label]
        if len(rows) <= wanted:
            raise DataError(
                f'class "{label}" has {len(rows)} images in the training set of the data; {wanted} of them'
                " are to be drawn, and some left for validation",
                hint=f"ask for fewer: --set split.subset.{label}=...",
            )
        drawn.append(
            _draw_whole_patients(records, rows, wanted, rng)
            if how.by_patient
            else rng.permutation(rows)[:wanted]
        )
    return np.concatenate(drawn)


def _draw_whole_patients(
    records: pd.DataFrame, rows: Indices, wanted: int, rng: np.random.Generator
) -> Indices:
    """Return up to ``wanted`` of ``rows``: all images of patients drawn at random."""
    drawn: list[int] = []
    of_patient = pd.Series(rows).groupby(records["patient_id"].iloc[rows].to_numpy()).agg(list)
    for images in of_patient.iloc[rng.permutation(len(of_patient))]:
        if len(drawn) + len(images) <= wanted:
            drawn += images
    return np.array(drawn, dtype=np.intp)


def _shares_by_patient(records: pd.DataFrame, how: Rule) -> tuple[Indices, Indices]:
    """Return ``val`` and ``test`` of the whole, all images of a patient in one part."""
    rest, tested = _set_aside(np.arange(len(records)), how.test, records, how)
    return _set_aside(rest, how.val / (1 - how.test), records, how)[1], tested


def _set_aside(rows: Indices, share: float, records: pd.DataFrame, how: Rule) -> tuple[Indices, Indices]:
    """Return the rows that are left and those set aside, the share ``share`` of each class."""
    labels = records["label"].to_numpy()[rows]
    if how.by_patient:
        patients = records["patient_id"].to_numpy()[rows]
        for label in how.classes:
            if (count := len(set(patients[labels == label]))) < FEWEST:
                raise _too_few(label, f"images of {count} patients that are left", how.classes, how.instead)
        drawn = draw_patients(labels, patients, share, how.seed)
        return rows[~drawn], rows[drawn]
    for label in how.classes:
        if (labels == label).sum() < 2:  # scikit-learn's own complaint names no class
            raise _too_few(label, f"{(records['label'] == label).sum()} images", how.classes)
    left, aside = train_test_split(rows, test_size=share, random_state=how.seed, stratify=labels)
    return left, aside


def _check_counts(records: pd.DataFrame, how: Rule, *shares: float) -> None:
    """Raise for a class that the splitters themselves would refuse, or complain of in their own words."""
    for label in how.classes:
        of_class = records[records["label"] == label]
        if len(of_class) < len(SPLITS):
            raise _too_few(label, f"{len(of_class)} images", how.classes)
        if how.by_patient and (count := of_class["patient_id"].nunique()) < len(SPLITS):
            raise _too_few(label, f"images of {count} patients", how.classes, BY_IMAGE)
    if len(records) * min(shares) < len(how.classes):
        raise DataError(
            f"{len(records)} images are too few to split into training, validation and test",
            hint="add images",
        )


def _check_official(records: pd.DataFrame, classes: Sequence[str]) -> None:
    """Raise if the data have no training and test set of their own for each class."""
    for part in ("train", "test"):
        for label in classes:
            if not ((records["official"] == part) & (records["label"] == label)).any():
                raise DataError(
                    f'the data have no {part} set of their own for the class "{label}", which this study keeps to',
                    hint="the images of a split lie below folders called train and test; `report data check DIR`"
                    " shows what is there",
                )


def _check_apart(records: pd.DataFrame, tested: Indices) -> None:
    """Raise if a patient is in the dataset's own test set and out of it."""
    is_test = records.index.isin(tested)
    both = set(records["patient_id"][is_test]) & set(records["patient_id"][~is_test])
    if both:
        raise DataError(
            f"{len(both)} patients are in the data's own test set and out of it, such as {min(both)}",
            hint='no split by patient can keep to that test set: use split.group = "none" and split.also = "none"',
        )


def _check_present(records: pd.DataFrame, splits: pd.Series[str], classes: Sequence[str]) -> None:
    for label in classes:
        of_class = records["label"] == label
        if splits[of_class].nunique() < len(SPLITS):
            raise _too_few(label, f"{of_class.sum()} images", classes)


def _too_few(label: str, what: str, classes: Sequence[str], instead: str = "") -> DataError:
    without = f", or build without it: --set 'dataset.without=[\"{label}\"]'" if len(classes) > 2 else ""
    return DataError(
        f'class "{label}" has {what}, too few to be in training, validation and test',
        hint=f"add images of this class{without}{instead}",
    )
