from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from analysis.datasets import records
from analysis.datasets.records import join_patients


def table(*rows: tuple[str, str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["image_id", "patient_id", "source", "sha256"])


def test_copies_are_of_one_patient_where_nothing_else_is_known() -> None:
    found = join_patients(
        table(
            ("a.png", "file-a.png", "unknown", "x"),
            ("b.png", "file-b.png", "unknown", "y"),
            ("c.png", "file-c.png", "unknown", "x"),
            ("d.png", "file-d.png", "unknown", "z"),
            ("e.png", "kermany-IM-1", "kermany", "z"),
            ("f.png", "kermany-IM-2", "kermany", "w"),
            ("g.png", "kermany-IM-3", "kermany", "w"),
        )
    )
    assert found["patient_id"].tolist() == [
        *("file-a.png", "file-b.png", "file-a.png"),
        *("kermany-IM-1", "kermany-IM-1", "kermany-IM-2", "kermany-IM-3"),
    ]
    assert found["source"].tolist() == ["unknown"] * 4 + ["kermany"] * 3, "what tells it is no other"


def test_what_a_reader_writes_has_them(tmp_path: Path) -> None:
    given = table(("a.png", "file-a.png", "unknown", "x"), ("b.png", "file-b.png", "unknown", "x"))
    given.attrs["depth"] = 12
    records.write(tmp_path, given, [], [])
    assert (tmp_path / "depth.json").read_text() == '{"depth": 12}\n'
    assert pd.read_csv(tmp_path / "records.csv")["patient_id"].tolist() == ["file-a.png"] * 2


@pytest.mark.parametrize("order", [1, -1])
def test_no_records_and_any_order(order: int) -> None:
    assert join_patients(table()).empty
    two = table(("a", "file-a", "unknown", "x"), ("b", "kermany-IM-1", "kermany", "x"))[::order]
    assert set(join_patients(two)["patient_id"]) == {"kermany-IM-1"}
