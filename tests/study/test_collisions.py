"""Names that a reader, a table or a result could not tell apart."""

from __future__ import annotations

import pytest

from report.errors import StudyError
from report.study.loading import load


@pytest.mark.parametrize("name", ["null", "nan", "true", "inf"])
def test_a_class_is_not_called_what_a_table_reads_as_no_word(edited, name):
    with pytest.raises(StudyError, match=f"classes.{name}.id: {name} is no word"):
        load(edited('id = "covid_19"', f'id = "{name}"'))


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
