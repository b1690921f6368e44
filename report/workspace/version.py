"""The version of the program, as git knows it."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress

from report import PROJECT
from report.engine.code import hash_code
from report.errors import StageError

PROGRAM = ("report", "analysis", "templates", ":!*README.md")


def find_commit() -> str:
    """Return the last commit of the program, with ``-dirty`` where it does something else now; "" outside a clone.

    A comment or docstring that is not committed yet, and commits of anything but the program, change nothing.
    """
    last = _git("log", "-1", "--format=%h", "--abbrev=12", "--", *PROGRAM).decode().strip()
    changed = _git("diff", "--name-only", "--no-renames", "--relative", "-z", "HEAD", "--", *PROGRAM)
    dirty = any(_does_otherwise(os.fsdecode(name)) for name in changed.split(b"\0") if name)
    return last + "-dirty" * (bool(last) and dirty)


def explain_missing_commit() -> str:
    """Return why git does not tell the version of the program."""
    try:
        done = _run_git("log", "-1", "--format=%h")
    except OSError as error:
        return f"git cannot be run: {error.strerror}"
    said = done.stderr.decode(errors="replace").strip().partition("\n")[0]
    return said.removeprefix("fatal: ") or f"{PROJECT} is no clone of the program"


def _git(*words: str) -> bytes:
    """Return what git prints; nothing outside a clone, in one of somebody else's, or on a machine without git."""
    try:
        return _run_git(*words).stdout
    except OSError:
        return b""


def _run_git(*words: str) -> subprocess.CompletedProcess[bytes]:
    """Run git in this project, whatever repository the caller works on."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return subprocess.run(["git", "-C", str(PROJECT), *words], capture_output=True, check=False, env=own)


def _does_otherwise(name: str) -> bool:
    """Tell whether a file differs from the last commit: a module in what it does, any other in its bytes."""
    path = PROJECT / name
    if path.suffix != ".py" or not path.is_file():
        return True
    with suppress(StageError):  # one of the two is not valid Python
        return hash_code(_git("show", f"HEAD:./{name}"), name) != hash_code(path.read_bytes(), name)
    return True
