"""Tables as the stages of the audit read and write them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd


def read_table(path: Path) -> pd.DataFrame:
    """Return a table of a stage, all as text and nothing as missing."""
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table so that equal content gives equal bytes."""
    table.to_csv(path, index=False, lineterminator="\n")
