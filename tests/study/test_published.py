"""The published figures of a study."""

from __future__ import annotations

import shutil

import pytest

from report.errors import StudyError
from report.study.loading import load
from tests.study.conftest import ASSIGNMENT


def test_a_published_choice_is_one_of_the_published_models(tmp_path):
    folder = tmp_path / "radiography"
    shutil.copytree(ASSIGNMENT.parents[1] / "radiography", folder)
    published = folder / "published.toml"
    published.write_text(published.read_text().replace('model = "resnet50v2"', 'model = "resnet"', 1))
    with pytest.raises(StudyError, match=r"choice.model: no result is of 'resnet'"):
        load(folder / "study.toml")
