"""What the report says of a dataset: in the words that its reader brings, or in those that are true of any."""

from __future__ import annotations

import pytest

from tests.writing.conftest import STUDY


@pytest.mark.parametrize(
    ("words", "origin", "reference"),
    [
        ("any", "labels are read by `analysis.datasets.mine:read`.", "the label that this reader gives it"),
        ("class_folders", "lie in one folder per class.", "the folder that an image lies in"),
        ("kermany", "the paediatric X-rays of @kermany2018", "the folder that an image lies in"),
        ("radiography", "the COVID-19 Radiography Database", "the folder that an image lies in"),
        ("table", r"lie in labels\.csv. An image with the labels", "the label in the dataset's table"),
        ("v7", "the V7 COVID-19 chest X-ray dataset [@v7covid]", "its tag in the dataset"),
    ],
)
def test_a_dataset_is_described_in_the_words_of_its_reader(source, artifacts, words, origin, reference):
    changes = {"words": words, "reader": "analysis.datasets.mine:read", "table": "labels.csv"}
    text = source(artifacts(), {**STUDY, "dataset": {**STUDY["dataset"], **changes}})
    data = text[text.index("# Data") : text.index("## Preparation")]
    assert origin in data
    assert f"An image's label is {reference}, used as supplied." in data
