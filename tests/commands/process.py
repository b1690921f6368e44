"""The command in a process of its own, as a user runs it, and an image for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from PIL import Image

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


def run_in_vain(*arguments: str, cache: Path) -> tuple[int, str, str]:
    """Run the command; return its exit code, its error line and its hint."""
    done = run(*arguments, cache=cache, REPORT_DATA="")
    told = [line for line in done.stderr.splitlines() if line.startswith(("error: ", "hint: "))]
    assert len(told) == 2, done.stderr
    assert "Traceback" not in done.stderr
    return done.returncode, *told


def write_image(path: Path) -> None:
    """Write a small grey image."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.linear_gradient("L").resize((64, 48)).save(path)
