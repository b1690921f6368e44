"""The ``probes`` stage of the audit: how well the classes are told apart without the lungs' detail.

A fixed model is shown a few features of each image: facts of its file, its border, a thumbnail. Where it does well, a
network can do as well by the same; whether one does, a probe does not say. A thumbnail holds opacity and the chest's shape
too, so that part of what it tells is disease.

References
----------
Maguolo and Nanni (2021), A critic evaluation of methods for COVID-19 automatic detection from X-ray images,
doi:10.1016/j.inffus.2021.04.008. DeGrave, Janizek and Lee (2021), AI for radiographic COVID-19 detection selects shortcuts
over signal, doi:10.1038/s42256-021-00338-7.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.arrays import Mask, class_indices
from analysis.audit import features, out_of_fold
from analysis.audit.features import Features
from analysis.audit.findings import Finding, grade, write_findings
from analysis.audit.tables import read_table, write_table
from analysis.errors import DataError
from analysis.evaluation.predictions import Predictions, cluster_ids
from analysis.evaluation.results_file import COUNT, Basis, Entry, Results, entry, read_results, write_json
from analysis.progress import Progress
from analysis.vocabulary.audit import (
    BORDER,
    FILE,
    ORIGINAL,
    PROBES,
    STRONG_AREA,
    THUMBNAIL,
    WEAK_AREA,
)
from analysis.vocabulary.measures import MACRO

RECORDS = "read/records.csv"
ARTIFACT = "audit.probes/probes.csv"
CHANCE = 0.5
FEW = f"images of fewer than {out_of_fold.FEWEST_PATIENTS} patients"


@dataclass(frozen=True)
class Probed:
    """What one probe found: its entries, and by class what the table has."""

    probe: str
    results: Results
    rows: list[dict[str, object]]


def probe(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    classes: Sequence[str],
) -> None:
    """Write how well each of `PROBES` tells the classes apart.

    ``probes.csv`` has a row for each probe and class, and for ``macro``: AUROC, its interval, images and patients, or the
    reason why there is none. ``results.json`` has the same as ``probes.<probe>.auroc.<class or macro>``, and
    ``probes.<probe>.fold_error``; ``findings.json`` the probes whose interval of the macro AUROC lies above `WEAK_AREA`.

    Parameters
    ----------
    inputs : mapping of str to Path
        The stages ``records`` and ``images``.
    classes : sequence of str
        Class ids in the study's order.

    Raises
    ------
    DataError
        Records and images are not the same number.
    """
    records = read_table(inputs["records"] / "records.csv")
    images = np.load(inputs["images"] / "images.npy", mmap_mode="r")
    if len(images) != len(records):
        raise DataError(f"{len(records)} records and {len(images)} images differ", hint="report build")
    labelled = label(records, classes)
    shown = {
        ORIGINAL: features.original_facts(records),
        FILE: features.file_facts(records),
        BORDER: features.border(images, progress),
        THUMBNAIL: features.thumbnail(images, progress),
    }
    found = [try_probe(name, shown[name], labelled) for name in PROBES]
    write(out, found, _sizes(records))


def label(records: pd.DataFrame, classes: Sequence[str]) -> Predictions:
    """Return labels and patients of all images as `out_of_fold.predict` takes them, without scores.

    Raises
    ------
    DataError
        An image's label is none of ``classes``.
    """
    y_true = class_indices(records["label"], classes)
    if (y_true < 0).any():
        strange = records["label"][y_true < 0].iloc[0]
        raise DataError(f'an image has the label "{strange}", none of the classes', hint="report data check")
    image_id = records["image_id"].to_numpy(dtype=object)
    return Predictions(tuple(classes), image_id, cluster_ids(records), y_true, np.zeros((len(records), 0)))


def try_probe(name: str, shown: Features, labelled: Predictions) -> Probed:
    """Return what a probe finds of the images for which its features are known, or the reason why it finds nothing."""
    if shown.reason_null:
        return _nothing(name, shown.reason_null, shown.known, labelled)
    rows = shown.known
    found = out_of_fold.predict(shown.values[rows], _select(labelled, rows))
    if isinstance(found, str):
        return _nothing(name, found, rows, labelled)
    areas = out_of_fold.areas(found, ARTIFACT)
    results = {f"probes.{name}.auroc.{of}": item for of, item in areas.items()}
    basis = Basis(ARTIFACT, areas[MACRO]["n"], areas[MACRO]["clusters"])
    method = "standard error of the macro AUROC by its variation over folds (Nadeau and Bengio)"
    results[f"probes.{name}.fold_error"] = entry(
        out_of_fold.fold_error(found), method, basis, reason_null="a fold has no image of a class"
    )
    for of in found.left_out:
        images = int((labelled.y_true[rows] == labelled.classes.index(of)).sum())
        results[f"probes.{name}.left_out.{of}"] = entry(images, COUNT, basis)
        results[f"probes.{name}.auroc.{of}"] = entry(None, "AUROC", basis, reason_null=FEW)
    return Probed(name, results, [_row(name, of, item) for of, item in areas.items()])


def write(out: Path, found: Iterable[Probed], more: Results | None = None) -> None:
    """Write ``probes.csv``, ``results.json`` and ``findings.json`` of probes."""
    probed = list(found)
    write_table(out / "probes.csv", pd.DataFrame([row for one in probed for row in one.rows]))
    results: Results = dict(more or {})
    for one in probed:
        results |= one.results
    write_json(out / "results.json", results)
    write_findings(out, (finding for one in probed if (finding := find(one))))


def find(probed: Probed) -> Finding | None:
    """Return the finding of a probe, if the lower end of its macro AUROC's interval is high enough, or the AUROC is 1."""
    name = f"probes.{probed.probe}.auroc.{MACRO}"
    item = probed.results[name]
    # Without an error nothing varies, and there is no interval: all the more is it a finding.
    decides = item["value"] if item["value"] == 1 else item["low"]
    level = grade(decides, WEAK_AREA, STRONG_AREA)
    return Finding("probes", probed.probe, level, (name,)) if level else None


def compare_with_models(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    models: Sequence[str],
    split: str,
) -> None:
    """Write ``results.json`` with ``probes.<probe>.share_of.<model>``: (A_probe - 0.5) / (A_model - 0.5).

    Parameters
    ----------
    inputs : mapping of str to Path
        ``probes``, and ``evaluate_<model>`` of each model.
    models : sequence of str
        As they name their results.
    split : str
        On which the models' macro AUROCs are. The probes' are on all images, out of fold.
    """
    probes = read_results(inputs["probes"] / "results.json")
    results: Results = {}
    for model in models:
        of_model = read_results(inputs[f"evaluate_{model}"] / "results.json")[
            f"{model}.{split}.auroc.{MACRO}"
        ]
        for name in (key.split(".")[1] for key in probes if key.endswith(f".auroc.{MACRO}")):
            results[f"probes.{name}.share_of.{model}"] = share_of_model(probes, name, of_model)
    write_json(out / "results.json", results)
    progress(len(models), len(models), "models")


def share_of_model(probes: Results, name: str, of_model: Entry) -> Entry:
    """Return what a probe's macro AUROC is above chance, as a share of what a model's is."""
    of_probe = probes[f"probes.{name}.auroc.{MACRO}"]
    basis = Basis(of_probe["artifact"], of_probe["n"], of_probe["clusters"])
    reason, value = "", None
    if of_probe["value"] is None:
        reason = of_probe["reason_null"] or ""
    elif any(key.startswith(f"probes.{name}.left_out.") for key in probes):
        reason = "the probe leaves out a class that the model has"
    elif of_model["value"] is None or of_model["value"] <= CHANCE:
        reason = "the model does no better than chance"
    else:
        value = (of_probe["value"] - CHANCE) / (of_model["value"] - CHANCE)
    return entry(value, "(A of the probe - 0.5) / (A of the model - 0.5)", basis, reason_null=reason)


def _nothing(name: str, reason: str, known: Mask, labelled: Predictions) -> Probed:
    """Return that a probe finds nothing, and why, with the images of which its features are known."""
    basis = Basis(ARTIFACT, int(known.sum()), len(set(labelled.patient_id[known])))
    item = entry(None, "AUROC", basis, reason_null=reason)
    names = [f"auroc.{of}" for of in (*labelled.classes, MACRO)]
    results = {f"probes.{name}.{what}": item for what in (*names, "fold_error")}
    return Probed(name, results, [_row(name, MACRO, item)])


def _row(name: str, of: str, item: Entry) -> dict[str, object]:
    return {
        "probe": name,
        "class": of,
        "auroc": item["value"],
        "low": item["low"],
        "high": item["high"],
        "level": item["level"],
        "n": item["n"],
        "patients": item["clusters"],
        "reason_null": item["reason_null"] or "",
    }


def _select(p: Predictions, rows: Mask) -> Predictions:
    return Predictions(p.classes, p.image_id[rows], p.patient_id[rows], p.y_true[rows], p.y_score[rows])


def _sizes(records: pd.DataFrame) -> Results:
    """Return what tells copies from originals: the commonest longer side of the files, and how many are not as large as the original."""
    size = records[["width", "height"]].astype(int)
    longest = size.max(axis=1)
    counts = longest.value_counts()
    side = int(counts[counts == counts.max()].index.min())
    original = records[["original_width", "original_height"]].apply(pd.to_numeric, errors="coerce")
    known = original.notna().all(axis=1)
    other = (original.to_numpy() != size.to_numpy()).any(axis=1) & known
    all_files = Basis(RECORDS, len(records))
    label = "probes.file_facts"
    return {
        f"{label}.commonest_side": entry(side, "commonest longer side, pixels", all_files),
        f"{label}.commonest_side_share": entry(
            float((longest == side).mean()), "share of the images", all_files, reason_null="no image"
        ),
        f"{label}.original_known": entry(int(known.sum()), COUNT, all_files),
        f"{label}.not_original_size": entry(int(other.sum()), COUNT, Basis(RECORDS, int(known.sum()))),
    }
