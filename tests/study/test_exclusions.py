"""A list of images to leave out, beside the study file: what it may say, and errors with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from report.cli import find_exit_code
from report.errors import STUDY, StudyError, UsageError
from report.pipeline.data import describe_reading
from report.study.loading import load
from report.study.study import Study
from tests.study.conftest import ASSIGNMENT

ROOT = 'root = "data/v7"'
NAMED = f'{ROOT}\nexclude = "exclude.csv"'


@pytest.fixture
def listed(edited):
    """Return a function that writes the assignment's study with a list of images to leave out."""

    def write(text: str | bytes) -> Path:
        path = edited(ROOT, NAMED)
        content = text.encode() if isinstance(text, str) else text
        path.with_name("exclude.csv").write_bytes(content)
        return path

    return write


def refused(path: Path) -> str:
    with pytest.raises(StudyError) as caught:
        load(path)
    assert find_exit_code(caught.value) == STUDY
    assert caught.value.hint
    return caught.value.message


def test_every_image_of_a_list_has_its_reason_and_its_line(listed):
    study = load(listed('﻿file,note,reason\nimages/a.png,,blurred\n\n"b, c.png",x,"a lead, over the lung"\n'))
    assert describe_reading(study.dataset, study.classes)["exclude"] == {
        "images/a.png": {"reason": "blurred", "place": "exclude.csv:2"},
        "b, c.png": {"reason": "a lead, over the lung", "place": "exclude.csv:4"},
    }


def test_patterns_are_what_they_were():
    study = load(ASSIGNMENT, ('dataset.exclude=["*lateral*", "x.png"]',))
    assert describe_reading(study.dataset, study.classes)["exclude"] == ["*lateral*", "x.png"]
    assert describe_reading(load(ASSIGNMENT).dataset, ())["exclude"] == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", ":1: no column 'file'"),
        ("file;reason\na.png;x\n", ":1: no column 'file'"),
        ("file,why\na.png,x\n", ":1: no column 'reason'"),
        ("file,reason\na.png,x\n,y\n", ":3: no file"),
        ("file,reason\na.png,x\nb.png\n", ":3: no reason"),
        ("file,reason\na.png,blurred, and dark\n", ":2: more cells than columns"),
        ("file,reason\na.png,x\nb.png,y\na.png,z\n", ":4: 'a.png' stands in line 2 too"),
        (f"file,reason\na.png,{'x' * 101}\n", ":2: a reason of 101 letters; at most 100"),
        ('file,reason\na.png,"x"y\n', ":2: not valid CSV"),
        ("file,reason\na.png,x\x07\n", ":2: reason: the sign U+0007 cannot be printed"),
        (b"file,reason\na.png,\xff\n", "exclude.csv: not UTF-8 text"),
    ],
)
def test_what_is_wrong_in_a_list_is_told_with_its_line(listed, text, complaint):
    path = listed(text)
    message = refused(path)
    assert message.startswith(str(path.with_name("exclude.csv")))
    assert complaint in message


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ('"missing.csv"', "missing.csv: No such file or directory"),
        (
            '"../exclude.csv"',
            "'../exclude.csv' is no name of a CSV file beside study.toml, such as exclude.csv",
        ),
        ('"*.png"', "'*.png' is no name of a CSV file"),
        ('{ file = "x.csv", images = {} }', "a list of patterns, or the name of a CSV file"),
        ("3", "a list of patterns, or the name of a CSV file beside the study file, got 3"),
    ],
)
def test_what_names_no_list_is_refused_with_the_line_of_the_study_file(edited, value, complaint):
    path = edited(ROOT, f"{ROOT}\nexclude = {value}")
    line = path.read_text().splitlines().index(f"exclude = {value}") + 1
    message = refused(path)
    assert message.startswith(f"{path}:{line}: dataset.exclude: ")
    assert complaint in message


def test_a_list_named_on_the_command_line_is_blamed_there(edited):
    path = edited(ROOT, ROOT)
    with pytest.raises(UsageError, match=r"--set dataset\.exclude=none\.csv: .*No such file"):
        load(path, ("dataset.exclude=none.csv",))
    path.with_name("own.csv").write_text("file,reason\na.png,blurred\n")
    assert load(path, ("dataset.exclude=own.csv",)).dataset.exclude.file == "own.csv"


def test_the_external_set_has_a_list_of_its_own(edited):
    path = edited("[external]\n", '[external]\nexclude = "elsewhere.csv"\n')
    path.with_name("elsewhere.csv").write_text("file,reason\na.png,a child\n")
    study = load(path)
    assert study.external is not None
    assert study.external.exclusions == {"a.png": {"reason": "a child", "place": "elsewhere.csv:2"}}
    assert study.for_sample().external.exclusions == []


def test_generated_images_are_not_called_as_in_the_list(listed):
    study = load(listed("file,reason\na.png,blurred\n"))
    assert study.for_sample().dataset.exclusions == []


def test_a_handed_over_study_has_the_list_in_it(listed):
    study = load(listed("file,reason\na.png,blurred\n"))
    again = Study.model_validate_json(study.model_dump_json(by_alias=True, exclude_unset=True))
    assert again.dataset.exclusions == study.dataset.exclusions
