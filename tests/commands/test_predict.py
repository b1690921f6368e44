"""``report predict``: what it says of models and images that are not there."""

from __future__ import annotations

import pytest

from report.errors import DATA, USAGE
from tests.commands.process import run_in_vain, write_image


def test_predicting_without_a_trained_model(tmp_path):
    write_image(tmp_path / "x.png")
    code, error, hint = run_in_vain(
        "predict", str(tmp_path / "x.png"), "--model", "improved@seed_42", cache=tmp_path / "cache"
    )
    assert code == USAGE
    assert "not trained yet" in error
    assert hint == "hint: report build assignment --data DIR --only improved"


def test_predicting_with_a_model_that_does_not_exist(tmp_path):
    write_image(tmp_path / "x.png")
    code, error, hint = run_in_vain(
        "predict", str(tmp_path / "x.png"), "--model", "third", cache=tmp_path / "cache"
    )
    assert code == USAGE
    assert "'third'" in error
    assert "improved@seed_42" in hint


@pytest.mark.parametrize(("name", "words"), [("missing.png", "no such file"), (".", "is a folder")])
def test_predicting_what_is_not_there(tmp_path, name, words):
    path = str(tmp_path / name)
    code, error, _ = run_in_vain("predict", path, "--model", "improved", cache=tmp_path / "cache")
    assert code == DATA
    assert words in error
