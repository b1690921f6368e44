"""Study files to try: the assignment's and a small one, each with some texts replaced."""

from __future__ import annotations

from pathlib import Path

import pytest

from report.study.loading import load
from report.study.study import Study
from tests.specimen import TWO_NETWORKS

ASSIGNMENT = TWO_NETWORKS / "study.toml"
STUDY = """\
[study]
title = "T"
author = "A"
date = 2026-01-01

[[classes]]
id = "normal"
label = "Normal"
normal = true

[[classes]]
id = "pneumonia"
label = "Pneumonia"

[dataset]
reader = "class-folders"
root = "data/x"

[[models]]
id = "baseline"
title = "Baseline CNN"
architecture = "analysis.models.assignment:baseline"
epochs = 1

[[models]]
id = "improved"
title = "Improved CNN"
architecture = "analysis.models.assignment:improved"
epochs = 1
"""


@pytest.fixture
def edited(tmp_path: Path):
    """Return a function that writes the assignment's study with one text replaced by another."""

    def write(old: str, new: str) -> Path:
        text = ASSIGNMENT.read_text(encoding="utf-8")
        assert old in text
        path = tmp_path / "study.toml"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        return path

    return write


@pytest.fixture
def read(tmp_path: Path):
    """Return a function that reads a small study with some texts replaced by others."""

    def load_changed(*changes: tuple[str, str], encoding: str = "utf-8") -> Study:
        text = STUDY
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        (tmp_path / "study.toml").write_bytes(text.encode(encoding))
        return load(tmp_path / "study.toml")

    return load_changed
