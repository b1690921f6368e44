from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from tests.figures.drawing import (
    draw,
)


def test_before_and_after_have_the_counts_of_each_part(inputs: dict[str, Path], tmp_path: Path) -> None:
    records = pd.read_csv(inputs["read"] / "records.csv")
    records["official"] = np.where(np.arange(len(records)) < 20, "test", "train")
    (tmp_path / "read").mkdir()
    records.to_csv(tmp_path / "read" / "records.csv", index=False)
    draw("before", {**inputs, "read": tmp_path / "read"}, tmp_path / "out")
    table = pd.read_csv(tmp_path / "out" / "figure.csv")
    totals = table.groupby(["when", "part"])["count"].sum().to_dict()
    assert totals == {
        ("before", "train"): 40, ("before", "test"): 20,
        ("after", "train"): 36, ("after", "val"): 12, ("after", "test"): 12,
    }  # fmt: skip
