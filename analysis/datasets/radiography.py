"""The COVID-19 Radiography Database, as Kaggle gives it.

``<class>/images/*.png`` beside ``<class>/masks/*.png``: masks are no images. Nothing tells the patients.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from analysis.datasets import class_folders
from analysis.datasets.reader import Reader
from analysis.progress import Progress

READER = Reader(
    keys=("folders",),
    obtained="put the images into one folder per class",
    sample_params={"layout": "radiography"},
    words="radiography",
)
CLASSES = (
    {"id": "covid_19", "label": "COVID-19"},
    {"id": "normal", "label": "Normal"},
    {"id": "viral_pneumonia", "label": "Viral Pneumonia"},
    {"id": "lung_opacity", "label": "Lung Opacity"},
)
FOLDERS = {"covid_19": ("COVID", "COVID-19")}


def read(
    inputs: Mapping[str, Path], out: Path, *, scratch: Path, progress: Progress, **settings: Any
) -> None:
    """Write the records of the images, as `class_folders.read` does.

    Parameters
    ----------
    settings
        The fields of `analysis.datasets.class_folders.Settings`.

    Raises
    ------
    DataError
        If a class has no images, or too many would be left out.
    """
    class_folders.read(inputs, out, scratch=scratch, progress=progress, **settings)
