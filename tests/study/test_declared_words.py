"""What a study file says in words: authors, a date, a language, names that are told apart, and where it is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from report import PROJECT
from report.errors import StudyError
from report.study.complaints import find_line
from report.study.loading import load
from report.study.study import Study

STUDY = """\
[study]
title = "T"
author = "A"
date = 2026-01-01

[[classes]]
id = "normal"
label = "Normal"
normal = true

[[classes]]
id = "pneumonia"
label = "Pneumonia"

[dataset]
reader = "class-folders"
root = "data/x"

[[models]]
id = "baseline"
title = "Baseline CNN"
architecture = "analysis.models.assignment:baseline"
epochs = 1

[[models]]
id = "improved"
title = "Improved CNN"
architecture = "analysis.models.assignment:improved"
epochs = 1
"""


@pytest.fixture
def read(tmp_path: Path):
    """Return a function that reads a small study with some texts replaced by others."""

    def load_changed(*changes: tuple[str, str], encoding: str = "utf-8") -> Study:
        text = STUDY
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        (tmp_path / "study.toml").write_bytes(text.encode(encoding))
        return load(tmp_path / "study.toml")

    return load_changed


@pytest.mark.parametrize(
    ("author", "expected"),
    [('"A"', ["A"]), ('["A", "B and C"]', ["A", "B and C"]), ('""', []), ("[]", [])],
)
def test_an_author_may_be_a_list(read, author, expected):
    study = read(('author = "A"', f"author = {author}"))
    assert study.for_document()["study"]["author"] == expected
    kept = json.dumps(study.as_json(without_defaults=True))
    assert Study.model_validate_json(kept) == study


@pytest.mark.parametrize("author", ["3", '["A", ""]', '[["A"]]', "{ name = 'A' }"])
def test_what_is_no_author_is_refused_with_its_line(read, author):
    with pytest.raises(StudyError, match=r"study\.toml:3: study\.author"):
        read(('author = "A"', f"author = {author}"))


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("2026-11-21", "2026-11-21"),
        ('"2026-11-21"', "2026-11-21"),
        ('" 2026-11-21 "', "2026-11-21"),
        ('"20261121"', "2026-11-21"),
        ("20261121", "2026-11-21"),
        ("2026-11-21T23:30:00+01:00", "2026-11-21"),
        ("2026-11-21 23:30:00", "2026-11-21"),
        ('"2026-11-21T10:00Z"', "2026-11-21"),
        ('"2026-W47-6"', "2026-11-21"),
        ('"2026-325"', "2026-11-21"),
        ('"2026-11"', "2026-11"),
        ('"2026"', "2026"),
        ("2026", "2026"),
    ],
)
def test_a_date_may_have_any_form_of_iso_8601(read, date, expected):
    assert read(("date = 2026-01-01", f"date = {date}")).for_document()["study"]["date"] == expected


@pytest.mark.parametrize(
    "date", ['"21.11.2026"', '"2026-13"', '"2026-02-30"', '"today"', "10:00:00", "true", "[]"]
)
def test_what_is_no_date_is_refused_with_its_line_and_forms_that_are(read, date):
    with pytest.raises(StudyError, match=r"study\.toml:4: study\.date: .* is no date in ISO form") as caught:
        read(("date = 2026-01-01", f"date = {date}"))
    assert "2026-11-21" in caught.value.hint


@pytest.mark.parametrize(("language", "expected"), [("en", "en"), ("en-gb", "en-GB"), ("EN_us", "en-US")])
def test_english_is_known_however_it_is_written(read, language, expected):
    assert read(('title = "T"', f'title = "T"\nlanguage = "{language}"')).about.language == expected


@pytest.mark.parametrize("language", ['"de"', '"de-AT"', '"english"', "1"])
def test_another_language_is_refused_with_what_it_would_need(read, language):
    with pytest.raises(StudyError, match=r"study\.toml:3: study\.language: .*in English only") as caught:
        read(('title = "T"', f'title = "T"\nlanguage = {language}'))
    assert "translated" in caught.value.hint
    assert "templates/" in caught.value.hint


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        (
            [('"Pneumonia"', '"normal "')],
            r":13: classes\.pneumonia\.label: 'normal ' reads like that of classes\.normal",
        ),
        ([('"Pneumonia"', '"Nor\u200bmal"')], r":13: classes\.pneumonia\.label"),
        (
            [('"Pneumonia"', '"macro  average"')],
            r":13: classes\.pneumonia\.label: .* the report's own 'Macro average'",
        ),
        ([('"Pneumonia"', '" "')], r":13: classes\.pneumonia\.label: is empty"),
        ([('"pneumonia"', '"macro"')], r":12: classes\.macro\.id: macro names something else"),
        ([('"pneumonia"', '"y_true"')], r":12: classes\.y_true\.id"),
        ([('"pneumonia"', '"abnormal"')], r":12: classes\.abnormal\.id"),
        (
            [('"Improved CNN"', '"baseline\u00a0cnn"')],
            r":27: models\.improved\.title: .* reads like that of models\.baseline",
        ),
        ([('"Improved CNN"', '"Our baseline CNN"')], r":27: models\.improved\.title"),
        ([('"Improved CNN"', '"Majority class"')], r":27: models\.improved\.title"),
        ([('"improved"', '"better_vs_worse"')], r":26: models\.better_vs_worse\.id: _vs_"),
        ([('"improved"', '"planning"')], r":26: models\.planning\.id"),
    ],
)
def test_names_that_cannot_be_told_apart_are_refused_with_their_line(read, changes, complaint):
    with pytest.raises(StudyError, match=rf"study\.toml{complaint}"):
        read(*changes)


def test_names_that_can_be_told_apart_are_not(read):
    read(('"Pneumonia"', '"Normal?"'), ('"Improved CNN"', '"Baseline CNN²"'))


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


def test_a_study_file_may_have_a_byte_order_mark_and_windows_line_ends(read):
    assert read(("\n", "\r\n"), encoding="utf-8-sig").about.title == "T"


def test_lines_are_found_in_tables_lists_and_inline_tables():
    text = """\
# comment
[study]  # why
title = "[[models]]"
[[models]]
id = "a"
input.scale = 2
[[models]]
id = 'b'  # why
callbacks = [
    { kind = "checkpoint" },
]
[models.input]
offset = 1
"""
    wanted = {
        "study.title": 3,
        "models.a.input.scale": 6,
        "models.b.callbacks.0.kind": 9,
        "models.b": 8,
        "split": 0,
    }
    assert {name: find_line(name, text) for name in wanted} == wanted


@pytest.mark.parametrize(
    ("setting", "line"),
    [
        ("study.title", 'title = "Classifying'),
        ("models.improved.epochs", "epochs = 50"),
        ("models.baseline.epocs", 'id = "baseline"'),
        ("models.improved.callbacks.0.patience", "callbacks = ["),
        ("classes.viral.label", 'label = "Viral'),
        ("classes.1.id", "[[classes]]"),
        ("comparison", "[comparison]"),
        ("comparison.basline", "[comparison]"),
    ],
)
def test_a_setting_is_found_in_the_study_file(setting, line):
    text = (PROJECT / "studies" / "assignment" / "study.toml").read_text()
    assert text.splitlines()[find_line(setting, text) - 1].startswith(line)
