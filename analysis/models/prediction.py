"""What a trained network says of pictures that it was not trained on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from analysis.errors import DataError
from analysis.models import runtime
from analysis.models.pictures import Scaling, plain, read
from analysis.progress import Progress

# Fixed, so that the last bits of a probability do not depend on the study.
BATCH_SIZE = 32


def predict(
    inputs: dict[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    classes: Sequence[str],
    seed: int,
    splits: Sequence[str],
) -> None:
    """Write ``predictions.csv``: a row for each picture of ``splits``, in the order of the records.

    Parameters
    ----------
    inputs : dict of str to Path
        The stages ``model``, ``records``, ``images`` and ``split``.
    classes : sequence of str
        In the order of the network's outputs; each names a column of probabilities.
    seed : int
        Of the training, for the column of this name.
    splits : sequence of str
        Among train, val and test.

    Raises
    ------
    DataError
        The network was trained on pictures of another size.
    """
    runtime.start(seed)
    pictures = read(inputs)
    seen = json.loads((inputs["model"] / "input.json").read_text(encoding="utf-8"))
    if seen["size"] != pictures.size:
        raise DataError(f"the network saw {seen['size']} px pictures, these have {pictures.size} px")
    model = keras.models.load_model(inputs["model"] / "model.keras")
    model.jit_compile = False
    rows = pictures.rows(*splits)
    scaling = Scaling(seen["scale"], seen["offset"], seen["channels"])
    y_score = np.empty((len(rows), len(classes)), np.float32)
    for i, (batch, _) in enumerate(plain(pictures, rows, classes, scaling, BATCH_SIZE)):
        start = i * BATCH_SIZE
        y_score[start : start + BATCH_SIZE] = model.predict_on_batch(batch)
        progress(min(start + BATCH_SIZE, len(rows)), len(rows), "pictures")

    table = pictures.table.iloc[rows].rename(columns={"label": "y_true"}).assign(seed=seed)
    table = table[["image_id", "split", "fold", "seed", "patient_id", "y_true"]]
    # As text: the fewest digits that give the same float32 again.
    table[list(classes)] = y_score.astype(str)
    table.to_csv(out / "predictions.csv", index=False, lineterminator="\n")
