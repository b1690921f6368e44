"""Models held against one another on validation images while the test set is locked."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

from report.commands.compare import TRIALS, keep_trials
from report.engine.store import Store
from report.workspace.plan import make_plan
from report.workspace.request import Request
from tests import tiny_build


def test_what_was_tried_is_listed_by_validation_alone(tiny: Path, tmp_path: Path) -> None:
    """The trainings of an open study are those of a locked one; nothing of the test set is made or shown."""
    root = tmp_path / "project"
    shutil.copytree(tiny, root, symlinks=True)
    own = {name: value for name, value in os.environ.items() if not name.startswith("REPORT_")}
    cache = root / tiny_build.CACHE
    made = {path.name for path in (cache / "v2" / "actions").glob("*/*.json")}

    def report(command: str, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "report", command, "assignment", "--sample", *tiny_build.SETTINGS, "--cache", str(cache), *words],
            cwd=root, env=own, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    locked = ("--set", 'evaluation.test="locked"')
    told = report("build", *locked, "--jobs", "1")  # two workers would import TensorFlow twice
    assert "the test set is locked, so no report is made" in told
    new = {path.name.removesuffix(".json") for path in (cache / "v2" / "actions").glob("*/*.json")}
    records = [Store(cache).read(key) for key in new - {name.removesuffix(".json") for name in made}]
    ran = {record.stage.partition(".")[0] for record in records if record}
    assert ran == {"predict", "validate"}, "no training is done again"
    rows = [line for line in report("compare").splitlines() if line.startswith(("baseline", "improved"))]
    assert [row.split()[0] for row in rows].count("baseline") >= 1
    for row in rows:
        _, value, *_ = row.split()
        assert 0 <= float(value) <= 1


def test_a_trial_is_called_by_what_changes_a_model(tmp_path: Path) -> None:
    overrides = ("ablation.run=false", 'evaluation.test="open"', "models.improved.epochs=3")
    plan = make_plan(Request("assignment", sample=True, overrides=overrides, cache=tmp_path))
    keep_trials(plan, {"evaluate.improved": SimpleNamespace(key="k")})  # type: ignore[dict-item]
    assert Store(tmp_path).latest(plan.cache_name, TRIALS) == {"improved models.improved.epochs=3": "k"}
