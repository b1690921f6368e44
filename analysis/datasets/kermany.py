"""The paediatric chest X-rays of Kermany et al., as Kaggle and Mendeley Data give them.

``chest_xray/{train,val,test}/{NORMAL,PNEUMONIA}/*.jpeg``; Mendeley's release has no ``val``. The name of a file tells its
patient and the kind of pneumonia.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from analysis.datasets import patients
from analysis.datasets.class_folders import NameRules, Settings, read_folders
from analysis.datasets.reader import Reader
from analysis.progress import Progress

READER = Reader(
    keys=("folders",),
    obtained="put the images into one folder per class",
    sample_params={"layout": "kermany"},
    words="kermany",
)
BACTERIAL, VIRAL = "Bacterial Pneumonia", "Viral Pneumonia"
KINDS = (
    (re.compile(r"person\d+_bacteria|BACTERIA-"), BACTERIAL),
    (re.compile(r"person\d+_virus|VIRUS-"), VIRAL),
)
CLASSES = ({"id": "normal", "label": "Normal"}, {"id": "pneumonia", "label": "Pneumonia"})


def read(
    inputs: Mapping[str, Path], out: Path, *, scratch: Path, progress: Progress, **settings: Any
) -> None:
    """Write the records of the images, as `class_folders.read` does, tagged with the kind of pneumonia.

    Parameters
    ----------
    settings
        The fields of `analysis.datasets.class_folders.Settings`.

    Raises
    ------
    DataError
        If a class has no images, or too many would be left out.
    """
    rules = NameRules(tags=kind, patient=patients.kermany)
    read_folders(inputs["data"], out, Settings(**settings), rules, progress)


def kind(image_id: str) -> tuple[str, ...]:
    """Return the kind of pneumonia that the name of a file tells, as the tag that V7 has for it; () if none."""
    name = PurePosixPath(image_id).name
    return tuple(tag for pattern, tag in KINDS if pattern.match(name))
