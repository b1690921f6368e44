from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from tests.models.conftest import CLASSES

Run = Callable[..., Path]


def test_predictions_are_rows_of_the_records_in_order(
    prepared: dict[str, Path], trained: Path, predict: Run, tmp_path: Path
) -> None:
    path = predict(prepared, trained, tmp_path / "predicted", CLASSES)
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    columns = ["image_id", "split", "fold", "seed", "patient_id", "y_true"]
    assert list(table) == [*columns, *CLASSES]
    split = pd.read_csv(prepared["split"] / "split.csv")
    assert list(table["image_id"]) == list(split["image_id"][split["split"].isin(["val", "test"])])
    y_score = table[CLASSES].to_numpy().astype(np.float32)
    assert (y_score.astype(str) == table[CLASSES].to_numpy()).all()
    np.testing.assert_allclose(y_score.sum(1), 1, rtol=1e-6)

    model = keras.models.load_model(trained / "model.keras")
    levels = np.load(prepared["images"] / "images.npy")[split["split"].isin(["val", "test"])]
    direct = model(np.repeat(levels[..., None] / np.float32(255), 3, -1), training=False)
    np.testing.assert_allclose(y_score, direct, rtol=1e-4, atol=1e-6)


def test_other_changes_can_be_averaged_over_than_the_training_names(
    prepared: dict[str, Path], trained: Path, predict: Run, tmp_path: Path
) -> None:
    tables = {}
    for name, changes in {
        "as trained": {},
        "alone": {"averaged_over": []},
        "mean": {"averaged_over": ["horizontal_flip"]},
    }.items():
        path = predict(prepared, trained, tmp_path / name, CLASSES, **changes)
        tables[name] = pd.read_csv(path)[CLASSES].to_numpy()
    assert (tables["as trained"] == tables["alone"]).all()
    assert not np.allclose(tables["mean"], tables["alone"])
