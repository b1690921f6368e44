"""The ``low_detail`` stage: boosted trees on images shrunk to 8 x 8, a reference classifier for every network.

A network that does no better than this has learnt nothing that needs a radiograph's detail: brightness, framing
and the shape of the field tell as much (Maguolo and Nanni 2021, A critic evaluation of methods for COVID-19
automatic detection from X-ray images, doi:10.1016/j.inffus.2021.04.008).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from analysis.models.images import read
from analysis.models.predictions_file import write_predictions
from analysis.progress import Progress

SIDE = 8
# Fixed for every study, and nothing is chosen on validation: this is a reference, not a competitor.
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
    """Write ``predictions.csv``, a row for each image of ``splits``, with the columns of a network's.

    Parameters
    ----------
    inputs : mapping of str to Path
        The stages ``records``, ``images`` and ``split``. The trees are fitted on train alone.
    classes : sequence of str
        Each names a column of probabilities.
    seed : int
        Of the trees.
    splits : sequence of str
        Among train, val and test.

    Raises
    ------
    DataError
        The three stages are not about the same images, or an image has a label that is no class.
    """
    images = read(inputs)
    levels = thumbnails(images.levels, progress)
    train, rows = images.rows("train"), images.rows(*splits)
    y_true = images.class_indices(np.arange(len(images.table)), classes)
    trees = HistGradientBoostingClassifier(**SETTINGS, random_state=seed)
    y_score = np.zeros((len(rows), len(classes)), np.float32)
    # Several threads wait for one another in a busy loop: minutes where other work needs the cores.
    with threadpool_limits(1, "openmp"):
        trees.fit(levels[train], y_true[train])
        y_score[:, trees.classes_] = trees.predict_proba(levels[rows])
    write_predictions(images, rows, y_score, out / "predictions.csv", classes=classes, seed=seed)


def thumbnails(images: NDArray[np.uint8], progress: Progress) -> NDArray[np.uint8]:
    """Return images (n, height, width) averaged over areas to 8 x 8, shape (n, 64)."""
    levels = np.empty((len(images), SIDE * SIDE), np.uint8)
    for i, image in enumerate(images):
        levels[i] = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA).ravel()
        progress(i + 1, len(images), "images")
    return levels
