"""External images that the study has too are found by what the networks see."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.audit.external.duplicates import find, read_duplicates
from analysis.errors import DataError
from analysis.progress import silent


def write(root: Path, name: str, levels, ids) -> dict[str, Path]:
    folder = root / name
    folder.mkdir()
    pd.DataFrame({"image_id": ids}).to_csv(folder / "records.csv", index=False)
    pd.DataFrame({"image_id": ids, "split": ["train", "val", "test"][: len(ids)]}).to_csv(
        folder / "split.csv", index=False
    )
    np.save(folder / "images.npy", np.asarray(levels, np.uint8))
    return folder


def look(tmp_path: Path, own: Path, known: Path) -> pd.DataFrame:
    inputs = {
        "records": own,
        "images": own,
        "study_records": known,
        "study_images": known,
        "study_split": known,
    }
    find(inputs, tmp_path, scratch=tmp_path, progress=silent)
    return read_duplicates(tmp_path)


def test_equal_images_are_found_under_other_names_and_others_are_not(tmp_path):
    levels = np.random.default_rng(1).integers(0, 256, (3, 16, 16))
    near = levels[1].copy()
    near[0, 0] = (int(near[0, 0]) + 1) % 256
    own = write(tmp_path, "own", [levels[2], near, levels[0]], ["x", "y", "z"])
    found = look(tmp_path, own, write(tmp_path, "known", levels, ["a", "b", "c"]))
    assert [*found.itertuples(index=False, name=None)] == [
        ("x", "c", "test", "equal pixels"),
        ("z", "a", "train", "equal pixels"),
    ]


def test_files_are_taken_by_themselves_too(tmp_path):
    levels = np.zeros((1, 16, 16))
    own, known = write(tmp_path, "own", levels, ["x"]), write(tmp_path, "known", levels, ["a"])
    inputs = {
        "records": own,
        "images": own,
        "study_records": known / "records.csv",
        "study_images": known / "images.npy",
        "study_split": known / "split.csv",
    }
    find(inputs, tmp_path, scratch=tmp_path, progress=silent)
    assert len(read_duplicates(tmp_path)) == 1


def test_images_of_another_size_are_refused(tmp_path):
    own = write(tmp_path, "own", np.zeros((1, 16, 16)), ["x"])
    with pytest.raises(DataError, match="16 px, those of the study 8 px"):
        look(tmp_path, own, write(tmp_path, "known", np.zeros((1, 8, 8)), ["a"]))
