"""The engine runs a project of its own where there is nothing else of ours."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from report import PROJECT

DRIVER = """
import importlib.util
from pathlib import Path

from report.engine.code import Project
from report.engine.executors import local_processes
from report.engine.status import status
from report.engine.run import Options, build
from report.engine.stage import Output, Source, Stage

if __name__ == "__main__":
    root = Path(__file__).parent
    assert importlib.util.find_spec("analysis") is None
    assert importlib.util.find_spec("report.pipeline") is None
    stages = [
        Stage("a", "toy.steps:number", {"notes": Source(root / "toy")}, {"value": 1}),
        Stage("total", "toy.steps:total", {"a": Output("a")}),
    ]
    project = Project(root, ("toy",), strict=True)
    for _ in range(2):
        built = build(stages, root / "cache", Options(project, local_processes))
        print(*(found.outcome for found in built.values()))
    print(*(stage.state for stage in status(stages, root / "cache", project)))
"""


def test_engine_needs_nothing_else_of_ours(toy, tmp_path):
    alone = tmp_path / "alone" / "report"
    shutil.copytree(
        PROJECT / "report" / "engine", alone / "engine", ignore=shutil.ignore_patterns("__pycache__")
    )
    for name in ("__init__.py", "errors.py"):
        shutil.copy(PROJECT / "report" / name, alone)
    (toy.root / "drive.py").write_text(DRIVER)
    done = subprocess.run(
        [
            sys.executable,
            "-S",
            toy.root / "drive.py",
        ],  # without the folder in which our packages are installed
        env={**os.environ, "PYTHONPATH": str(alone.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines() == ["ran ran", "cached cached", "fresh fresh"], done.stderr
