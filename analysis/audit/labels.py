"""The ``labels`` stages of the audit: images with whose label a model disagrees that has not seen their patient.

Whether a label is wrong, a disagreement does not say: the model may be. It tells where to look first. Two have a say: a
fixed model on thumbnails, of every image, and, where any are trained, the study's networks, of the images that they were
evaluated on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.arrays import Indices, Mask
from analysis.audit import features, out_of_fold, probes
from analysis.audit.confident import Confident, judge
from analysis.audit.findings import Finding, write_findings
from analysis.audit.label_conflicts import list_conflicts
from analysis.audit.tables import read_table, write_table
from analysis.errors import DataError
from analysis.evaluation.predictions import Predictions, read_predictions
from analysis.evaluation.results_file import COUNT, Basis, Results, entry, write_json
from analysis.progress import Progress
from analysis.vocabulary.audit import BY_NETWORKS, CONFLICTS, CONTRADICTING, LABELS, WHOLE
from analysis.vocabulary.splits import EVALUATED

SIDE = 8
"""Pixels of a side of what the fixed model is shown, as of the probe and of the reference classifier."""
STRONG_SHARE = 0.01
"""Of all images: contradicted labels are a strong finding above it, a weak one however few."""
ARTIFACT, CONFLICT_ARTIFACT = "audit.labels/candidates.csv", "audit.labels/conflicts.csv"
NETWORKS_ARTIFACT = "audit.labels_by_networks/candidates.csv"
IMAGE = "image_id"
COLUMNS = ("rank", IMAGE, "label", "says", "p_label", "p_says", "threshold", "patient_id", "conflict")
AGREEING = "share of images whose most probable class is the label"
Classes = Sequence[Mapping[str, str]]


@dataclass(frozen=True)
class Asked:
    """What a model said of the labels of n images.

    Parameters
    ----------
    predictions : Predictions
        By a model that was not fitted on them.
    judged : Confident
        What follows for their labels.
    """

    predictions: Predictions
    judged: Confident

    @property
    def label(self) -> Indices:
        """The label of each image, as an index of the predictions' classes."""
        return self.predictions.y_true


def find(
    inputs: Mapping[str, Path], out: Path, *, scratch: Path, progress: Progress, classes: Classes
) -> None:
    """Write with which labels a fixed model on thumbnails disagrees, and which labels the sources contradict.

    ``candidates.csv`` has the images in the order in which they are to be looked at: ``rank``, ``image_id``, ``label``,
    ``says``, ``p_label``, ``p_says``, ``threshold`` (of what it says), ``patient_id`` and ``conflict``, what a copy or the
    collection of origin tells. ``conflicts.csv`` is `label_conflicts.list_conflicts`. ``probabilities.csv`` has what was said of
    every image. ``results.json`` counts by class under ``labels.``, ``findings.json`` has the contradicted labels: a
    disagreement of the model is no finding.

    Parameters
    ----------
    inputs : mapping of str to Path
        The stages ``records`` and ``images``; ``duplicates`` if copies were looked for.
    classes : sequence of mapping
        ``id`` of each class, and its ``label``, by which tags are known to name it.

    Raises
    ------
    DataError
        Records and images are not the same number.
    """
    records = read_table(inputs["records"] / "records.csv")
    images = np.load(inputs["images"] / "images.npy", mmap_mode="r")
    if len(images) != len(records):
        raise DataError(f"{len(records)} records and {len(images)} images differ", hint="report build")
    # An image that bears several labels by the study's rule disagrees with itself.
    single = ~records.duplicated(IMAGE, keep=False).to_numpy()
    judged = records[single].reset_index(drop=True)
    ids = [c["id"] for c in classes]
    groups = inputs["duplicates"] / "groups.csv" if "duplicates" in inputs else None
    conflicts = list_conflicts(judged, {c["id"]: c["label"] for c in classes}, groups)
    shown = features.thumbnail(images, progress, SIDE).values[single]
    found = out_of_fold.predict(shown, probes.label(judged, ids))
    results = count_conflicts(judged, conflicts, ids)
    write_table(out / "conflicts.csv", conflicts)
    if isinstance(found, str):
        results |= _nothing(judged, ids, found)
        write_table(out / "candidates.csv", pd.DataFrame(columns=list(COLUMNS)))
        write_table(out / "probabilities.csv", pd.DataFrame(columns=[IMAGE, "fold"]))
    else:
        asked = _ask(found.predictions)
        results |= count(asked, ids, LABELS, ARTIFACT)
        write_table(out / "candidates.csv", list_candidates(asked, conflicts))
        write_table(out / "probabilities.csv", _probabilities(found))
    write_json(out / "results.json", results)
    write_findings(out, _find(results, len(judged)))


def ask_networks(
    inputs: Mapping[str, Path], out: Path, *, scratch: Path, progress: Progress, classes: Classes
) -> None:
    """Write with which labels the networks disagree on the images that they were evaluated on.

    ``candidates.csv`` is as that of `find`, with ``thumbnail_says`` what the fixed model says; probabilities are means of
    all networks. ``results.json`` counts by class under ``labels.by_networks.``; there are no findings.

    Parameters
    ----------
    inputs : mapping of str to Path
        The stage ``labels``, which is `find`, and ``predict_<training>`` of every training of an analysis.
    classes : sequence of mapping
        As of `find`.

    Raises
    ------
    DataError
        The networks were not asked about the same images, or predictions are none.
    """
    ids = [c["id"] for c in classes]
    names = sorted(name for name in inputs if name.startswith("predict_"))
    said = [_join(read_predictions(inputs[name] / "predictions.csv", ids, EVALUATED)) for name in names]
    asked = _ask(_mean(said))
    conflicts = read_table(inputs["labels"] / "conflicts.csv")
    table = list_candidates(asked, conflicts)
    thumbnails = read_table(inputs["labels"] / "probabilities.csv")
    known = [name for name in ids if name in thumbnails]
    says = dict(thumbnails.set_index(IMAGE)[known].astype(float).idxmax(axis=1)) if known else {}
    table["thumbnail_says"] = [says.get(name, "") for name in table[IMAGE]]
    write_table(out / "candidates.csv", table)
    write_json(out / "results.json", count(asked, ids, BY_NETWORKS, NETWORKS_ARTIFACT))
    write_findings(out, ())
    progress(len(names), len(names), "networks")


def list_candidates(asked: Asked, conflicts: pd.DataFrame) -> pd.DataFrame:
    """Return the images with whose label the model disagrees, the least probable label first, as `COLUMNS` has them."""
    p, judged = asked.predictions, asked.judged
    places = judged.rank()
    names = np.array(p.classes, dtype=object)
    says = judged.says[places]
    table = pd.DataFrame(
        {
            "rank": np.arange(1, len(places) + 1),
            IMAGE: p.image_id[places],
            "label": names[asked.label[places]],
            "says": names[says],
            "p_label": judged.self_confidence[places],
            "p_says": p.y_score[places, says],
            "threshold": judged.thresholds[says],
            "patient_id": p.patient_id[places],
        }
    )
    told = conflicts[conflicts["kind"].isin(CONTRADICTING)]
    of_image = dict(zip(told[IMAGE], told["told"], strict=True))
    return table.assign(conflict=[of_image.get(name, "") for name in table[IMAGE]])[list(COLUMNS)]


def count(asked: Asked, classes: Sequence[str], owner: str, artifact: str) -> Results:
    """Return by class, and of all: images, the share with which the model agrees, and the candidates."""
    p = asked.predictions
    results: Results = {}
    for name in (WHOLE, *classes):
        rows = _of_class(p, name)
        basis = Basis(artifact, int(rows.sum()), len(set(p.patient_id[rows])))
        agreeing = float((p.y_pred[rows] == p.y_true[rows]).mean()) if rows.any() else None
        results[f"{owner}.images.{name}"] = entry(int(rows.sum()), COUNT, basis)
        results[f"{owner}.agreeing.{name}"] = entry(agreeing, AGREEING, basis, reason_null=probes.FEW)
        results[f"{owner}.candidates.{name}"] = entry(int(asked.judged.disagrees[rows].sum()), COUNT, basis)
    return results


def count_conflicts(records: pd.DataFrame, conflicts: pd.DataFrame, classes: Sequence[str]) -> Results:
    """Return how many images of each class have a label that a source contradicts, by what contradicts it."""
    results: Results = {}
    for name in (WHOLE, *classes):
        rows = records if name == WHOLE else records[records["label"] == name]
        basis = Basis(CONFLICT_ARTIFACT, len(rows))
        for kind in CONFLICTS:
            images = conflicts.loc[conflicts["kind"] == kind, IMAGE]
            number = int(rows[IMAGE].isin(images).sum())
            results[f"{LABELS}.conflicts.{kind}.{name}"] = entry(number, COUNT, basis)
    return results


def _ask(predictions: Predictions) -> Asked:
    return Asked(predictions, judge(predictions.y_true, predictions.y_score))


def _of_class(p: Predictions, name: str) -> Mask:
    if name == WHOLE:
        return np.ones(len(p.y_true), dtype=bool)
    number = p.classes.index(name) if name in p.classes else -1
    return np.asarray(p.y_true == number)


def _probabilities(found: out_of_fold.OutOfFold) -> pd.DataFrame:
    p = found.predictions
    table = pd.DataFrame({IMAGE: p.image_id, "fold": found.fold})
    return table.assign(**dict(zip(p.classes, p.y_score.T, strict=True)))


def _nothing(records: pd.DataFrame, classes: Sequence[str], reason: str) -> Results:
    """Return that no model could be asked, and why."""
    results: Results = {}
    for name in (WHOLE, *classes):
        rows = records if name == WHOLE else records[records["label"] == name]
        basis = Basis(ARTIFACT, len(rows))
        for what in ("images", "agreeing", "candidates"):
            results[f"{LABELS}.{what}.{name}"] = entry(None, COUNT, basis, reason_null=reason)
    return results


def _find(results: Results, images: int) -> list[Finding]:
    """Return the findings: labels that a source contradicts, by what does."""
    found = []
    for kind in CONTRADICTING:
        name = f"{LABELS}.conflicts.{kind}.{WHOLE}"
        number = results[name]["value"] or 0
        if number:
            found.append(
                Finding(LABELS, kind, "strong" if number > STRONG_SHARE * images else "weak", (name,))
            )
    return found


def _join(parts: Mapping[str, Predictions]) -> Predictions:
    """Return what a network said of the images of all splits it was evaluated on, those of each image but once."""
    every = list(parts.values())
    joined = Predictions(
        every[0].classes,
        *(
            np.concatenate([getattr(p, name) for p in every])
            for name in ("image_id", "patient_id", "y_true", "y_score")
        ),
    )
    several = pd.Series(joined.image_id).duplicated(keep=False).to_numpy()
    return _select(joined, np.flatnonzero(~several))


def _mean(said: Sequence[Predictions]) -> Predictions:
    """Return the mean of what networks said of the same images.

    Raises
    ------
    DataError
        They were not asked about the same ones.
    """
    first = said[0]
    order = [np.argsort(p.image_id.astype(str), kind="stable") for p in said]
    sorted_ = [_select(p, rows) for p, rows in zip(said, order, strict=True)]
    if any(list(p.image_id) != list(sorted_[0].image_id) for p in sorted_):
        raise DataError("the networks were not asked about the same images", hint="report build")
    score = np.mean([p.y_score for p in sorted_], axis=0)
    one = sorted_[0]
    return Predictions(first.classes, one.image_id, one.patient_id, one.y_true, score)


def _select(p: Predictions, rows: Indices) -> Predictions:
    return Predictions(p.classes, p.image_id[rows], p.patient_id[rows], p.y_true[rows], p.y_score[rows])
