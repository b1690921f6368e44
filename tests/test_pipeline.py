"""The list of stages, and what each depends on."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path

import pytest

from analysis.datasets import class_folders
from report.engine.stage import Output, Source
from report.pipeline import PROJECT, Place, stages
from report.study import Dataset, load

ASSIGNMENT = PROJECT / "studies" / "assignment"
STUDY = load(ASSIGNMENT / "study.toml")
SAMPLE = stages(STUDY.sampled(), Place(ASSIGNMENT, None))
REAL = stages(STUDY, Place(ASSIGNMENT, Path("/data")))


@pytest.mark.parametrize("plan", [SAMPLE, REAL], ids=["sample", "real"])
def test_stages_come_after_what_they_read_and_once(plan):
    seen: set[str] = set()
    for stage in plan:
        assert {given.stage for given in stage.inputs.values() if isinstance(given, Output)} <= seen
        assert stage.name not in seen
        seen.add(stage.name)


@pytest.mark.parametrize("stage", SAMPLE, ids=lambda stage: stage.name)
def test_a_stage_names_a_function_that_takes_what_it_is_given(stage):
    module, _, name = stage.function.partition(":")
    signature = inspect.signature(getattr(importlib.import_module(module), name))
    signature.bind({}, Path(), scratch=Path(), progress=None, **stage.params)


def test_only_the_reader_depends_on_the_data_folder():
    keyed = {s.name for s in REAL for given in s.inputs.values() if given == Source(Path("/data"))}
    located = {
        s.name for s in REAL for given in s.inputs.values() if given == Source(Path("/data"), keyed=False)
    }
    assert keyed == {"read"}
    assert located == {"images", "figure.examples"}


def test_an_archive_is_unpacked_once_and_read_from_there(tmp_path):
    packed = tmp_path / "data.zip"
    packed.write_bytes(b"PK")
    plan = stages(STUDY, Place(ASSIGNMENT, packed))
    assert plan[0].name == "archive"
    assert plan[0].inputs == {"data": Source(packed)}
    readers = {s.name for s in plan if Output("archive") in s.inputs.values()}
    assert readers == {"read", "images", "figure.examples"}
    assert [s.params for s in plan[1:]] == [s.params for s in REAL]


def test_each_reader_gets_what_it_understands():
    read = next(stage for stage in REAL if stage.name == "read")
    assert read.function == "analysis.datasets.v7:read"
    assert set(read.params) == {"classes", "label_rule", "exclude", "max_excluded"}
    data = Dataset(reader="class-folders", root="data", folders={"viral": ("VIRUS",)})
    study = STUDY.model_copy(update={"dataset": data})
    other = next(s for s in stages(study, Place(ASSIGNMENT, Path("/data"))) if s.name == "read")
    assert other.function == "analysis.datasets.class_folders:read"
    assert set(other.params) == {"classes", "folders", "exclude", "max_excluded"}
    assert other.params["folders"] == {"viral": ["VIRUS"]}
    inspect.signature(class_folders.read).bind({}, Path(), scratch=Path(), progress=None, **other.params)


def test_the_title_of_the_study_reaches_the_document_alone():
    about = STUDY.study.model_copy(update={"title": "Another"})
    other = stages(STUDY.model_copy(update={"study": about}), Place(ASSIGNMENT, Path("/data")))
    changed = {a.name for a, b in zip(REAL, other, strict=True) if a != b}
    assert changed == {"source"}


def test_a_setting_of_one_model_changes_that_model_alone():
    models = (STUDY.models[0].model_copy(update={"epochs": 9}), STUDY.models[1])
    other = stages(STUDY.model_copy(update={"models": models}), Place(ASSIGNMENT, Path("/data")))
    changed = {a.name for a, b in zip(REAL, other, strict=True) if a != b}
    assert changed == {"train.baseline", "source"}


def test_the_document_lists_every_package_that_the_numbers_depend_on():
    source = next(stage for stage in REAL if stage.name == "source")
    declared = {package for stage in REAL for package in stage.packages}
    assert declared - {"pango"} == set(source.params["versions"])
