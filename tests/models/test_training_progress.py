from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Path]


def test_progress_tells_batches_and_epochs(
    prepared: dict[str, Path],
    plain: dict[str, Any],
    train: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("analysis.models.training_progress.REPORT_SECONDS", 0)
    told: list[tuple[Any, ...]] = []
    train(prepared, tmp_path, plain, lambda *state, log, **figures: told.append((*state, figures, log)))
    assert [state[:3] for state in told] == [*((i + 1, 7, "batches") for i in range(7)), (1, 1, "epochs")]
    assert [state[4] for state in told] == [False] * 7 + [True], "epochs stay in the log"
    assert set(told[0][3]) == {"epoch", "loss", "accuracy", "images_per_second"}
    assert set(told[-1][3]) == {"loss", "accuracy", "val_loss", "val_accuracy", "images_per_second"}
    facts = json.loads((tmp_path / "out/training.json").read_text())
    assert (facts["stopped"], facts["restored"]) == ("all epochs run", False)
