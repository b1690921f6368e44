from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

CLASSES = ("bacterial", "covid_19", "healthy", "viral")


def prediction_table(seed: int, *, split: str, n: int = 120, skill: float = 1.5) -> pd.DataFrame:
    """Return rows of ``predictions.csv`` with every class present and two pictures a patient."""
    rng = np.random.default_rng(7 if split == "val" else 8)
    y_true = np.r_[np.arange(4), rng.integers(0, 4, n - 4)]
    logits = np.random.default_rng(seed).normal(size=(n, 4)) + skill * np.eye(4)[y_true]
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    table = pd.DataFrame(
        {
            "image_id": [f"images/{split}_{i:04d}.jpg" for i in range(n)],
            "split": split,
            "fold": "",
            "seed": 42,
            "patient_id": [f"p{i // 2}" if i % 10 else "" for i in range(n)],
            "y_true": [CLASSES[k] for k in y_true],
        }
    )
    table[list(CLASSES)] = scores
    return table


@pytest.fixture
def predict(tmp_path: Path) -> Callable[..., Path]:
    """Write the output of a predict stage for one model and return its folder."""

    def write(name: str, seed: int, **options: float) -> Path:
        folder = tmp_path / f"predict_{name}"
        folder.mkdir()
        tables = [prediction_table(seed, split=split, **options) for split in ("val", "test")]
        pd.concat(tables).to_csv(folder / "predictions.csv", index=False)
        return folder

    return write


@pytest.fixture
def training(tmp_path: Path) -> Path:
    """Write the history of a train stage whose validation loss is lowest in epoch 3."""
    folder = tmp_path / "training"
    folder.mkdir()
    history = pd.DataFrame(
        {
            "epoch": range(1, 6),
            "loss": [1.2, 0.9, 0.6, 0.4, 0.2],
            "accuracy": [0.4, 0.6, 0.7, 0.8, 0.9],
            "val_loss": [1.1, 0.8, 0.7, 0.75, 0.9],
            "val_accuracy": [0.5, 0.6, 0.72, 0.74, 0.71],
        }
    )
    history.to_csv(folder / "history.csv", index=False)
    (folder / "training.json").write_text('{"weights_epoch": 5}')
    return folder
