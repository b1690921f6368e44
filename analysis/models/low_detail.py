"""The ``low_detail`` stage: what boosted trees say of pictures shrunk to 8 x 8, a floor for every network.

A network that does no better than this has learnt nothing that needs a radiograph's detail: brightness, framing
and the shape of the field tell as much (Maguolo and Nanni 2021, A critic evaluation of methods for COVID-19
automatic detection from X-ray images, doi:10.1016/j.inffus.2021.04.008).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from analysis.errors import DataError
from analysis.progress import Progress

SIDE = 8
# Fixed for every study, and nothing is chosen on validation: this is a floor, not a competitor.
SETTINGS = {"max_iter": 100, "learning_rate": 0.1, "max_leaf_nodes": 31, "early_stopping": False}


def fit(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    classes: Sequence[str],
    seed: int,
    splits: Sequence[str],
) -> None:
    """Write ``predictions.csv``, a row for each picture of ``splits``, with the columns of a network's.

    Parameters
    ----------
    inputs : mapping of str to Path
        The stages ``records``, ``images`` and ``split``. The trees are fitted on train alone.
    classes : sequence of str
        Each names a column of probabilities.
    splits : sequence of str
        Among train, val and test.

    Raises
    ------
    DataError
        The three stages do not tell of the same pictures, or a picture of train has a label that is no class.
    """
    images = np.load(inputs["images"] / "images.npy", mmap_mode="r")
    table = _read_table(inputs, len(images))
    levels = thumbnails(images, progress)
    y_true = _class_indices(table["label"], classes)
    train = (table["split"] == "train").to_numpy()
    rows = np.flatnonzero(table["split"].isin(splits))
    trees = HistGradientBoostingClassifier(**SETTINGS, random_state=seed)
    y_score = np.zeros((len(rows), len(classes)), np.float32)
    # Several threads wait for one another in a busy loop: minutes where other work needs the cores.
    with threadpool_limits(1, "openmp"):
        trees.fit(levels[train], y_true[train])
        y_score[:, trees.classes_] = trees.predict_proba(levels[rows])
    written = table.iloc[rows].rename(columns={"label": "y_true"}).assign(seed=seed)
    written = written[["image_id", "split", "fold", "seed", "patient_id", "y_true"]]
    written[list(classes)] = y_score.astype(str)  # the fewest digits that give the same float32 again
    written.to_csv(out / "predictions.csv", index=False, lineterminator="\n")


def thumbnails(images: NDArray[np.uint8], progress: Progress) -> NDArray[np.uint8]:
    """Return pictures (n, height, width) averaged over areas to 8 x 8, shape (n, 64)."""
    levels = np.empty((len(images), SIDE * SIDE), np.uint8)
    for i, picture in enumerate(images):
        levels[i] = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA).ravel()
        progress(i + 1, len(images), "pictures")
    return levels


def _read_table(inputs: Mapping[str, Path], pictures: int) -> pd.DataFrame:
    records, split = (
        pd.read_csv(inputs[name] / f"{name}.csv", dtype=str, keep_default_na=False)
        for name in ("records", "split")
    )
    if pictures != len(records) or list(records["image_id"]) != list(split["image_id"]):
        raise DataError(
            f"{len(records)} records, {pictures} pictures and {len(split)} rows of the split differ",
            hint="report build",
        )
    return records.assign(split=split["split"], fold=split["fold"])


def _class_indices(labels: pd.Series[str], classes: Sequence[str]) -> NDArray[np.intp]:
    places = pd.Index(classes).get_indexer(pd.Index(labels))
    if (places < 0).any():
        strange = labels[places < 0].iloc[0]
        raise DataError(f'a picture has the label "{strange}", none of the classes', hint="report data check")
    return places
