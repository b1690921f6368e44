"""Machines on which the project is for reading only, git is missing or does not tell: in words, and with exit code 9."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from report.cli import exit_code, find_disk_problem
from report.delivery import publish
from report.errors import ENVIRONMENT, EnvironmentProblem
from report.study import skeleton
from report.workspace import version

REFUSALS = [errno.EROFS, errno.EACCES, errno.ENOSPC]


def refused(number: int, path: Path) -> OSError:
    return OSError(number, os.strerror(number), str(path))


@pytest.mark.parametrize("number", REFUSALS)
def test_a_new_study_where_the_project_cannot_be_written(monkeypatch, number):
    def mkdir(path: Path) -> None:
        raise refused(number, path)

    monkeypatch.setattr(Path, "mkdir", mkdir)
    with pytest.raises(
        EnvironmentProblem, match=f"studies/abc: cannot be written: {os.strerror(number)}"
    ) as caught:
        skeleton.create("abc")
    assert exit_code(caught.value) == ENVIRONMENT
    assert "clone of your own" in caught.value.hint


@pytest.mark.parametrize("number", REFUSALS)
def test_a_document_where_the_project_cannot_be_written(monkeypatch, tmp_path, number):
    source = tmp_path / "blob"
    source.write_text("words")
    built = {"source": SimpleNamespace(files=("report.qmd",), path=lambda _: source)}
    plan = SimpleNamespace(document=tmp_path / "document" / "abc")

    def write(path: Path, content: bytes) -> None:
        raise refused(number, path)

    monkeypatch.setattr(Path, "write_bytes", write)
    with pytest.raises(EnvironmentProblem) as caught:
        publish.publish_source(plan, built)
    assert caught.value.message == f"{plan.document}/report.qmd: cannot be written: {os.strerror(number)}"
    assert "--out" in caught.value.hint


@pytest.mark.parametrize("number", REFUSALS)
def test_whatever_a_disk_refuses_is_no_fault_of_this_program(number):
    told = find_disk_problem(refused(number, Path("/some/where")))
    assert told is not None
    assert told.message == f"/some/where: {os.strerror(number)}"
    assert exit_code(told) == ENVIRONMENT
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


@pytest.fixture
def git(tmp_path, monkeypatch):
    """Return a function that puts another ``git`` first on the path, or none at all."""

    def put(script: str | None, mode: int = 0o755) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        if script is not None:
            file = tmp_path / "git"
            file.write_text(f"#!/bin/sh\n{script}\n")
            file.chmod(mode)

    return put


@pytest.mark.parametrize(
    ("script", "mode", "why"),
    [
        (None, 0, "git cannot be run"),
        ("", stat.S_IRUSR, "git cannot be run"),
        (
            "echo \"fatal: detected dubious ownership in repository at '/x'\" >&2; exit 128",
            0o755,
            "detected dubious",
        ),
        ('echo "fatal: not a git repository" >&2; exit 128', 0o755, "not a git repository"),
        ("exit 0", 0o755, "is no clone of the program"),
    ],
)
def test_a_version_that_git_does_not_tell_is_unknown_and_the_reason_told(git, script, mode, why):
    git(script, mode)
    assert version.find_commit() == ""
    assert why in version.explain_missing_commit()


def test_the_version_is_that_of_the_program_wherever_git_is_called_from(git, monkeypatch):
    git('[ -z "$GIT_DIR$GIT_WORK_TREE" ] && case "$*" in *log*) echo 0123456789ab;; esac')
    monkeypatch.setenv("GIT_DIR", "/elsewhere/.git")
    monkeypatch.setenv("GIT_WORK_TREE", "/elsewhere")
    assert version.find_commit() == "0123456789ab"
