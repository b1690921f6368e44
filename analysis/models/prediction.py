"""What a trained network says of pictures that it was not trained on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from analysis.errors import DataError
from analysis.models import heads, runtime
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
    test_input: Mapping[str, Any] | None = None,
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
    test_input : mapping, optional
        Another ``scale`` and ``offset`` for the test pictures than in training.

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
    scaling = Scaling(seen["scale"], seen["offset"], seen["channels"], seen["pixels"])
    head = heads.head(model, len(classes))
    rows, done = pictures.rows(*splits), 0
    y_score = np.empty((len(pictures.table), len(classes)), np.float32)
    for split in splits:
        part = pictures.rows(split)
        shown = replace(scaling, **test_input) if split == "test" and test_input else scaling
        for i, (batch, _) in enumerate(plain(pictures, part, classes, shown, BATCH_SIZE)):
            places = part[i * BATCH_SIZE : (i + 1) * BATCH_SIZE]
            y_score[places] = heads.probabilities(head, model.predict_on_batch(batch))
            done += len(places)
            progress(done, len(rows), "pictures")

    table = pictures.table.iloc[rows].rename(columns={"label": "y_true"}).assign(seed=seed)
    table = table[["image_id", "split", "fold", "seed", "patient_id", "y_true"]]
    # As text: the fewest digits that give the same float32 again.
    table[list(classes)] = y_score[rows].astype(str)
    table.to_csv(out / "predictions.csv", index=False, lineterminator="\n")
