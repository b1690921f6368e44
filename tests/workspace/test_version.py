"""The version of the program where git is missing or does not tell it."""

from __future__ import annotations

import stat

import pytest

from report.workspace import version


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
