from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.figures import learning_curves, style
from tests.figures.drawing import FIGURES, draw, keep_figures


@pytest.mark.parametrize("epochs", [1, 60])
def test_curves_of_any_length_and_of_a_training_that_diverged(
    epochs: int, inputs: dict[str, Path], tmp_path: Path
) -> None:
    history = pd.read_csv(inputs["train_a"] / "history.csv")
    history = pd.concat([history] * 10, ignore_index=True).iloc[:epochs].assign(epoch=range(1, epochs + 1))
    for name, table in (("fine", history), ("diverged", history.assign(loss=np.nan, val_loss=np.nan))):
        (tmp_path / name).mkdir()
        table.to_csv(tmp_path / name / "history.csv", index=False)
        shutil.copy(inputs["train_a"] / "training.json", tmp_path / name)
        draw("curves", {**inputs, "train_a": tmp_path / name}, tmp_path / name / "out")
    text = json.loads((tmp_path / "fine" / "out" / "figure.json").read_text())["alt"]
    assert "lowest" in text


def test_words_of_the_curves() -> None:
    history = pd.DataFrame(
        {"stopped": [0, 0], "epoch": [1, 2], "loss": [1.0, 0.5], "accuracy": [0.2, 0.9], "val_loss": [0.7, 0.9], "val_accuracy": [0.5, 0.6]}
    )  # fmt: skip
    assert learning_curves.describe(history, "CNN") == (
        "CNN, 2 epochs: training loss from 1.00 to 0.50, validation loss from 0.70 to 0.90, training accuracy "
        "from 0.20 to 0.90 and validation accuracy from 0.50 to 0.60. Validation loss is lowest, 0.70, in epoch 1."
    )


def test_an_early_stop_and_a_learning_rate_that_changes_are_marked(
    inputs: dict[str, Path], tmp_path: Path
) -> None:
    """The training of a was stopped early at a constant rate, that of b with a rate that fell."""
    svg = draw("curves", inputs, tmp_path / "a")
    assert "early stop" in svg
    assert "learning rate" not in svg
    svg = draw("curves", {**inputs, "train_a": inputs["train_b"]}, tmp_path / "b")
    assert "learning rate (0 to 0.001)" in svg
    assert "early stop" in draw("histories", inputs, tmp_path / "all")
    words = json.loads((tmp_path / "all" / "figure.json").read_text())["alt"]
    assert words.count("stopped early") == 2


def test_two_networks_share_a_panel_with_readable_ticks_and_more_do_not(
    inputs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = keep_figures(monkeypatch)
    svg = draw("histories", inputs, tmp_path / "two")
    assert "learning rate" not in svg  # it would have a scale of its own
    _, loss, accuracy = figures[0].axes
    low, high = loss.get_ylim()
    assert len([tick for tick in loss.get_yticks() if low <= tick <= high]) >= 3
    colours = [{line.get_color() for line in ax.lines} & set(style.MODEL_COLOURS) for ax in (loss, accuracy)]
    assert all(set(style.MODEL_COLOURS[:2]) <= drawn for drawn in colours)
    models = [{"id": i, "title": f"Network {i}"} for i in "abc"]
    given = {f"training_{i}": f"train_{'a' if i == 'c' else i}" for i in "abc"}
    monkeypatch.setitem(FIGURES, "histories", (given, FIGURES["histories"][1]))
    assert "learning rate (0 to 0.001)" in draw("histories", inputs, tmp_path / "three", models=models)
    assert len(figures[1].axes) == 1 + 2 * 3


def test_a_training_to_its_last_epoch_at_one_rate_has_no_key(inputs: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    history = pd.read_csv(inputs["train_a"] / "history.csv").assign(learning_rate=0.001)
    history.to_csv(tmp_path / "train" / "history.csv", index=False)
    (tmp_path / "train" / "training.json").write_text('{"stopped": "all epochs run"}')
    svg = draw("curves", {**inputs, "train_a": tmp_path / "train"}, tmp_path / "out")
    assert "early stop" not in svg
    assert "learning rate" not in svg


def test_every_training_of_a_network_is_drawn_and_lies_within_the_axes(
    inputs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = keep_figures(monkeypatch)
    (tmp_path / "again").mkdir()
    history = pd.read_csv(inputs["train_a"] / "history.csv")
    history.assign(val_loss=20 * history["val_loss"]).to_csv(tmp_path / "again" / "history.csv", index=False)
    shutil.copy(inputs["train_a"] / "training.json", tmp_path / "again")
    folders, params = FIGURES["histories"]
    monkeypatch.setitem(FIGURES, "histories", ({**folders, "training2_a": "again"}, params))
    draw("histories", {**inputs, "again": tmp_path / "again"}, tmp_path / "out")
    loss = figures[0].axes[1]
    highest = [max(line.get_ydata()) for line in loss.lines if len(line.get_ydata()) == len(history)]
    assert max(highest) == pytest.approx(20 * history["val_loss"].max())
    assert loss.get_ylim()[1] > max(highest)
    monkeypatch.setitem(FIGURES, "histories", (folders, params))
    draw("histories", inputs, tmp_path / "one")
    assert len(loss.lines) == len(figures[1].axes[1].lines) + 2
