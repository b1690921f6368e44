from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.figures.drawing import (
    draw,
)

# seaborn still gives boxplot an argument that matplotlib has renamed.
pytestmark = pytest.mark.filterwarnings("ignore:vert:DeprecationWarning")


def test_sizes_of_the_files_where_the_originals_are_unknown(inputs: dict[str, Path], tmp_path: Path) -> None:
    read = shutil.copytree(inputs["read"], tmp_path / "read")
    records = pd.read_csv(read / "records.csv").assign(original_width=np.nan, original_height=np.nan)
    records.to_csv(read / "records.csv", index=False)
    assert "file width (pixels)" in draw("sizes", {**inputs, "read": read}, tmp_path / "out")
    assert "original width (pixels)" in draw("sizes", inputs, tmp_path / "known")


def test_sizes_all_the_same(inputs: dict[str, Path], tmp_path: Path) -> None:
    read = shutil.copytree(inputs["read"], tmp_path / "read")
    records = pd.read_csv(read / "records.csv").assign(original_width=300, original_height=300)
    records.to_csv(read / "records.csv", index=False)
    draw("sizes", {**inputs, "read": read}, tmp_path / "out")
    assert set(pd.read_csv(tmp_path / "out" / "figure.csv")["median"]) == {300}
