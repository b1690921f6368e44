"""The stages that read the images: the generated sample, an archive, the dataset's reader, the images as arrays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from analysis.datasets.reader import function_of
from report import PROJECT
from report.engine.stage import ALL_FILES, Input, Json, Output, Source, Stage
from report.pipeline import packages
from report.study import readers
from report.study.settings import ClassLabel
from report.study.study import Study
from report.study.value_types import is_folder_name

LONGEST_FOLDER = 100
"""In bytes: the images in a folder of the sample have its name and a number."""
RECORDS = Output("read", ("records.csv",))
IMAGES = Output("images")
DataKind = Literal["sample", "folder", "archive"]


@dataclass(frozen=True)
class Place:
    """Where a study's files lie, and what else a build knows that its study file does not say.

    Attributes
    ----------
    study : Path
        Its folder.
    kind : str
        What the data are: the generated sample, a folder, or an archive as it was downloaded.
    data : Path or None
        The folder or the archive; None for the generated sample.
    overrides : tuple of str
        Changes to the study file made on the command line, as ``key=value``.
    declared_late : bool
        Whether the comparison was declared anew after results on the test set had been seen.
    commit : str
        The version of the program, for the appendix; "" where it is not known.
    """

    study: Path
    kind: DataKind
    data: Path | None = None
    overrides: tuple[str, ...] = ()
    declared_late: bool = False
    commit: str = ""


def find_kind(data: Path | None) -> DataKind:
    """Return what data are that lie at ``data``, None for the generated sample."""
    if data is None:
        return "sample"
    return "archive" if data.is_file() else "folder"


def make_data_stages(study: Study, place: Place) -> Iterator[Stage]:
    """Yield the stages from the data as they were had to the images of every record as arrays."""
    data, pixels = make_data_inputs(place)
    if place.kind == "sample":
        yield _sample(study)
    if place.kind == "archive":
        yield _archive(place, study)
    yield Stage(
        "read",
        function_of(study.dataset.reader),
        {"data": data},
        {**_reading(study), **study.dataset.select("max_excluded")},
        packages=packages.IMAGES,
        releases=ALL_FILES,  # tables of the images, none of their pixels
    )
    yield Stage(
        "images",
        "analysis.preparation:prepare",
        {"records": Output("read", ("records.csv", "depth.json")), "data": pixels},
        study.image.select("size", "fit", "resample"),
        packages=packages.IMAGES,
    )


def _sample(study: Study) -> Stage:
    """Return the stage that writes the generated sample in the layout of the study's data."""
    reader = readers.look_up(study.dataset.reader)
    params: dict[str, Json] = {**reader.sample_params, **study.sample.select("pictures", "seed")}
    for key in reader.sample_keys:
        params |= {"classes": _names_in_data(study)} if key == "classes" else study.dataset.select(key)
    return Stage("sample", reader.sample, params=params, packages=packages.IMAGES, private=True)


def _names_in_data(study: Study) -> list[Json]:
    return [{"id": c.id, "folder": _name_in_data(study, c)} for c in study.classes]


def _name_in_data(study: Study, class_: ClassLabel) -> str:
    """Return what a class is called in the sample: as its folder or in the table, there perhaps as a column."""
    data = study.dataset
    label = class_.label if data.columns else _folder(class_)
    names = (*data.folders.get(class_.id, ()), *data.values.get(class_.id, ()), label, class_.id)
    columns = data.columns.label if data.columns else ()
    return next((name for name in names if isinstance(columns, tuple) and name in columns), names[0])


def _folder(class_: ClassLabel) -> str:
    """Return the name of a class' folder: its label, or its id where that could not be the name of one."""
    label = class_.label
    is_name = is_folder_name(label) and len(label.encode()) <= LONGEST_FOLDER and not label.startswith(".")
    return label if is_name else class_.id


def _reading(study: Study) -> dict[str, Json]:
    """Return what the study's reader is told about labels."""
    own = readers.look_up(study.dataset.reader).keys
    pattern = ("patient_pattern",) if study.dataset.patient_pattern else ()
    return {
        "classes": [c.select("id", "label") for c in study.classes],
        **study.dataset.select(*own, *pattern, "exclude"),
    }


def make_data_check_stages(data: Path, study: Study | None) -> list[Stage]:
    """Return the stages that tell what ``data`` holds; the settings of ``study`` are tried before any others."""
    place = Place(PROJECT, find_kind(data), data)
    given: Json = {"reader": study.dataset.reader, **_reading(study)} if study else None
    inputs = {"data": make_data_inputs(place)[0]}
    check = Stage(
        "check",
        "analysis.datasets.checks.data_check:check",
        inputs,
        {"settings": given},
        uses=(function_of(study.dataset.reader),) if study else (),
        packages=packages.IMAGES,
    )
    return [_archive(place, study), check] if place.kind == "archive" else [check]


def _archive(place: Place, study: Study | None) -> Stage:
    assert place.data is not None
    encoding = study.dataset.archive_encoding if study else ""
    params: dict[str, Json] = {"encoding": encoding} if encoding else {}
    return Stage(
        "archive", "analysis.datasets.archives.unpacking:unpack", {"data": make_xrays(place.data)}, params
    )


def make_xrays(path: Path, *, keyed: bool = True) -> Source:
    """Return X-rays as an input: listed as the readers list them, and never handed over."""
    hint = "name the folder of the X-rays with --data DIR"
    return Source(path, keyed=keyed, private=True, listing="analysis.walk:list_files", hint=hint)


def make_data_inputs(place: Place) -> tuple[Input, Input]:
    """Return the data folder as the reader sees it (content in the key) and as later stages do.

    Later stages check every image against the digest in ``records.csv``, so the folder itself is not
    part of their keys.
    """
    if place.kind != "folder":
        unpacked = Output(place.kind)
        return unpacked, unpacked
    assert place.data is not None
    return make_xrays(place.data), make_xrays(place.data, keyed=False)
