"""A whole study: what it declares, its sample, and classes that are left out."""

from __future__ import annotations

import json

import pytest

from report import PROJECT
from report.errors import StudyError, UsageError
from report.study.loading import load
from report.study.study import Study
from tests.study.conftest import ASSIGNMENT

STUDIES = sorted(path.parent.name for path in (PROJECT / "studies").glob("*/study.toml"))


def test_the_assignment_says_what_the_assignment_asks_for():
    study = load(ASSIGNMENT)
    baseline = study.models[0]
    assert (study.split.test, study.split.val, study.split.seed) == (0.2, 0.2, 42)
    assert (study.image.size, study.image.color) == (156, "rgb")
    assert (baseline.epochs, baseline.batch_size, baseline.optimizer) == (10, 32, "adam")
    assert len(study.classes) == 4


def test_a_study_may_declare_no_comparison_and_no_normal_class(edited):
    path = edited("normal = true", "")
    text = path.read_text(encoding="utf-8")
    start, end = text.index("[comparison]"), text.index("[report]")
    path.write_text(text[:start] + text[end:], encoding="utf-8")
    study = load(path)
    assert study.comparison is None
    assert not any(c.normal for c in study.classes)
    assert study.declaration != load(ASSIGNMENT).declaration


def test_only_a_sample_with_planted_faults_has_a_clean_twin():
    assert load(ASSIGNMENT, ("sample.clean=true",)).sample.clean
    with pytest.raises(UsageError, match="the sample of the reader kermany has no faults planted"):
        load((PROJECT / "studies") / "pediatric-official" / "study.toml", ("sample.clean=true",))


@pytest.mark.parametrize(
    ("override", "same"),
    [
        ("comparison.margin=0.05", False),
        ("comparison.alpha=0.01", False),
        ("comparison.primary=accuracy", False),
        ("comparison.split=val", False),
        ("comparison.margin=0.03", True),
        ("models.improved.epochs=3", True),
        ("split.seed=1", True),
    ],
)
def test_the_declaration_is_that_of_the_comparison_alone(override, same):
    assert (load(ASSIGNMENT, (override,)).declaration == load(ASSIGNMENT).declaration) == same


def test_the_sample_is_never_larger_than_the_study():
    study = load(ASSIGNMENT)
    sample = study.for_sample()
    assert sample.image.size == min(study.image.size, study.sample.size)
    assert all(s.epochs <= m.epochs for s, m in zip(sample.models, study.models, strict=True))
    assert [s.learning_rate for s in sample.models] == [m.learning_rate for m in study.models]


@pytest.mark.parametrize("name", STUDIES)
def test_every_study_reads_and_has_a_smaller_sample(name):
    study = load((PROJECT / "studies") / name / "study.toml")
    assert study.dataset.source
    sample = study.for_sample()
    assert set(sample.split.subset) == set(study.split.subset)
    assert sum(sample.split.subset.values()) < sample.sample.pictures


def test_a_class_that_the_data_lack_can_be_left_out_on_the_command_line():
    path = (PROJECT / "studies") / "radiography" / "study.toml"
    assert len(load(path).classes) == 4
    study = load(path, ('dataset.without=["covid_19", "lung_opacity"]',))
    assert [c.id for c in study.classes] == ["normal", "viral_pneumonia"]
    assert study.dataset.folders == {}


def test_a_study_without_a_class_says_so_in_its_title_and_can_be_read_again():
    path = (PROJECT / "studies") / "radiography" / "study.toml"
    study = load(path, ('dataset.without=["lung_opacity"]',))
    assert study.about.title == f"{load(path).about.title} (without Lung Opacity)"
    assert [c.label for c in study.left_out] == ["Lung Opacity"]
    kept = json.dumps(study.as_json(without_defaults=True))
    assert Study.model_validate_json(kept).for_document() == study.for_document()


@pytest.mark.parametrize(
    "name", ["image.sise", "sise", "models.best.epochs", "image.size.px", "models.improved"]
)
def test_a_requirement_of_a_setting_that_there_is_not_is_refused(read, name):
    more = f'epochs = 1\n[[report.requirements]]\ntext = "A"\nwhere = "sec-data"\nholds = {{ "{name}" = 1 }}\n[[models]]'
    with pytest.raises(
        StudyError, match=rf"study\.toml:27: report\.requirements\.0\.holds: .* setting {name}"
    ):
        read(("epochs = 1\n\n[[models]]", more))
    read(("epochs = 1\n\n[[models]]", more.replace(name, "models.improved.minutes")))
