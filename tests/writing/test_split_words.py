"""What the report says of images that a split leaves out because they are there twice."""

from __future__ import annotations

import copy

import pytest

from tests.writing.conftest import STUDY, Written, facts_of


@pytest.fixture
def written(found):
    def make(copies: int, conflicts: int) -> str:
        said = Written(facts_of(found(None)))
        values = {"audit.leaks.left_out.copy": copies, "audit.leaks.left_out.conflicting_labels": conflicts}
        changed = {name: {**said.results[name], "value": value} for name, value in values.items()}
        return said.having({**said.results, **changed})("split.without_copies")

    return make


@pytest.mark.parametrize(
    ("copies", "conflicts", "words"),
    [
        (0, 0, ["are left out: none is.", "those for testing. `tables"]),
        (1, 0, ["1 image is.", "those for testing (1)."]),
        (12, 0, ["12 images are.", "those for testing (12)."]),
        (2, 4, ["6 images are.", "nothing tells which is right, and all its images are left out (4)."]),
    ],
)
def test_how_many_images_are_left_out_and_why(written, copies, conflicts, words):
    text = written(copies, conflicts)
    assert all(word in text for word in words), text
    assert ("differ" in text) == (conflicts > 0)


def test_the_split_tells_of_it_where_the_study_asks_for_it(found, source):
    study = copy.deepcopy(STUDY)
    study["split"]["exclude_duplicates"] = True
    text = source(found("strong"), study)
    assert "images that are there twice, to the pixel or nearly, are left out" in text


def test_the_split_says_nothing_of_it_otherwise(source):
    assert "there twice, to the pixel or nearly, are left out" not in source()
