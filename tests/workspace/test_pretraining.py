"""Where the images lie that a network learns from first."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.errors import DataError
from report.errors import UsageError
from report.workspace.plan import Plan, make_plan
from report.workspace.request import Request

TRANSFER = "assignment-transfer"


@pytest.fixture(autouse=True)
def nothing_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REPORT_PRETRAINING", raising=False)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    place = tmp_path / "data"
    place.mkdir()
    (place / "one.json").write_text("{}")
    return place


def plan(tmp_path: Path, data: Path, first: Path | None = None) -> Plan:
    return make_plan(Request(TRANSFER, data, cache=tmp_path / "cache", pretraining=first))


def test_images_that_are_named_are_taken_again(data: Path, tmp_path: Path) -> None:
    first = tmp_path / "first"
    first.mkdir()
    made = plan(tmp_path, data, first)
    assert made.pretraining == first
    assert f"--pretraining {first}" in made.build_command()
    made.remember_data()
    assert plan(tmp_path, data).pretraining == first


def test_the_environment_names_them_too(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPORT_PRETRAINING", str(tmp_path))
    assert plan(tmp_path, data).pretraining == tmp_path


def test_without_them_it_is_said_where_they_are_had(data: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="from which Pretrained residual CNN learns first") as caught:
        plan(tmp_path, data)
    assert "kaggle.com" in caught.value.hint
    assert "--pretraining DIR" in caught.value.hint
    with pytest.raises(DataError, match="no such data folder") as caught:
        plan(tmp_path, data, tmp_path / "nowhere")
    assert "--pretraining" in caught.value.hint


def test_what_reads_no_image_needs_none(tmp_path: Path) -> None:
    made = make_plan(Request(TRANSFER, cache=tmp_path), needs_data=False)
    assert [stage.name for stage in made.stages if stage.kind == "pretraining"]


def test_they_are_refused_where_nothing_learns_from_them(data: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"the study has no \[pretraining\]"):
        make_plan(Request("assignment", data, cache=tmp_path, pretraining=tmp_path))
    with pytest.raises(UsageError, match="--pretraining and --sample contradict each other"):
        make_plan(Request(TRANSFER, sample=True, cache=tmp_path, pretraining=tmp_path))
