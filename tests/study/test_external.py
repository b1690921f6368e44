"""``[external]`` in a study file: what it may say of its classes and of the study's."""

from __future__ import annotations

import pytest

from report.errors import StudyError
from report.study.loading import load
from tests.study.conftest import ASSIGNMENT


def read(tmp_path, old: str, new: str):
    text = ASSIGNMENT.read_text()
    assert old in text
    (tmp_path / "study.toml").write_text(
        text.replace(old, new).replace('published = "assignment-published"', "")
    )
    return load(tmp_path / "study.toml")


def test_a_label_matches_one_class_several_or_none(tmp_path):
    external = read(tmp_path, 'matches = "healthy"', "").external
    assert {c.id: c.matches for c in external.classes} == {
        "no_finding": (),
        "pneumonia": ("bacterial", "viral"),
    }


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('matches = "healthy"', 'matches = "well"', "no class is called 'well'"),
        ('label = "Pneumonia"', 'label = "no FINDING"', "reads like"),
        ('id = "no_finding"', 'id = "pneumonia"', "declared twice"),
        ("values = { no_finding", "values = { nothing", "no class of the external set is called 'nothing'"),
        ('table = "metadata.csv"\n', "", "needs table"),
    ],
)
def test_what_does_not_agree_is_refused(tmp_path, old, new, problem):
    with pytest.raises(StudyError, match=problem):
        read(tmp_path, old, new)


def test_a_class_that_the_study_is_read_without_matches_no_label():
    study = load(ASSIGNMENT, ('dataset.without=["viral"]',))
    assert [c.matches for c in study.external.classes] == [("healthy",), ("bacterial",)]
