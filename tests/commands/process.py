"""The command as a user runs it, in a process of its own or in this one, and an image for it."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path
from unittest import mock

from PIL import Image

from report import cli
from report.engine.store import Store
from tests import tiny_build

ROOT = Path(__file__).parents[2]


def run(*arguments: str, cache: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "report", *arguments],
        cwd=ROOT,
        env={**os.environ, "REPORT_CACHE": str(cache), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def run_here(
    *arguments: str, cache: Path, folder: Path = ROOT, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the command in this process, which has imported already what another would import first."""
    said, told = io.StringIO(), io.StringIO()
    with (
        mock.patch.object(cli, "raise_on_signals"),  # they are for pytest here
        mock.patch.object(sys, "argv", ["report", *arguments]),
        mock.patch.dict(os.environ, {"REPORT_CACHE": str(cache), **environment}),
        contextlib.chdir(folder),
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(told),
    ):
        try:
            cli.main()
        except SystemExit as end:
            code = end.code
    assert code is None or isinstance(code, int)
    return subprocess.CompletedProcess(["report", *arguments], code or 0, said.getvalue(), told.getvalue())


def run_in_vain(*arguments: str, cache: Path) -> tuple[int, str, str]:
    """Run the command; return its exit code, its error line and its hint."""
    done = run_here(*arguments, cache=cache, REPORT_DATA="")
    told = [line for line in done.stderr.splitlines() if line.startswith(("error: ", "hint: "))]
    assert len(told) == 2, done.stderr
    assert "Traceback" not in done.stderr
    return done.returncode, *told


def write_image(path: Path) -> None:
    """Write a small grey image."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.linear_gradient("L").resize((64, 48)).save(path)


class Tiny:
    """The tiny sample that was built, and commands that are run there."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.cache = root / tiny_build.CACHE

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return run_here(*words, cache=self.cache, folder=self.root, CI="true")

    def find(self, stage: str, name: str) -> Path:
        """Return where the cache has a file of a stage."""
        store = Store(self.cache)
        record = store.read(store.latest("assignment-sample")[stage])
        return store.blob(record.outputs[name]["sha256"])

    @property
    def study(self) -> str:
        return str(self.root / "studies" / "assignment")

    def options(self, model: str = "improved") -> tuple[str, ...]:
        return ("--model", model, "--study", self.study, "--sample", *tiny_build.SETTINGS)
