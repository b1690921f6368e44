from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from tests.figures.drawing import (
    CLASSES,
    IDS,
    draw,
)


def test_what_moved_and_how_it_is_said(inputs: dict[str, Path], tmp_path: Path) -> None:
    a, b = ([[50, 2], [10, 38]], [[47, 5], [4, 44]])
    folders = {}
    for model, counts in (("a", a), ("b", b)):
        folders[f"evaluate_{model}"] = tmp_path / model
        (tmp_path / model).mkdir()
        cells = [(t, p, counts[i][j]) for i, t in enumerate(IDS[:2]) for j, p in enumerate(IDS[:2])]
        table = pd.DataFrame(cells, columns=["y_true", "y_pred", "count"])
        # The order of rows does not matter.
        table.assign(split="test", share=table["count"] / 50).iloc[::-1].to_csv(
            tmp_path / model / "confusion.csv"
        )
    svg = draw("moved", {**inputs, **folders}, tmp_path / "out", classes=CLASSES[:2])
    assert pd.read_csv(tmp_path / "out" / "figure.csv")["difference"].tolist() == [-3, 3, -6, 6]
    assert [text for text in ("−3", "+3", "−6", "+6") if f">{text}<" not in svg] == []
    assert json.loads((tmp_path / "out" / "figure.json").read_text())["alt"] == (
        "Improved CNN minus Baseline CNN, test: images classified correctly: Bacterial Pneumonia −3 and COVID-19 +6. "
        "Among the errors the largest changes are +3 of Bacterial Pneumonia predicted as COVID-19 and −6 of COVID-19 "
        "predicted as Bacterial Pneumonia."
    )
