from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.figures import (
    learning_curves,
)
from tests.figures.drawing import (
    draw,
)


@pytest.mark.parametrize("epochs", [1, 60])
def test_curves_of_any_length_and_of_a_training_that_diverged(
    epochs: int, inputs: dict[str, Path], tmp_path: Path
) -> None:
    history = pd.read_csv(inputs["train_a"] / "history.csv")
    history = pd.concat([history] * 10, ignore_index=True).iloc[:epochs].assign(epoch=range(1, epochs + 1))
    for name, table in (("fine", history), ("diverged", history.assign(loss=np.nan, val_loss=np.nan))):
        (tmp_path / name).mkdir()
        table.to_csv(tmp_path / name / "history.csv", index=False)
        draw("curves", {**inputs, "train_a": tmp_path / name}, tmp_path / name / "out")
    text = json.loads((tmp_path / "fine" / "out" / "figure.json").read_text())["alt"]
    assert "lowest" in text


def test_words_of_the_curves() -> None:
    history = pd.DataFrame(
        {"epoch": [1, 2], "loss": [1.0, 0.5], "accuracy": [0.2, 0.9], "val_loss": [0.7, 0.9], "val_accuracy": [0.5, 0.6]}
    )  # fmt: skip
    assert learning_curves.describe(history, "CNN") == (
        "CNN, 2 epochs: training loss from 1.00 to 0.50, validation loss from 0.70 to 0.90, training accuracy "
        "from 0.20 to 0.90 and validation accuracy from 0.50 to 0.60. Validation loss is lowest, 0.70, in epoch 1."
    )
