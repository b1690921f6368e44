"""``report test``: how the labels of a folder become classes of the study."""

from __future__ import annotations

import pytest

from report.commands import data as data_command
from report.commands.external_test import describe_folder
from report.errors import UsageError
from report.study.loading import load
from tests.specimen import TWO_NETWORKS

STUDY = load(TWO_NETWORKS / "study.toml")
FOUND = {
    "reader": "class-folders",
    "keys": {},
    "folders": {},
    "classes": [
        {"id": "viral_pneumonia", "label": "viral pneumonia"},
        {"id": "normal", "label": "NORMAL"},
        {"id": "other", "label": "Other"},
    ],
}


@pytest.fixture(autouse=True)
def examined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_command, "examine", lambda *_: FOUND)


def test_labels_match_classes_that_are_called_alike_and_those_that_are_named(tmp_path):
    external = describe_folder(tmp_path, STUDY, ["normal=healthy", "Other=bacterial, viral"], None)
    assert {c.id: c.matches for c in external.classes} == {
        "viral_pneumonia": ("viral",),
        "normal": ("healthy",),
        "other": ("bacterial", "viral"),
    }


def test_a_label_can_be_taken_for_no_class(tmp_path):
    external = describe_folder(tmp_path, STUDY, ["viral pneumonia="], None)
    assert {c.matches for c in external.classes} == {()}


@pytest.mark.parametrize(
    ("match", "problem"),
    [
        ("nothing=healthy", "no label of"),
        ("NORMAL", "no label of"),
        ("NORMAL=well", "no class is called 'well'"),
    ],
)
def test_what_does_not_exist_is_refused(match, problem, tmp_path):
    with pytest.raises(UsageError, match=problem):
        describe_folder(tmp_path, STUDY, [match], None)
