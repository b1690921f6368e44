"""The split that a dataset comes with, as the stages of the audit read one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from analysis.audit.tables import read_table, write_table
from analysis.progress import Progress


def write(inputs: Mapping[str, Path], out: Path, *, scratch: Path, progress: Progress) -> None:
    """Write ``split.csv``: ``image_id``, ``split`` and ``fold``, "" where the dataset puts an image into no part.

    Parameters
    ----------
    inputs : mapping of str to Path
        The stage ``records``.
    """
    records = read_table(inputs["records"] / "records.csv")
    split = records[["image_id"]].assign(split=records["official"], fold="")
    write_table(out / "split.csv", split)
    progress(len(split), len(split), "images")
