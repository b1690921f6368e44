"""The ``split`` stage of a study with ``split.exclude_duplicates``: no X-ray is in two splits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from analysis import splitting
from analysis.audit.leaks import place
from analysis.audit.tables import read_table, write_table
from analysis.errors import DataError
from analysis.progress import Progress, silent
from analysis.vocabulary.audit import CONFLICT, COPY, LEFT_OUT_TABLE
from analysis.vocabulary.splits import SPLITS

KEPT = ("test", "val", "train")
"""In which split an X-ray stays that is in several: what decides stays as it was drawn, and training gives way."""


def split(inputs: Mapping[str, Path], out: Path, *, scratch: Path, progress: Progress, **rule: Any) -> None:
    """Write ``split.csv`` as `analysis.splitting.split`, in which images that are left out have no split, "".

    Of the images of one X-ray, to the pixel or nearly, those stay that are in the test set; if none is there, those in the
    validation set. Where the images of one X-ray have different labels, nothing tells which is right, and all are left
    out, even within one split. Copies of one label within a split stay. ``left_out.csv`` has a row for each image left out:
    ``image_id``, ``split`` in which it was, ``reason`` (`CONFLICT` or `COPY`) and ``stays``, an image for which it
    gives way ("" of a conflict).

    Parameters
    ----------
    inputs : mapping of str to Path
        The stages ``records``, and ``duplicates`` with ``groups.csv``.
    rule
        As `analysis.splitting.Rule` has it.

    Raises
    ------
    DataError
        As `analysis.splitting.split`; or nothing is left of a class in a split.
    """
    splitting.split({"records": inputs["records"]}, scratch, scratch=scratch, progress=silent, **rule)
    table = read_table(scratch / "split.csv")
    groups = read_table(inputs["duplicates"] / "groups.csv")
    left_out = choose(table, groups)
    dropped = left_out.index
    table.loc[dropped, "split"] = ""
    _require_all(read_table(inputs["records"] / "records.csv")["label"], table["split"], rule["classes"])
    write_table(out / "split.csv", table)
    write_table(out / LEFT_OUT_TABLE, left_out)
    progress(len(table), len(table), "images")


def choose(table: pd.DataFrame, groups: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a split that are left out, with the reason of each.

    Parameters
    ----------
    table : DataFrame
        ``image_id`` and ``split`` of each row.
    groups : DataFrame
        As `analysis.audit.duplicates.find` writes them.
    """
    placed = place(table[["image_id", "split"]], groups)
    labels = groups.groupby("group")["label"].nunique()
    conflicting = placed["group"].isin(labels.index[labels > 1])
    rank = placed["split"].map(KEPT.index)
    gives_way = ~conflicting & (rank > rank.groupby(placed["group"]).transform("min"))
    stays = placed[~conflicting & ~gives_way].drop_duplicates("group").set_index("group")["image_id"]
    placed["reason"] = gives_way.map({True: COPY, False: CONFLICT})
    placed["stays"] = placed["group"].map(stays).where(gives_way, "").fillna("")
    return placed.loc[conflicting | gives_way, ["image_id", "split", "reason", "stays"]]


def _require_all(labels: pd.Series[str], splits: pd.Series[str], classes: Iterable[str]) -> None:
    for name in classes:
        for part in SPLITS:
            if not ((labels == name) & (splits == part)).any():
                raise DataError(
                    f'without images that are there twice the class "{name}" has none in the split {part}',
                    hint="add images of this class, or keep them: --set split.exclude_duplicates=false",
                )
