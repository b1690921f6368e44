"""Disks that are full or for reading only: told in words, and with exit code 9."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from report.cli import find_disk_problem, find_exit_code
from report.commands import skeleton
from report.delivery import publish
from report.errors import ENVIRONMENT, EnvironmentProblem

REFUSALS = [errno.EROFS, errno.EACCES, errno.ENOSPC]


def refused(number: int, path: Path) -> OSError:
    return OSError(number, os.strerror(number), str(path))


@pytest.mark.parametrize("number", REFUSALS)
def test_a_new_study_where_the_project_cannot_be_written(monkeypatch, number):
    def mkdir(path: Path, **_: bool) -> None:
        raise refused(number, path)

    monkeypatch.setattr(Path, "mkdir", mkdir)
    with pytest.raises(
        EnvironmentProblem, match=f"studies/abc: cannot be written: {os.strerror(number)}"
    ) as caught:
        skeleton.create_study("abc")
    assert find_exit_code(caught.value) == ENVIRONMENT
    assert "clone of your own" in caught.value.hint


@pytest.mark.parametrize("number", REFUSALS)
def test_a_document_where_the_project_cannot_be_written(monkeypatch, tmp_path, number):
    source = tmp_path / "blob"
    source.write_text("words")
    built = {"source": SimpleNamespace(files=("report.qmd",), path=lambda _: source)}
    plan = SimpleNamespace(document=tmp_path / "document" / "abc")

    def replace(beside: Path, path: Path) -> None:
        raise refused(number, beside)

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(EnvironmentProblem) as caught:
        publish.publish_source(plan, built)
    assert caught.value.message == f"{plan.document}/report.qmd: cannot be written: {os.strerror(number)}"
    assert "--out" in caught.value.hint


@pytest.mark.parametrize("number", REFUSALS)
def test_whatever_a_disk_refuses_is_no_fault_of_this_program(number):
    told = find_disk_problem(refused(number, Path("/some/where")))
    assert told is not None
    assert told.message == f"/some/where: {os.strerror(number)}"
    assert find_exit_code(told) == ENVIRONMENT
    assert told.hint


def test_no_place_for_temporary_files_is_told(monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/nowhere"])
    with pytest.raises(FileNotFoundError) as caught:
        tempfile.TemporaryDirectory()
    told = find_disk_problem(caught.value)
    assert told is not None
    assert "TMPDIR" in told.hint


@pytest.mark.parametrize("error", [OSError(errno.ENOENT, "No such file", "x"), ValueError("x"), OSError("x")])
def test_other_errors_stay_what_they_are(error):
    assert find_disk_problem(error) is None
