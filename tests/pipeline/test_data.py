"""The stages that read the images, and what each reader and sample is given."""

from __future__ import annotations

import importlib
import inspect
import shutil
from pathlib import Path

import pytest

from analysis.datasets import class_folders, table
from analysis.datasets.archives import unpacking
from report import PROJECT
from report.engine.stage import Output, Stage
from report.engine.system.distributions import select_installed
from report.pipeline.data import Place, make_data_check_stages, make_xrays
from report.pipeline.stages import make_stages
from report.study.loading import load
from report.study.settings import Columns, Dataset
from tests.pipeline.plans import (
    ASSIGNMENT,
    REAL,
    STUDY,
)

SEEN = {
    *("attention.baseline", "attention.improved"),
    "images",
    "audit.duplicates",
    "figure.examples",
    "figure.duplicates",
    "figure.labels",
    "figure.flips.improved",
}
"""The stages that look at images as they lie there, known by what was read."""


def test_only_the_reader_depends_on_the_data_folder():
    keyed = {s.name for s in REAL for given in s.inputs.values() if given == make_xrays(Path("/data"))}
    located = {
        s.name for s in REAL for given in s.inputs.values() if given == make_xrays(Path("/data"), keyed=False)
    }
    assert keyed == {"read"}
    assert located == SEEN


def test_an_archive_is_unpacked_once_and_read_from_there(tmp_path):
    packed = tmp_path / "data.zip"
    packed.write_bytes(b"PK")
    plan = make_stages(STUDY, Place(ASSIGNMENT, "archive", packed))
    assert plan[0].name == "archive"
    assert plan[0].inputs == {"data": make_xrays(packed)}
    readers = {s.name for s in plan if Output("archive") in s.inputs.values()}
    assert readers == {"read", *SEEN}
    others = [s for s in plan[1:] if s.name != "figure.stages"]
    assert [s.params for s in others] == [s.params for s in REAL if s.name != "figure.stages"]


def test_the_encoding_of_names_in_an_archive_is_told_where_the_study_names_it(tmp_path):
    packed = tmp_path / "data.zip"
    packed.write_bytes(b"PK")
    assert make_stages(STUDY, Place(ASSIGNMENT, "archive", packed))[0].params == {}
    data = STUDY.dataset.model_copy(update={"archive_encoding": "cp850"})
    study = STUDY.model_copy(update={"dataset": data})
    for plan in (
        make_stages(study, Place(ASSIGNMENT, "archive", packed)),
        make_data_check_stages(packed, study),
    ):
        assert plan[0].params == {"encoding": "cp850"}
        inspect.signature(unpacking.unpack).bind({}, Path(), scratch=Path(), progress=None, **plan[0].params)


def test_each_reader_gets_what_it_understands():
    read = next(stage for stage in REAL if stage.name == "read")
    assert read.function == "analysis.datasets.v7:read"
    assert set(read.params) == {"classes", "label_rule", "exclude", "max_excluded"}
    data = Dataset(reader="class-folders", root="data", folders={"viral": ("VIRUS",)})
    study = STUDY.model_copy(update={"dataset": data})
    other = next(
        s for s in make_stages(study, Place(ASSIGNMENT, "folder", Path("/data"))) if s.name == "read"
    )
    assert other.function == "analysis.datasets.class_folders:read"
    assert set(other.params) == {"classes", "folders", "exclude", "max_excluded"}
    assert other.params["folders"] == {"viral": ["VIRUS"]}
    inspect.signature(class_folders.read).bind({}, Path(), scratch=Path(), progress=None, **other.params)
    data = data.model_copy(update={"patient_pattern": "(p[0-9]+)"})
    assert _read_of(data).params["patient_pattern"] == "(p[0-9]+)"
    columns = {"file": 1, "label": ("2", 3)}
    data = Dataset(reader="table", root="data", table="labels.csv", columns=Columns(**columns))
    other = _read_of(data)
    assert other.params["columns"] == columns | dict.fromkeys(
        ("patient", "split", "view", "age", "sex", "source")
    ) | {"label": ["2", 3]}
    inspect.signature(table.read).bind({}, Path(), scratch=Path(), progress=None, **other.params)


def _read_of(data: Dataset) -> Stage:
    study = STUDY.model_copy(update={"dataset": data})
    return next(s for s in make_stages(study, Place(ASSIGNMENT, "folder", Path("/data"))) if s.name == "read")


def test_the_packages_of_the_extra_are_in_the_key_of_what_decodes_pictures():
    packages = {stage.name: set(stage.packages) for stage in REAL}
    assert select_installed("pydicom", "no-such-package") == ("pydicom",)
    for name in ("read", "images", "figure.examples"):
        assert {"pydicom", "python-gdcm", "pillow", "opencv-python-headless"} <= packages[name], name
    assert "pydicom" not in packages["train.baseline"]


def test_the_sample_knows_no_names_of_the_real_data():
    data = STUDY.dataset.model_copy(update={"patient_pattern": "(p[0-9]+)"})
    assert STUDY.model_copy(update={"dataset": data}).for_sample().dataset.patient_pattern == ""


@pytest.mark.parametrize(
    "path", sorted((PROJECT / "studies").glob("*/study.toml")), ids=lambda p: p.parent.name
)
def test_every_study_has_a_sample_in_the_layout_of_its_data(path):
    study = load(path).for_sample()
    sample = make_stages(study, Place(path.parent, "sample"))[0]
    assert sample.name == "sample"
    assert sample.params.get("layout", "v7") == study.dataset.reader
    module, _, function = sample.function.partition(":")
    write = getattr(importlib.import_module(module), function)
    inspect.signature(write).bind({}, Path(), scratch=Path(), progress=None, **sample.params)


def test_the_clean_twin_is_another_sample_and_nothing_else():
    plain, clean = (
        make_stages(load(ASSIGNMENT / "study.toml", overrides).for_sample(), Place(ASSIGNMENT, "sample"))
        for overrides in ((), ("sample.clean=true",))
    )
    assert clean[0].params == {**plain[0].params, "clean": True}
    told = ("source", "html", "pdf")
    assert [s.params for s in clean[1:] if s.name not in told] == [
        s.params for s in plain[1:] if s.name not in told
    ]


@pytest.mark.parametrize(
    ("label", "folder"),
    [
        ("Sick", "Sick"),
        ("Sick (a/b)", "pneumonia"),
        ("../../escaped", "pneumonia"),
        (".hidden", "pneumonia"),
        ("a\\b", "pneumonia"),
        ("폐" * 60, "pneumonia"),
    ],
)
def test_the_folder_of_a_class_in_the_sample_is_never_a_path(tmp_path, label, folder):
    path = Path(shutil.copytree(PROJECT / "templates" / "study", tmp_path / "mine")) / "study.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('label = "Pneumonia"', f"label = '{label}'"), encoding="utf-8")
    (sample,) = (s for s in make_stages(load(path), Place(path.parent, "sample")) if s.name == "sample")
    assert [c["folder"] for c in sample.params["classes"]] == ["Normal", folder]
