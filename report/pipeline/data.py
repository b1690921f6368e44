"""The stages that read the images: the generated sample, an archive, the dataset's reader, the images as arrays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from analysis.datasets.reader import function_of
from report import PROJECT
from report.engine.stage import ALL_FILES, Input, Json, Output, Source, Stage
from report.pipeline import packages
from report.study import readers
from report.study.external import ExternalClass
from report.study.pretraining import LearntClass
from report.study.settings import ClassLabel, Dataset, Image
from report.study.study import Study
from report.study.value_types import is_folder_name

LONGEST_FOLDER = 100
"""In bytes: the images in a folder of the sample have its name and a number."""
RECORDS = Output("read", ("records.csv",))
IMAGES = Output("images")
DataKind = Literal["sample", "folder", "archive"]
AnyClass = ClassLabel | ExternalClass | LearntClass


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
    external_kind : str
        What the external set is; "" where the study has none, or its images are not there.
    external : Path or None
        Its folder or archive.
    weights : Path or None
        The folder of files of weights learnt on ImageNet; None where they are to be fetched.
    pretraining_kind : str
        What the images to learn from first are; "" where the study has none.
    pretraining : Path or None
        Their folder or archive.
    networks : mapping of str to Path
        The networks of other studies, by what models call them as their ``weights``.
    """

    study: Path
    kind: DataKind
    data: Path | None = None
    overrides: tuple[str, ...] = ()
    declared_late: bool = False
    commit: str = ""
    external_kind: DataKind | Literal[""] = ""
    external: Path | None = None
    weights: Path | None = None
    networks: Mapping[str, Path] = field(default_factory=dict)
    pretraining_kind: DataKind | Literal[""] = ""
    pretraining: Path | None = None


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
        assert place.data is not None
        yield make_archive_stage("archive", place.data, study.dataset)
    yield Stage(
        "read",
        function_of(study.dataset.reader),
        {"data": data},
        {**describe_reading(study.dataset, study.classes), **study.dataset.select("max_excluded")},
        packages=packages.IMAGES,
        releases=ALL_FILES,  # tables of the images, none of their pixels
        early=True,
    )
    yield make_images_stage(pixels, study.image)


def make_images_stage(pixels: Input, image: Image) -> Stage:
    """Return the stage that makes the images of all records one array."""
    return Stage(
        "images",
        "analysis.preparation:prepare",
        {"records": Output("read", ("records.csv", "depth.json")), "data": pixels},
        image.select("size", "fit", "resample"),
        packages=packages.IMAGES,
    )


def _sample(study: Study) -> Stage:
    """Return the stage that writes the generated sample in the layout of the study's data."""
    reader = readers.look_up(study.dataset.reader)
    params: dict[str, Json] = {**reader.sample_params, **study.sample.select("pictures", "seed")}
    if study.sample.clean:
        params["clean"] = True
    for key in reader.sample_keys:
        classes = name_in_data(study.dataset, study.classes)
        params |= {"classes": classes} if key == "classes" else study.dataset.select(key)
    return Stage("sample", reader.sample, params=params, packages=packages.IMAGES, private=True)


def name_in_data(data: Dataset, classes: Iterable[AnyClass]) -> list[Json]:
    """Return what each class is called in generated data: as its folder, or in the table, there perhaps as a column."""
    return [{"id": c.id, "folder": _name_in_data(data, c)} for c in classes]


def _name_in_data(data: Dataset, class_: AnyClass) -> str:
    label = class_.label if data.columns else _folder(class_)
    names = (*data.folders.get(class_.id, ()), *data.values.get(class_.id, ()), label, class_.id)
    columns = data.columns.label if data.columns else ()
    return next((name for name in names if isinstance(columns, tuple) and name in columns), names[0])


def _folder(class_: AnyClass) -> str:
    """Return the name of a class' folder: its label, or its id where that could not be the name of one."""
    label = class_.label
    is_name = is_folder_name(label) and len(label.encode()) <= LONGEST_FOLDER and not label.startswith(".")
    return label if is_name else class_.id


def describe_reading(data: Dataset, classes: Iterable[AnyClass]) -> dict[str, Json]:
    """Return what the reader of a dataset is told about labels."""
    own = readers.look_up(data.reader).keys
    pattern = ("patient_pattern",) if data.patient_pattern else ()
    return {
        "classes": [c.select("id", "label") for c in classes],
        **data.select(*own, *pattern),
        "exclude": data.exclusions,
    }


def make_data_check_stages(data: Path, study: Study | None, *, keep: bool = False) -> list[Stage]:
    """Return the stages that tell what ``data`` holds; the settings of ``study`` are tried before any others.

    With ``keep`` the last of them is ``read``, as of a study, and keeps the tables of the reader.
    """
    place = Place(PROJECT, find_kind(data), data)
    given: Json = None
    if study:
        given = {"reader": study.dataset.reader, **describe_reading(study.dataset, study.classes)}
    inputs = {"data": make_data_inputs(place)[0]}
    check = Stage(
        "read" if keep else "check",
        f"analysis.datasets.checks.data_check:{'read' if keep else 'check'}",
        inputs,
        {"settings": given},
        uses=(function_of(study.dataset.reader),) if study else (),
        packages=packages.IMAGES,
        releases=ALL_FILES if keep else (),  # tables of the images, none of their pixels
    )
    if place.kind != "archive":
        return [check]
    return [make_archive_stage("archive", data, study.dataset if study else None), check]


def make_archive_stage(name: str, archive: Path, data: Dataset | None) -> Stage:
    """Return the stage that unpacks an archive; ``data`` says in which encoding its names are."""
    encoding = data.archive_encoding if data else ""
    params: dict[str, Json] = {"encoding": encoding} if encoding else {}
    return Stage(name, "analysis.datasets.archives.unpacking:unpack", {"data": make_xrays(archive)}, params)


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
