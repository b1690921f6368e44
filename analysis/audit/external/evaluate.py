"""The ``external.evaluate`` stage: what a trained network makes of images from elsewhere.

Their labels are those of the external set. Each matches one class of the study, several (pneumonia that may be bacterial
or viral), or none. What would need every class of the study is only there where the set has them all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.arrays import Floats, Indices, Labels, Mask, class_indices
from analysis.audit.external.facts import drop_duplicates, read_duplicates
from analysis.audit.people import UNKNOWN, list_age_groups, read_people
from analysis.errors import DataError
from analysis.evaluation import settings
from analysis.evaluation.predictions import REBUILD, Predictions, cluster_ids
from analysis.evaluation.results_file import COUNT, Basis, Entry, Results, bounded, entry, owned, write_json
from analysis.evaluation.statistics import intervals
from analysis.evaluation.statistics.resampling import resamples
from analysis.evaluation.statistics.roc import binary_roc, roc_curves
from analysis.evaluation.tables.measures import measure_results
from analysis.progress import Progress
from analysis.vocabulary.external import EXTERNAL, NEED_ALL_CLASSES
from analysis.vocabulary.measures import MEASURES

NONE_MATCHES = "no label of the external set is one of the study's classes"
ONE_AGAINST_REST = "one class against the rest"
GROUPED_BY = ("source", "age_group", "sex", "view")


@dataclass(frozen=True)
class Tested:
    """What one network said of n external images that the study does not have.

    Parameters
    ----------
    classes : sequence of str
        Of the study, K of them.
    labels : sequence of str
        The classes of the external set.
    matches : (labels, K) array of bool
        Which classes of the study an image of a label may be of.
    y_label : (n,) array of int
        The label of each image.
    y_score : (n, K) array of float
        Probabilities.
    patient_id : (n,) array of str
        An image of no known patient is a patient of its own.
    artifact : str
        The file that results name as their origin.
    """

    classes: Sequence[str]
    labels: Sequence[str]
    matches: Mask
    y_label: Indices
    y_score: Floats
    patient_id: Labels
    artifact: str

    @property
    def y_pred(self) -> Indices:
        """Index of the most probable class of the study; the first of equals."""
        return np.asarray(self.y_score.argmax(axis=1), dtype=np.intp)

    @property
    def may_be(self) -> Mask:
        """Which classes each image may be of, shape (n, K)."""
        return np.asarray(self.matches[self.y_label], dtype=np.bool_)

    def basis(self, rows: Mask) -> Basis:
        """Return what a value computed on ``rows`` rests on."""
        return Basis(self.artifact, int(rows.sum()), len(set(self.patient_id[rows])))

    def share(self, right: Mask, rows: Mask, method: str, reason: str) -> Entry:
        """Return the share of ``rows`` that are ``right``, both (n,), with Wilson's interval by patients."""
        value = float(right[rows].mean()) if rows.any() else None
        item = entry(value, method, self.basis(rows), reason_null=reason)
        return bounded(item, intervals.proportion(right[rows], self.patient_id[rows], settings.LEVEL))


def evaluate(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    run: str,
    classes: Sequence[str],
    external: Sequence[Mapping[str, Any]],
) -> None:
    """Write ``results.json``, ``confusion.csv`` and ``groups.csv`` of one training.

    ``confusion.csv`` has for each label and predicted class the images and their share of the label with its interval;
    ``groups.csv`` the same by source, age, sex and view, what is not known being a group too.

    Parameters
    ----------
    inputs : mapping of str to Path
        ``predictions``, ``records`` and ``duplicates`` of the external set.
    run : str
        What the training is called.
    classes : sequence of str
        Class ids of the study, in its order.
    external : sequence of {"id", "matches"}
        The classes of the external set, and which of the study's each may be.

    Raises
    ------
    DataError
        The predictions are not those of the records, or nothing is left without the study's own images.
    """
    records, table = (
        _read(inputs["records"] / "records.csv"),
        _read(inputs["predictions"] / "predictions.csv"),
    )
    if list(records["image_id"]) != list(table["image_id"]):
        raise DataError("predictions and records of the external set are of other images", hint=REBUILD)
    twins = read_duplicates(inputs["duplicates"])
    records, table = drop_duplicates(records, twins), drop_duplicates(table, twins)
    if table.empty:
        raise DataError(
            f"all {len(twins)} external images are the study's own", hint="name another folder for [external]"
        )
    tested = _join(table, classes, external, f"{EXTERNAL}.predict.{run}/predictions.csv")
    results = {**_cells(tested), **_of_classes(tested), **_of_all(tested)}
    write_json(out / "results.json", owned(results, run, EXTERNAL))
    everything = np.ones(len(table), dtype=np.bool_)
    _write(_count(tested, everything), out / "confusion.csv")
    _write(_groups(tested, read_people(records)), out / "groups.csv")
    progress(len(table), len(table), "images")


def _join(
    table: pd.DataFrame, classes: Sequence[str], external: Sequence[Mapping[str, Any]], artifact: str
) -> Tested:
    labels = [c["id"] for c in external]
    y_label = class_indices(table["y_true"], labels)
    y_score = table[[*classes]].astype(np.float64).to_numpy()
    if (y_label < 0).any() or not ((y_score >= 0) & (y_score <= 1)).all():
        raise DataError(f"{artifact}: a label that is none, or no probability", hint=REBUILD)
    matches = np.array([[name in c["matches"] for name in classes] for c in external], dtype=np.bool_)
    return Tested(classes, labels, matches, y_label, y_score, cluster_ids(table), artifact)


def _cells(tested: Tested) -> Results:
    """Return images by label and predicted class, and the shares of each label."""
    every = np.ones(len(tested.y_label), dtype=np.bool_)
    results: Results = {"n": entry(len(every), COUNT, tested.basis(every))}
    for k, name in enumerate(tested.classes):
        called = tested.y_pred == k
        results[f"called.{name}"] = entry(int(called.sum()), COUNT, tested.basis(every))
        results[f"called_share.{name}"] = tested.share(called, every, "share of the images", "no image")
    for row, label in enumerate(tested.labels):
        of_label = tested.y_label == row
        basis = tested.basis(of_label)
        results[f"support.{label}"] = entry(basis.n, COUNT, basis)
        for k, name in enumerate(tested.classes):
            called = tested.y_pred == k
            results[f"confusion.{label}.{name}"] = entry(int((called & of_label).sum()), COUNT, basis)
            results[f"confusion_share.{label}.{name}"] = tested.share(
                called, of_label, "share of the label", "no image of this label"
            )
    return results


def _of_classes(tested: Tested) -> Results:
    """Return sensitivity, specificity and AUROC of each class of the study for which the set has images."""
    results: Results = {}
    for k, name in enumerate(tested.classes):
        may_be = tested.may_be[:, k]
        is_class, called = may_be & (tested.may_be.sum(axis=1) == 1), tested.y_pred == k
        no_image = f"the external set has no label that is {name} and nothing else"
        results[f"sensitivity.{name}"] = tested.share(called, is_class, ONE_AGAINST_REST, no_image)
        all_may = f"any image of the external set may be {name}"
        results[f"specificity.{name}"] = tested.share(~called, ~may_be, ONE_AGAINST_REST, all_may)
        results[f"auroc.{name}"] = _auroc(
            tested, k, is_class, ~may_be, no_image if is_class.sum() == 0 else all_may
        )
    return results


def _auroc(tested: Tested, k: int, is_class: Mask, is_other: Mask, reason: str) -> Entry:
    """Return how well the probability of a class tells its images from those that are surely of another."""
    rows = is_class | is_other
    positive, score, patient = is_class[rows], tested.y_score[rows, k], tested.patient_id[rows]
    area = binary_roc(positive, score).auroc
    phi = intervals.auroc_influence(positive, score)
    item = entry(area, MEASURES["auroc"].method_of_class, tested.basis(rows), reason_null=reason)
    return bounded(item, intervals.auroc(area, phi, patient, settings.LEVEL))


def _of_all(tested: Tested) -> Results:
    """Return the share of the images called what their label matches; means of all classes if the set has them all."""
    has_class = np.asarray(tested.may_be.any(axis=1), dtype=np.bool_)
    right = tested.may_be[np.arange(len(tested.y_label)), tested.y_pred]
    method = "share called a class that the label matches"
    results: Results = {"accuracy": tested.share(right, has_class, method, NONE_MATCHES)}
    single = tested.matches.sum(axis=1) == 1
    of_one = tested.may_be[single[tested.y_label]]
    missing = [name for name, there in zip(tested.classes, of_one.any(axis=0), strict=True) if not there]
    every = np.ones(len(tested.y_label), dtype=np.bool_)
    if missing or not single.all():
        reason = (
            f"the external set has no images that are surely {', '.join(missing)}"
            if missing
            else "a label of the external set is of no class of the study, or of several"
        )
        undefined = entry(None, "mean of classes", tested.basis(every), reason_null=reason)
        return results | dict.fromkeys(NEED_ALL_CLASSES, undefined)
    predictions = Predictions(
        tuple(tested.classes),
        np.arange(len(every)).astype(object),
        tested.patient_id,
        tested.may_be.argmax(axis=1),
        tested.y_score,
    )
    areas = {name: curve.auroc for name, curve in roc_curves(predictions).items()}
    found = measure_results(predictions, areas, resamples(predictions), tested.artifact)
    return results | {name: found[name] for name in NEED_ALL_CLASSES}


def _count(tested: Tested, rows: Mask) -> Iterator[dict[str, object]]:
    """Yield for each label with images among ``rows`` and each predicted class how many there are."""
    for row, label in enumerate(tested.labels):
        of_label = rows & (tested.y_label == row)
        basis = tested.basis(of_label)
        for k, name in enumerate(tested.classes):
            called = tested.y_pred == k
            item = tested.share(called, of_label, "", "no image")
            yield {
                "label": label,
                "y_pred": name,
                "n": basis.n,
                "patients": basis.clusters,
                "count": int((called & of_label).sum()),
                "share": item["value"],
                "low": item["low"],
                "high": item["high"],
            }


def _groups(tested: Tested, people: pd.DataFrame) -> Iterator[dict[str, object]]:
    """Yield the same by what is known of the images; where nothing is, there are no rows."""
    for kind in GROUPED_BY:
        there = set(people[kind])
        ordered = list_age_groups() if kind == "age_group" else sorted(there)
        for group in (group for group in ordered if there != {UNKNOWN} and group in there):
            rows = (people[kind] == group).to_numpy(dtype=np.bool_)
            for counted in _count(tested, rows):
                if counted["n"]:
                    yield {"kind": kind, "group": group, **counted}


def _write(rows: Iterator[dict[str, object]], path: Path) -> None:
    columns = ["label", "y_pred", "n", "patients", "count", "share", "low", "high"]
    named = ["kind", "group", *columns] if path.stem == "groups" else columns
    pd.DataFrame(list(rows), columns=named).to_csv(path, index=False, lineterminator="\n")


def _read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False)
