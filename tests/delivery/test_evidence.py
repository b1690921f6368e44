"""What a build folder holds so that its report can be checked."""

from __future__ import annotations

import json

import pytest

from analysis.errors import DataError
from report.delivery import evidence


def test_everything_is_recomputed_but_what_needs_pictures_or_a_network(case):
    taken = {stage.partition(".")[0].partition("@")[0] for stage in evidence.group_by_stage(case.given.files)}
    assert taken == {"read", "split", "architecture", "train", "predict", "figure", "prose"}
    assert {name for name in evidence.group_by_stage(case.given.files) if name.startswith("figure")} == {
        "figure.examples"
    }
    assert {
        "evaluate.baseline",
        "compare@patient",
        "results",
        "split",
        "source",
        "pdf",
    } <= case.again.results.keys()


@pytest.mark.parametrize(
    ("files", "error"),
    [
        (None, "no such folder"),
        ({}, "is no build folder"),
        ({"run.json": "{}", "predictions/baseline.csv": ""}, "holds no report, as after report build --only"),
        ({"report.html": ""}, "its report has no predictions/study.json"),
        ({"predictions/study.json": "{"}, "damaged, or of another version of this program"),
        ({"predictions/study.json": '{"format": 2}'}, "format: "),
    ],
)
def test_a_folder_that_cannot_be_checked(tmp_path, files, error):
    folder = tmp_path / "build"
    for name, text in (files or {}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    if files == {}:
        folder.mkdir()
    with pytest.raises(DataError, match=error) as caught:
        evidence.read_evidence(folder)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", "../elsewhere"),
        ("name", ".."),
        ("files", {"predictions/../../x/y": ""}),
        ("files", {"/etc/passwd": ""}),
    ],
)
def test_no_path_leads_out_of_the_folder(copy, key, value):
    path = copy.folder / evidence.STUDY
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    with pytest.raises(DataError, match="damaged"):
        evidence.read_evidence(copy.folder)
