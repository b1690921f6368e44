"""A reader of one's own is a module: a study names its function, and nothing else is edited."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
READER = '''"""Images called by their class: a-1.png."""

from analysis.datasets import records
from analysis.datasets.folders.files import find_files
from analysis.datasets.reader import Reader, Reading
from analysis.datasets.records import Candidate

READER = Reader(files={".png": "images in PNG"}, obtained="ask the hospital", keys=("values", "params"))


def read(inputs, out, *, scratch, progress, values, params, **settings):
    how = Reading(**settings)
    contents = find_files(inputs["data"])
    ids = {first: c["id"] for c in how.classes for first in values[c["id"]]}
    candidates = [Candidate(name, (ids[name[0]],)) for name in contents.images if name != params["spoilt"]]
    table, broken = records.verify(inputs["data"], candidates, progress)
    records.write(out, table, broken, records.first_steps(contents, [("images found", len(candidates))]))
'''
STUDY = """
[study]
title = "One's own"
date = 2026-01-01

[[classes]]
id = "normal"
label = "Normal"

[[classes]]
id = "ill"
label = "Ill"

[dataset]
reader = "analysis.datasets.mine:read"
root = "data/mine"
values = { normal = ["n"], ill = ["i"] }
params = { spoilt = "n-0.png" }

[split]
also = "none"

[[models]]
id = "baseline"
title = "Baseline"
architecture = "analysis.models.assignment:baseline"
epochs = 1
"""
READ = """
import sys
from pathlib import Path
from report.engine.executors import local_processes
from report.engine.run import Options, build
from report.pipeline.stages import PROGRAM
from report.workspace.plan import make_plan
from report.workspace.request import Request

if __name__ == "__main__":
    plan = make_plan(Request(study="mine", data=Path("data")))
    built = build(plan.select_upstream(["split"]), plan.cache, Options(PROGRAM, local_processes, plan.cache_name, jobs=1))
    print(built["read"].path("records.csv").read_text())
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a copy of this project with a reader, a study that names it, and images."""
    root = tmp_path / "project"
    for folder in ("analysis", "report", "templates"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "analysis" / "datasets" / "mine.py").write_text(READER)
    (root / "studies" / "mine").mkdir(parents=True)
    (root / "studies" / "mine" / "study.toml").write_text(STUDY)
    (root / "data").mkdir()
    for number in range(20):
        image = Image.linear_gradient("L").resize((32 + number, 32))
        image.save(root / "data" / f"{'ni'[number % 2]}-{number}.png")
    return root


def run(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("REPORT_")}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=project,
        env={**environment, "PYTHONPATH": str(project)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_its_records_are_read_and_split(project: Path) -> None:
    (project / "build_read.py").write_text(READ)
    done = run(project, "build_read.py")
    assert done.returncode == 0, done.stderr
    rows = [line.split(",")[:2] for line in done.stdout.split()[1:]]
    assert len(rows) == 19
    assert {label for name, label in rows if name.startswith("n")} == {"normal"}


def test_the_data_check_tries_it(project: Path) -> None:
    done = run(project, "-m", "report", "data", "check", "data", "--study", "mine")
    assert "reader analysis.datasets.mine:read: the study names it" in done.stdout, done.stderr


def test_data_without_its_files_are_refused_with_how_they_are_had(project: Path) -> None:
    (project / "other").mkdir()
    (project / "other" / "a.jpg").touch()
    done = run(project, "-m", "report", "build", "mine", "--data", "other")
    assert done.returncode == 5
    assert "other has no images in PNG" in done.stderr
    assert "ask the hospital" in done.stderr


@pytest.mark.parametrize(
    ("old", "new", "problem", "hint"),
    [
        (":read", ":raed", "no function raed in analysis.datasets.mine", "did you mean read"),
        ('"analysis.datasets.mine:read"', '"kermanny"', "no reader is called 'kermanny'", "mean kermany"),
        ("values =", "folders =", "folders: is for the reader 'class-folders' or", ""),
    ],
)
def test_a_wrong_name_or_key_is_told(project: Path, old: str, new: str, problem: str, hint: str) -> None:
    study = project / "studies" / "mine" / "study.toml"
    study.write_text(study.read_text().replace(old, new))
    done = run(project, "-m", "report", "status", "mine", "--data", "data")
    assert done.returncode == 4
    assert problem in done.stderr
    assert hint in done.stderr


def test_what_it_says_of_itself_must_be_written_out(project: Path) -> None:
    module = project / "analysis" / "datasets" / "mine.py"
    module.write_text(module.read_text().replace('("values", "params")', "tuple(KEYS)"))
    done = run(project, "-m", "report", "status", "mine", "--data", "data")
    assert done.returncode == 4
    assert "READER in analysis.datasets.mine: " in done.stderr


def test_a_module_that_is_half_written_stops_no_other_study(project: Path) -> None:
    (project / "analysis" / "datasets" / "another.py").write_text("def read(")
    done = run(project, "-m", "report", "status", "mine", "--data", "data")
    assert done.returncode == 0, done.stderr
