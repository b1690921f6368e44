"""A copy of this project that has built a tiny sample: a run of the tests makes it once."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.specimen import TWO_NETWORKS

ROOT = Path(__file__).parents[1]
PATIENT = (
    'models.improved.callbacks=[{kind="early_stopping", monitor="val_loss", patience=30, restore_best=true}]'
)
EPOCHS = 10
"""So many that a training can be interrupted."""


def having(*sections: str) -> tuple[str, ...]:
    """Return the settings of a short report that has these sections: most of the time of a build is that of its pages."""
    names = ("introduction.md", "data", "results", "discussion", *sections, "reproduce")
    return f"report.sections={json.dumps(names)}", "report.requirements=[]"


SHORT = having("attention")
TINY = (
    *("sample.pictures=80", "sample.size=32", f"sample.epochs={EPOCHS}", f"models.baseline.epochs={EPOCHS}"),
    *('split.also="none"', PATIENT, *SHORT),
)
SETTINGS = [word for setting in TINY for word in ("--set", setting)]
BUILD = (sys.executable, "-m", "report", "build", "assignment", "--sample", *SETTINGS)
CACHE, OUT = ".cache", "build/assignment-sample"
AUTHOR = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
DATES = dict.fromkeys(("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"), "2020-02-02T20:20:20Z")


def git(root: Path, *words: str) -> None:
    subprocess.run(
        ["git", *AUTHOR, *words], cwd=root, env={**os.environ, **DATES}, capture_output=True, check=True
    )


def copy_project(root: Path) -> None:
    """Copy what belongs to the project, as it lies here now, and commit it: equal copies have equal commits.

    The assignment has two networks there, each trained once.
    """
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, names.stdout.split("\0")):
        if (ROOT / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, root / name)
    shutil.rmtree(root / "studies" / "assignment")
    shutil.copytree(TWO_NETWORKS, root / "studies" / "assignment")
    # Once, and not in each of the processes there, nor of each stage anew; by their content, for modules are edited.
    compile_once = ("-m", "compileall", "-q", "--invalidation-mode", "checked-hash", "report", "analysis")
    subprocess.run([sys.executable, *compile_once], cwd=root, check=True)
    git(root, "init")
    git(root, "add", "--all")
    git(root, "commit", "-m", "As it is")


def make(root: Path) -> None:
    """Copy the project and build the tiny sample there, one stage at a time."""
    copy_project(root)
    own = {name: value for name, value in os.environ.items() if not name.startswith("REPORT_")}
    places = ("--cache", str(root / CACHE), "--out", str(root / OUT))
    command = [*BUILD, "--jobs", "1", *places]
    done = subprocess.run(command, cwd=root, env=own, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
