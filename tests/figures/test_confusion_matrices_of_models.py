from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from analysis.figures.heatmaps import read_matrices
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


def test_rows_of_means_have_the_images_of_their_class() -> None:
    rows = [
        ("a", "a", 2.4),
        ("a", "b", 1.3),
        ("a", "c", 1.3),
        ("b", "a", 0.0),
        ("b", "b", 3.0),
        ("b", "c", 0.0),
    ]
    rows += [("c", "a", 0.5), ("c", "b", 0.5), ("c", "c", 0.0)]
    table = pd.DataFrame(rows, columns=["y_true", "y_pred", "count"]).assign(share=0.0)
    counts, _ = read_matrices(table, [{"id": i, "label": i} for i in "abc"])
    assert counts.sum(axis=1).tolist() == [5, 3, 1]
