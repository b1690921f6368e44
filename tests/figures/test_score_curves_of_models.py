from __future__ import annotations

from pathlib import Path

from tests.figures.drawing import (
    draw,
)


def test_prevalence_is_the_share_of_the_class(inputs: dict[str, Path], tmp_path: Path) -> None:
    assert draw("overlay.pr", inputs, tmp_path / "pr").count("prevalence 0.250") == 8
    assert "prevalence" not in draw("overlay.roc", inputs, tmp_path / "roc")
