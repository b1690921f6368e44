"""Values of a study file: authors, a date, a language, titles."""

from __future__ import annotations

import json

import pytest

from report.errors import StudyError
from report.study.loading import load
from report.study.study import Study


def test_a_title_of_several_lines_is_one_line(edited):
    study = load(edited('title = "Baseline CNN"', 'title = """Baseline\n  CNN"""'))
    assert study.models[0].title == "Baseline CNN"


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
