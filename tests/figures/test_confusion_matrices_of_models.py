from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from tests.figures.drawing import FIGURES, draw


@pytest.mark.parametrize(("n", "splits"), [(2, ["test", "val"]), (4, ["test", "val"]), (13, ["test"])])
def test_validation_stands_beside_test_where_it_fits(
    n: int, splits: list[str], inputs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = [{"id": f"m{k}", "title": f"Network {k}"} for k in range(n)]
    given = {f"evaluation_{m['id']}": f"evaluate_{'ab'[k % 2]}" for k, m in enumerate(models)}
    monkeypatch.setitem(FIGURES, "matrices", (given, FIGURES["matrices"][1]))
    svg = draw("matrices", inputs, tmp_path, models=models)
    assert pd.read_csv(tmp_path / "figure.csv")["split"].unique().tolist() == splits
    assert ("Validation" in svg) == ("val" in splits)


def test_shares_stand_below_the_counts_where_they_fit(inputs: dict[str, Path], tmp_path: Path) -> None:
    assert re.search(r">\d+ %<", draw("matrices", inputs, tmp_path))
