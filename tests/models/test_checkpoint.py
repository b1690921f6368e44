"""A training that is killed, and one in another process, end with the bytes of one that was left alone."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.models.small_networks import CALLBACKS, write_network

PROJECT = Path(__file__).resolve().parents[2]


Run = Callable[..., Path]
Recipe = dict[str, Any]


class Killed(BaseException):
    pass


def files(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir())}


def apart(folder: Path, inputs: dict[str, Path], recipe: Recipe, kill_at: int) -> int:
    folder.mkdir(exist_ok=True)
    job = {"inputs": {k: str(v) for k, v in inputs.items()}, "recipe": recipe, "kill_at": kill_at}
    command = [sys.executable, str(Path(__file__).with_name("train_apart.py")), str(folder), json.dumps(job)]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "PYTHONHASHSEED": str(kill_at + 2)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode


@pytest.mark.slow  # the next one begins in a fresh process; whole builds predict in two, see delivery/test_rebuild.py
def test_fresh_process_gives_the_same_bytes(
    prepared: dict[str, Path], trained: Path, recipe: Recipe, predict: Run, tmp_path: Path
) -> None:
    assert apart(tmp_path, prepared, recipe, kill_at=-1) == 0
    assert files(tmp_path / "out") == files(trained)
    ours = predict(prepared, trained, tmp_path / "ours", recipe["classes"])
    assert ours.read_bytes() == (tmp_path / "predicted/predictions.csv").read_bytes()


def test_killed_process_is_taken_up(
    prepared: dict[str, Path], trained: Path, recipe: Recipe, train: Run, tmp_path: Path
) -> None:
    assert apart(tmp_path, prepared, recipe, kill_at=3) == -signal.SIGKILL
    assert (tmp_path / "scratch/checkpoint").exists()
    told: list[int] = []

    def progress(done: int, total: int, unit: str, **figures: float) -> None:
        told.append(done) if unit == "epochs" else None

    assert files(train(prepared, tmp_path, recipe, progress)) == files(trained)
    # Killed before the third epoch was saved, so that is where it went on.
    assert told[0] == 3


def test_interrupted_within_the_last_epoch(
    prepared: dict[str, Path],
    trained: Path,
    recipe: Recipe,
    train: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("analysis.models.training_progress.REPORT_SECONDS", 0)
    course = json.loads((trained / "training.json").read_text())
    batch = (course["epochs_run"] - 1) * course["steps_per_epoch"] + 3

    def progress(done: int, total: int, unit: str, **figures: float) -> None:
        if unit == "batches" and done == batch:
            raise Killed

    with pytest.raises(Killed):
        train(prepared, tmp_path, recipe, progress)
    assert files(train(prepared, tmp_path, recipe)) == files(trained)


def test_killed_after_the_last_epoch(
    prepared: dict[str, Path], trained: Path, recipe: Recipe, train: Run, tmp_path: Path
) -> None:
    shutil.copytree(trained.parent / "scratch", tmp_path / "scratch")
    told: list[str] = []
    again = train(prepared, tmp_path, recipe, lambda done, total, unit, **figures: told.append(unit))
    assert files(again) == files(trained)
    assert not told


def test_truncated_checkpoint_starts_again(
    prepared: dict[str, Path],
    trained: Path,
    recipe: Recipe,
    train: Run,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (tmp_path / "scratch").mkdir()
    content = (trained.parent / "scratch/checkpoint").read_bytes()
    (tmp_path / "scratch/checkpoint").write_bytes(content[:-1000])
    assert files(train(prepared, tmp_path, recipe)) == files(trained)
    assert "damaged" in caplog.text


@pytest.mark.parametrize(
    ("head", "change"),
    [
        ("sigmoid", {"class_weights": "balanced"}),
        pytest.param("logits", {"optimizer": "rmsprop"}, marks=pytest.mark.slow),
        pytest.param(
            "softmax",
            {"augmented": "once", "augmentation": [{"kind": "zoom", "range": 0.2, "fill": "nearest"}]}
            | {"input": {"scale": 1.0, "offset": 0.0, "pixels": "interleaved"}},
            marks=pytest.mark.slow,
        ),
        (
            "softmax",
            {"schedule": {"kind": "cosine", "warmup": 1, "final": 0.01}, "callbacks": CALLBACKS[1:]}
            | {
                "optimizer": "adamw",
                "weight_decay": 0.02,
                "label_smoothing": 0.1,
                "class_balance": "square-root",
            },
        ),
    ],
)
def test_killed_with_a_changing_rate_and_best_weights_ends_with_the_same_bytes(
    two: dict[str, Path], short: Recipe, train: Run, tmp_path: Path, head: str, change: Recipe
) -> None:
    write_network(two["architecture"], head, dropout=0.3, augmented="class_weights" in change)
    full = {**short, "epochs": 5, "callbacks": CALLBACKS, **change}

    def kill(done: int, total: int, unit: str, **figures: float) -> None:
        if unit == "epochs" and done == 4:
            raise Killed

    whole = train(two, tmp_path / "whole", full)
    with pytest.raises(Killed):
        train(two, tmp_path / "killed", full, kill)
    again = train(two, tmp_path / "killed", full)
    assert {p.name: p.read_bytes() for p in whole.iterdir()} == {
        p.name: p.read_bytes() for p in again.iterdir()
    }
    assert pd.read_csv(whole / "history.csv")["learning_rate"].nunique() > 1
