"""Models held against one another on validation images while the test set is locked."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from report.commands.compare import TRIALS, keep_trials
from report.engine.store import Store
from report.workspace.plan import make_plan
from report.workspace.request import Request
from tests import tiny_build
from tests.commands.process import Tiny


def test_what_was_tried_is_listed_by_validation_alone(built: Tiny) -> None:
    """The trainings of an open study are those of a locked one; nothing of the test set is made or shown."""

    def report(command: str, *words: str) -> str:
        done = built.run(command, built.study, "--sample", *tiny_build.SETTINGS, *words)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    def made() -> set[str]:
        return {path.stem for path in built.cache.glob("v2/actions/*/*.json")}

    before = made()
    told = report("build", "--set", 'evaluation.test="locked"')
    assert "the test set is locked, so no report is made" in told
    records = [Store(built.cache).read(key) for key in made() - before]
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
