from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.errors import AnalysisError
from tests.models.small_networks import CALLBACKS, write_network

Run = Callable[..., Path]
Recipe = dict[str, Any]


def test_learning_rate_is_reduced_and_the_best_epoch_kept(
    two: dict[str, Path], short: Recipe, train: Run, tmp_path: Path
) -> None:
    write_network(two["architecture"], "softmax")
    out = train(two, tmp_path, {**short, "epochs": 6, "callbacks": CALLBACKS[:2]})
    history = pd.read_csv(out / "history.csv")
    rates, loss = history["learning_rate"], history["val_loss"]
    best, expected = np.inf, [0.005]
    for value in loss:
        better = value < best - 0.2
        best = value if better else best
        expected.append(expected[-1] * (1 if better else 0.5))
    assert list(rates) == pytest.approx(expected[:-1])
    assert rates.iloc[-1] < rates.iloc[0]
    facts = json.loads((out / "training.json").read_text())
    assert facts["weights_epoch"] == history["val_accuracy"].argmax() + 1
    assert facts["epochs_run"] == 6


def test_infinite_loss_is_an_error(
    prepared: dict[str, Path], plain: dict[str, Any], train: Run, tmp_path: Path
) -> None:
    with pytest.raises(AnalysisError, match="finite number in epoch 1"):
        train(prepared, tmp_path, {**plain, "learning_rate": 1e38})
    assert not (tmp_path / "scratch/checkpoint").exists()
