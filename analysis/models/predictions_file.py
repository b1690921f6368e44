"""``predictions.csv`` as every classifier writes it: all that is computed of a classifier is computed from this file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from analysis.models.images import Array, Images


def write_predictions(
    images: Images, rows: Array, y_score: Array, path: Path, *, classes: Sequence[str], seed: int
) -> None:
    """Write a line for each of ``rows``, in this order.

    Parameters
    ----------
    rows : array of shape (n,)
        Rows of ``images``.
    y_score : array of shape (n, classes), float32
        Probabilities.
    classes : sequence of str
        Each names a column of probabilities.
    seed : int
        Of the training, for the column of this name.
    """
    table = images.table.iloc[rows].rename(columns={"label": "y_true"}).assign(seed=seed)
    table = table[["image_id", "split", "fold", "seed", "patient_id", "y_true"]]
    # As text: the fewest digits that give the same float32 again.
    table[list(classes)] = y_score.astype(str)
    table.to_csv(path, index=False, lineterminator="\n")
