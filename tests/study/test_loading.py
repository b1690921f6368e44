"""A study read from its files, with changes of the command line."""

from __future__ import annotations

import pytest

from report import PROJECT
from report.cli import find_exit_code
from report.errors import USAGE, StudyError, UsageError
from report.study.loading import load
from tests.study.conftest import ASSIGNMENT


def test_a_missing_study_file_is_named(tmp_path):
    with pytest.raises(StudyError, match="no such file"):
        load(tmp_path / "study.toml")


def test_overrides_reach_tables_and_named_lists():
    study = load(ASSIGNMENT, ("image.size=64", "models.improved.epochs=3", "dataset.label_rule=every-tag"))
    assert study.image.size == 64
    assert study.models[1].epochs == 3
    assert study.dataset.label_rule == "every-tag"


@pytest.mark.parametrize(
    "override", ["image.size", "=3", "models.third.epochs=3", "image.size.x=3", "models..epochs=1"]
)
def test_an_override_that_leads_nowhere_is_a_usage_error(override):
    with pytest.raises(UsageError) as caught:
        load(ASSIGNMENT, (override,))
    assert override in caught.value.message
    assert find_exit_code(caught.value) == USAGE


def test_a_list_that_lost_its_quotes_to_the_shell_is_told_how_to_keep_them():
    with pytest.raises(UsageError, match="not valid TOML") as caught:
        load(ASSIGNMENT, ("dataset.without=[viral]",))
    assert "single quotes" in caught.value.hint


def test_what_the_program_fills_in_is_not_for_the_study_file(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(((PROJECT / "studies") / "radiography" / "study.toml").read_text())
    with pytest.raises(StudyError, match="left_out: unknown key"):
        load(path, ('left_out=["x"]',))
    with pytest.raises(UsageError) as caught:
        load(path, ("x.y=1",))
    assert "published" not in caught.value.hint
    assert "models" in caught.value.hint


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('label = "COVID-19"', 'label = "COVID\\u202e-19"', "classes.covid_19.label: the sign U+202E turns"),
        (
            'title = "Baseline CNN"',
            'title = "CNN\\u0007"',
            "models.baseline.title: the sign U+0007 cannot be printed",
        ),
        ('author = "Name', 'author = "\\u0085Name', "study.author: the sign U+0085 cannot be printed"),
        ('label = "COVID-19"', 'label = " "', "classes.covid_19.label: is empty"),
        ('label = "COVID-19"', 'label = "\u200b"', "classes.covid_19.label: is empty"),
    ],
)
def test_a_sign_that_cannot_be_seen_is_refused_with_its_key(edited, old, new, said):
    with pytest.raises(StudyError) as caught:
        load(edited(old, new))
    assert said in caught.value.message


def test_a_study_file_may_begin_with_a_byte_order_mark(edited):
    path = edited("[study]", "[study]")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert load(path).about.kind == "assignment"


def test_an_override_is_blamed_for_its_signs_and_is_one_value():
    with pytest.raises(UsageError, match=r"--set study.title: the sign U\+001B"):
        load(ASSIGNMENT, ("study.title=\x1b[31m",))
    assert load(ASSIGNMENT, ('study.title="a"\nx = 1',)).about.title == '"a" x = 1'


def test_a_study_file_may_have_a_byte_order_mark_and_windows_line_ends(read):
    assert read(("\n", "\r\n"), encoding="utf-8-sig").about.title == "T"
