"""A build folder is written whole or not at all."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from analysis.errors import DataError
from report.cli import find_exit_code
from report.delivery import build_folder, evidence, publish
from report.errors import ENVIRONMENT, EnvironmentProblem


@pytest.fixture
def built(tmp_path: Path):
    """Return a plan with one result, as publishing sees it."""
    result = tmp_path / "blob"
    result.write_text("{}")
    record = SimpleNamespace(seconds=1.0, host={})
    one = SimpleNamespace(
        path=lambda _: result, files=("results.json",), outcome="ran", key="k", record=record
    )
    plan = SimpleNamespace(
        name="toy", out=tmp_path / "build", cache=tmp_path, study=SimpleNamespace(models=[]), stages=[]
    )
    return plan, {"results": one}


def test_publishing_writes_once_and_takes_away_what_an_earlier_build_wrote_and_nothing_else(built):
    plan, results = built
    (plan.out / "figures" / "deep").mkdir(parents=True)
    for name in ("figures/deep/old.svg", "figures/mine.svg", "report.pdf", "../outside"):
        (plan.out / name).write_text("")
    listed = ["figures/deep/old.svg", "report.pdf", "../outside", "/etc/passwd", "gone", 3]
    (plan.out / "run.json").write_text(json.dumps({"files": listed}))
    assert publish.publish(plan, results, 1.0).removed == ["figures/deep/old.svg", "report.pdf"]
    first = (plan.out / "results.json").stat()
    assert publish.publish(plan, results, 1.0).removed == []
    assert (plan.out / "results.json").stat().st_mtime_ns == first.st_mtime_ns
    assert [path.name for path in (plan.out / "figures").iterdir()] == ["mine.svg"]
    assert (plan.out / "../outside").exists()
    run = json.loads((plan.out / "run.json").read_text())
    assert run["stages"]["results"]["how"] == "ran"
    assert run["files"] == ["results.json", "run.json"]


def test_a_build_folder_that_cannot_be_written(built):
    plan, results = built
    plan.out.write_text("a file")
    with pytest.raises(EnvironmentProblem, match="build") as caught:
        publish.publish(plan, results, 1.0)
    assert find_exit_code(caught.value) == ENVIRONMENT
    assert "--out" in caught.value.hint


def test_a_build_that_is_interrupted_while_it_publishes_says_so_until_the_next(built, monkeypatch):
    plan, results = built
    monkeypatch.setattr(publish, "write_if_changed", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        publish.publish(plan, results, 1.0)
    (plan.out / "predictions").mkdir()
    (plan.out / "predictions" / "study.json").write_text("{}")
    with pytest.raises(DataError, match="interrupted while it wrote this folder"):
        evidence.read_evidence(plan.out)
    monkeypatch.undo()
    publish.publish(plan, results, 1.0)
    assert not build_folder.is_unfinished(plan.out)


def test_no_room_leaves_the_old_report_whole(built, monkeypatch):
    plan, results = built
    publish.publish(plan, results, 1.0)

    def full(beside, path):
        raise OSError(errno.ENOSPC, "No space left on device", str(beside))

    monkeypatch.setattr(Path, "replace", full)
    results["results"].path(None).write_text('{"new": 1}')
    with pytest.raises(EnvironmentProblem, match="No space left"):
        publish.publish(plan, results, 1.0)
    assert (plan.out / "results.json").read_text() == "{}"
    assert not build_folder.is_unfinished(plan.out), "nothing was written yet"
    assert [p.name for p in plan.out.iterdir() if p.name.startswith(".")] == []
