"""The stages of a pretraining before and after it: which images of another collection a network may learn from.

An X-ray that the study validates or tests on must not have been learnt before, nor one of its patient. ``find`` looks for
the X-rays that both have, ``split`` leaves out what the splits of the study forbid and parts the rest, ``describe`` counts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.audit.near_pairs import find_near_pairs, join
from analysis.audit.registration import thumbnail
from analysis.audit.tables import read_table, write_table
from analysis.errors import DataError
from analysis.evaluation.predictions import cluster_ids
from analysis.evaluation.results_file import COUNT, Basis, Results, entry, owned, write_json
from analysis.patient_split import FEWEST, draw_patients
from analysis.progress import Progress
from analysis.stage_files import find_file
from analysis.vocabulary.external import EXACT, NEAR
from analysis.vocabulary.pretraining import (
    ALL,
    EPOCHS,
    KEPT,
    LEFT_OUT,
    LEFT_OUT_TABLE,
    PATIENT,
    PRETRAINING,
    REASONS,
    SHARED,
    VAL_ACCURACY,
)
from analysis.vocabulary.splits import EVALUATED

OWN, STUDY = "pretraining", "study"
"""The sets of images: those to learn from first, and the study's."""
ALONE = "alone: "
"""Before the id of an image that is its own group, so that this is no other's number."""


def find(inputs: Mapping[str, Path], out: Path, *, scratch: Path, progress: Progress) -> None:
    """Write ``groups.csv``: a row for each image, of either set, that is one X-ray with others.

    ``group`` is what those have in common, to the pixel or nearly (`analysis.audit.near_pairs`), ``content`` what those of
    equal pixels have, ``set`` is ``pretraining`` or ``study``. Prepared images are compared, those that networks see.

    Parameters
    ----------
    inputs : mapping of str to Path
        ``records`` and ``images`` to learn from; ``study_records`` and ``study_images`` of the study.

    Raises
    ------
    DataError
        The images are not those of the records, or both sets were prepared in another size.
    """
    own, study = (_read(inputs[f"{of}records"], inputs[f"{of}images"]) for of in ("", "study_"))
    if own[1].shape[1:] != study[1].shape[1:]:
        raise DataError(
            f"images to learn from have {own[1].shape[1]} px, those of the study {study[1].shape[1]} px"
        )
    contents: dict[str, list[int]] = {}
    levels = [image for images in (own[1], study[1]) for image in images]
    for place, image in enumerate(levels):
        contents.setdefault(hashlib.sha256(np.ascontiguousarray(image).tobytes()).hexdigest(), []).append(
            place
        )
    copies = [*contents.values()]
    small = np.stack([thumbnail(np.asarray(levels[places[0]])) for places in copies])
    near = [(copies[pair.first][0], copies[pair.second][0]) for pair in find_near_pairs(small, progress)]
    groups = join([*near, *((places[0], other) for places in copies for other in places[1:])])
    content = {place: number for number, places in enumerate(copies, start=1) for place in places}
    ids = [*((OWN, name) for name in own[0]), *((STUDY, name) for name in study[0])]
    rows = [
        (number, content[place], *ids[place]) for number, places in enumerate(groups, 1) for place in places
    ]
    write_table(out / "groups.csv", pd.DataFrame(rows, columns=["group", "content", "set", "image_id"]))


def _read(records: Path, images: Path) -> tuple[list[str], NDArray[np.uint8]]:
    """Return the id of each image, and the levels of all, shape (n, side, side); an image with several labels is there once."""
    ids = read_table(find_file(records, "records.csv"))["image_id"]
    levels = np.load(find_file(images, "images.npy"), mmap_mode="r")
    if len(ids) != len(levels):
        raise DataError(f"{len(ids)} records and {len(levels)} images differ", hint="report build")
    first = ~ids.duplicated().to_numpy()
    return [*ids[first]], levels[first]


def split(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    classes: Sequence[str],
    val: float,
    seed: int,
) -> None:
    """Write ``split.csv``, in which images that are left out have no split, "", and ``left_out.csv`` with the reason of each.

    Left out is an image that any split of the study has in its validation or test part, as the same pixels (``exact``) or as
    the same X-ray (``near``), and one that is an image of a patient who has others there (``patient``). The rest is
    parted into training and validation, all images of one X-ray in one of them.

    Parameters
    ----------
    inputs : mapping of str to Path
        ``records`` to learn from, ``groups`` as `find` writes them, ``study_records``, and the splits of the study, each
        called ``split`` and something more.
    classes : sequence of str
        Those to learn first.
    val : float
        The share for validation.
    seed : int
        Of what is drawn.

    Raises
    ------
    DataError
        Too little is left of a class.
    """
    records = read_table(find_file(inputs["records"], "records.csv"))
    groups = read_table(find_file(inputs["groups"], "groups.csv"))
    parts = [
        read_table(find_file(where, "split.csv")) for name, where in inputs.items() if name[:5] == "split"
    ]
    held_out = {image for part in parts for image in part.loc[part["split"].isin(EVALUATED), "image_id"]}
    reasons = find_reasons(groups, read_table(find_file(inputs["study_records"], "records.csv")), held_out)
    why = records["image_id"].map(reasons).fillna("")
    kept = records[why == ""]
    of_group = groups[groups["set"] == OWN].set_index("image_id")["group"]
    xrays = kept["image_id"].map(of_group).fillna(ALONE + kept["image_id"])
    for name in classes:
        if (left := xrays[kept["label"] == name].nunique()) < FEWEST:
            raise DataError(
                f'of the class "{name}" {left} X-rays are left to learn from first, that the study does not validate or test on',
                hint="leave the class out of pretraining.classes, or add images of it",
            )
    drawn = draw_patients(kept["label"].to_numpy(), xrays.to_numpy(), val, seed)
    table = pd.DataFrame({"image_id": records["image_id"], "split": "", "fold": ""})
    table.loc[kept.index, "split"] = np.where(drawn, "val", "train")
    write_table(out / "split.csv", table)
    listed = records[["image_id", "label"]].assign(reason=why)
    write_table(out / LEFT_OUT_TABLE, listed[why != ""])
    progress(len(records), len(records), "images")


def find_reasons(groups: pd.DataFrame, study: pd.DataFrame, held_out: set[str]) -> dict[str, str]:
    """Return why images must not be learnt from, by their ids: the first of the reasons that holds.

    Parameters
    ----------
    groups : DataFrame
        As `find` writes them.
    study : DataFrame
        The records of the study.
    held_out : set of str
        The images of the study that some split of it validates or tests on.
    """
    patient = dict(zip(study["image_id"], cluster_ids(study), strict=True))
    their_patients = {patient[image] for image in held_out}
    theirs = groups[groups["set"] == STUDY]
    held = theirs["image_id"].isin(held_out)
    known = theirs["image_id"].map(patient).isin(their_patients)
    own = groups[groups["set"] == OWN]
    holds = {
        EXACT: own["content"].isin(theirs.loc[held, "content"]),
        NEAR: own["group"].isin(theirs.loc[held, "group"]),
        PATIENT: own["group"].isin(theirs.loc[known, "group"]),
    }
    found: dict[str, str] = {}
    for reason, rows in holds.items():
        found = dict.fromkeys(own.loc[rows, "image_id"], reason) | found
    return found


def describe(
    inputs: Mapping[str, Path], out: Path, *, scratch: Path, progress: Progress, classes: Sequence[str]
) -> None:
    """Write ``results.json``: how many images there are, how many were left out and why, and what the training came to.

    Parameters
    ----------
    inputs : mapping of str to Path
        ``records``, ``groups`` and ``split`` as the stages of this module write them, and ``training`` with its history.
    classes : sequence of str
        Those of the images to learn from.
    """
    records = read_table(find_file(inputs["records"], "records.csv"))
    table = read_table(inputs["split"] / "split.csv")
    left_out = read_table(inputs["split"] / LEFT_OUT_TABLE)
    groups = read_table(find_file(inputs["groups"], "groups.csv"))
    theirs = groups["group"].isin(groups.loc[groups["set"] == STUDY, "group"])
    rows = {
        ALL: records,
        SHARED: records[records["image_id"].isin(groups.loc[theirs & (groups["set"] == OWN), "image_id"])],
        LEFT_OUT: left_out,
        **{part: records[(table["split"] == part).to_numpy()] for part in KEPT},
        **{f"{LEFT_OUT}.{reason}": left_out[left_out["reason"] == reason] for reason in REASONS},
    }
    results: Results = {}
    for name, part in rows.items():
        for key, images in _by_class(part, classes):
            basis = Basis(f"{PRETRAINING}.split/{LEFT_OUT_TABLE if LEFT_OUT in name else 'split.csv'}")
            results[f"{name}.count{key}"] = entry(len(images), COUNT, basis)
    history = pd.read_csv(find_file(inputs["training"], "history.csv"))
    kept = json.loads(find_file(inputs["training"], "training.json").read_text(encoding="utf-8"))
    last = history[history["epoch"] == kept["weights_epoch"]].iloc[0]
    basis = Basis(f"{PRETRAINING}.train/history.csv", len(rows["val"]))
    results[EPOCHS] = entry(len(history), COUNT, basis)
    results[VAL_ACCURACY] = entry(float(last["val_accuracy"]), "share of validation images", basis)
    write_json(out / "results.json", owned(results, PRETRAINING))
    progress(len(records), len(records), "images")


def _by_class(images: pd.DataFrame, classes: Sequence[str]) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield all images behind "", and those of each class behind what its names end with."""
    yield "", images
    yield from ((f".{name}", images[images["label"] == name]) for name in classes)
