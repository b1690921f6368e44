"""The published figures of a study."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from report import PROJECT
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


def test_a_published_table_of_a_model_that_is_none_is_an_error(tmp_path: Path) -> None:
    folder = PROJECT / "studies" / "pediatric-official"
    for file in ("study.toml", "published.toml"):
        (tmp_path / file).write_text((folder / file).read_text())
    path = tmp_path / "published.toml"
    path.write_text(
        path.read_text().replace("[protocol.models.cnn_1]\n", "[protocol.models.cnn_1]\nepoch = 5\n")
    )
    with pytest.raises(StudyError, match=r"protocol\.models\.cnn_1\.epoch"):
        load(tmp_path / "study.toml")
