"""Stages as jobs of a real SLURM of one node, and what may befall them."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from report.engine.events import Progressed
from report.engine.executors import choose
from report.engine.stage import Resources, Stage
from report.engine.status import read_last_log
from report.errors import EnvironmentProblem, StageError
from tests.conftest import REPOSITORY, Toy, wait_for
from tests.engine.slurm_node import SlurmNode, find_obstacle

OBSTACLE = find_obstacle()
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(OBSTACLE), reason=OBSTACLE),
]
pytest.importorskip("submitit", reason="submitit is not installed: pip install 'xray-report[slurm]'")
END = (lambda names, how: False,)
START = choose("slurm", "", *END)


@pytest.fixture(scope="module")
def node(tmp_path_factory) -> Iterator[SlurmNode]:
    with SlurmNode(tmp_path_factory.mktemp("slurm")) as node:
        yield node


@pytest.fixture(autouse=True)
def _reach(node, monkeypatch) -> None:
    for name in ("PATH", "SLURM_CONF"):
        monkeypatch.setenv(name, node.environment[name])
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    monkeypatch.setattr("report.engine.slurm_jobs.LOOK_SECONDS", 0.5)


def count_jobs(toy: Toy, stage: str) -> int:
    """Return how many jobs were sent for the last run of a stage."""
    key = toy.store.latest("default", "runs")[stage]
    return len([*(toy.store.root / "jobs" / key).glob("*_submitted.pkl")])


def test_the_same_keys_and_digests_as_here_progress_and_log(toy, tmp_path):
    here = Toy(tmp_path / "here")
    stages = [*toy.stages(), *toy.slow(60)[1:]]
    events = []
    there = toy.build(stages, start_executor=START, on_event=events.append)
    local = here.build(stages)
    assert {n: (b.key, b.record.digest) for n, b in there.items()} == {
        n: (b.key, b.record.digest) for n, b in local.items()
    }
    counted = [event for event in events if isinstance(event, Progressed) and event.stage == "slow"]
    assert len(counted) > 2
    assert "begun at 0" in read_last_log(toy.cache, "default", "slow")
    assert toy.ran(stages) == set()


def test_a_job_has_what_its_stage_asks_for(toy, node):
    asked = Resources(cores=2, memory=1.5, minutes=7)
    stages = [replace(stage, resources=asked) for stage in toy.slow(40)]
    with ThreadPoolExecutor(1) as pool:
        build = pool.submit(toy.build, stages, start_executor=START)
        toy.worker()
        told = node.ask("scontrol", "show", "job", "--oneliner")
        build.result(60)
    job = [line for line in told.splitlines() if "JobName=slow" in line][-1]
    assert {"NumCPUs=2", "TimeLimit=00:07:00", "MinMemoryNode=1.50G"} <= {*job.split()}


def test_a_job_that_slurm_refuses_is_told_with_its_words(toy, monkeypatch):
    monkeypatch.setenv("SBATCH_PARTITION", "nowhere")
    with pytest.raises(EnvironmentProblem, match=r"a: SLURM does not take it: .*partition") as caught:
        toy.build(start_executor=START)
    assert "[resources]" in caught.value.hint


DRIVER = """
import sys
from report.engine.executors import choose
from tests.conftest import Toy
from pathlib import Path

if __name__ == "__main__":
    toy = Toy(Path(sys.argv[1]))
    toy.build(toy.slow(120), start_executor=choose("slurm", "", lambda names, how: False))
"""


def test_a_job_outlives_the_build_that_is_killed_and_the_next_takes_it_up(toy, node):
    script = toy.root / "drive.py"
    script.write_text(DRIVER)
    driver = subprocess.Popen([REPOSITORY / ".venv/bin/python", script, toy.root])
    worker = toy.worker()
    driver.kill()
    driver.wait()
    time.sleep(1)
    os.kill(worker, 0)  # it runs
    toy_again = toy.build(toy.slow(120), start_executor=START)
    assert toy_again["slow"].path("number.txt").read_text() == "120"
    assert count_jobs(toy, "slow") == 1
    assert "begun at 0" in read_last_log(toy.cache, "default", "slow"), "it was not begun twice"


def test_a_job_that_is_cancelled_is_told_and_the_next_build_goes_on(toy, node):
    with ThreadPoolExecutor(1) as pool:
        build = pool.submit(toy.build, toy.slow(60), start_executor=START)
        toy.worker()
        node.ask("scancel", "--name=slow")
        with pytest.raises(StageError, match="slow: its process was ended from outside"):
            build.result(60)
    assert toy.ran(toy.slow(60), start_executor=START) == {"slow"}
    begun = re.findall(r"begun at (\d+)", read_last_log(toy.cache, "default", "slow"))
    assert int(begun[-1]) > 0


def test_the_process_of_a_stage_that_is_killed_is_told(toy):
    with ThreadPoolExecutor(1) as pool:
        build = pool.submit(toy.build, toy.slow(60), start_executor=START)
        os.kill(toy.worker(), signal.SIGKILL)
        with pytest.raises(StageError, match="slow: its process was ended from outside"):
            build.result(60)


def test_an_error_of_a_stage_is_told_as_here(toy):
    toy.write(
        "toy.bad", "def fail(inputs, out, *, scratch, progress):\n    raise ValueError('no such luck')\n"
    )
    with pytest.raises(StageError, match="bad: ValueError: no such luck"):
        toy.build([Stage("bad", "toy.bad:fail")], start_executor=START)


class Interrupted(BaseException):
    pass


@pytest.mark.parametrize("shall", [False, True])
def test_interrupted_the_user_is_asked_whether_the_jobs_go_on(toy, node, shall):
    asked = []

    def ask(names, how: str) -> bool:
        asked.append((names, how))
        return shall

    def interrupt(event):
        if isinstance(event, Progressed) and event.done > 3:
            raise Interrupted

    with pytest.raises(Interrupted):
        toy.build(toy.slow(100), start_executor=choose("slurm", "", ask), on_event=interrupt)
    ((names, how),) = asked
    assert names == ["slow"]
    assert re.fullmatch(r"scancel \d+", how)
    wait_for(lambda: not node.ask("squeue", "--noheader"), 30)
    key = toy.store.latest("default", "runs")["slow"]
    assert bool(toy.store.find_record(key)) == shall


def test_a_job_whose_minutes_are_over_goes_on_in_another_turn(toy, node):
    with ThreadPoolExecutor(1) as pool:
        build = pool.submit(toy.build, toy.slow(200), start_executor=START)
        toy.worker()
        (job,) = node.ask("squeue", "--noheader", "--name=slow", "--format=%i").split()
        node.ask("scancel", "--signal=USR2", job)
        node.wait(lambda: node.ask("squeue", "--noheader", "--states=PENDING").strip())
        # Not at once: SLURM would take it for the run that it has just ended.
        node.ask("scontrol", "update", f"JobId={job}", "StartTime=now+3")
        built = build.result(200)
    assert built["slow"].outcome == "ran"
    assert count_jobs(toy, "slow") == 1
    assert "begun at 0" not in read_last_log(toy.cache, "default", "slow")
