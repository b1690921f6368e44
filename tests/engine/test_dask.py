"""Stages on a Dask cluster: a real scheduler and two worker processes, and what may befall them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from report.engine.events import Finished, Progressed
from report.engine.executors import choose
from report.engine.stage import Stage
from report.engine.status import read_last_log
from report.errors import EnvironmentProblem
from tests.conftest import REPOSITORY, Toy, wait_for

pytest.importorskip("distributed")


def start(*arguments: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "DASK_DISTRIBUTED__ADMIN__LOG_FORMAT": ""}
    command = [sys.executable, "-m", "distributed.cli." + arguments[0], *arguments[1:]]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class DaskCluster:
    """A scheduler and two workers of one thread (or another number), each a process of its own."""

    def __init__(self, folder: Path, workers: int = 2, threads: int = 1) -> None:
        file = folder / "scheduler.json"
        self.scheduler = start(
            "dask_scheduler", "--port", "0", "--no-dashboard", "--scheduler-file", str(file)
        )
        wait_for(file.exists)
        where = ("--scheduler-file", str(file), "--local-directory", str(folder))
        kind = ("--no-nanny", "--nthreads", str(threads), "--no-dashboard")
        self.workers = [start("dask_worker", *where, *kind) for _ in range(workers)]

        self.address: str = json.loads(file.read_text())["address"]

    def end(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def shared_cluster(tmp_path_factory) -> Iterator[DaskCluster]:
    cluster = DaskCluster(tmp_path_factory.mktemp("dask"))
    yield cluster
    cluster.end()


@pytest.fixture
def own_cluster(tmp_path) -> Iterator[DaskCluster]:
    cluster = DaskCluster(tmp_path)
    yield cluster
    cluster.end()


def on(cluster: DaskCluster, ask=lambda names, how: False):
    return choose("dask", cluster.address, ask)


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_the_same_keys_and_digests_as_here_and_progress(toy, shared_cluster, tmp_path):
    here = Toy(tmp_path / "here")
    stages = [*toy.stages(), *toy.slow(30)[1:]]
    events = []
    there = toy.build(stages, start_executor=on(shared_cluster), on_event=events.append)
    local = here.build(stages)
    assert {n: (b.key, b.record.digest) for n, b in there.items()} == {
        n: (b.key, b.record.digest) for n, b in local.items()
    }
    assert {b.outcome for b in there.values()} == {"ran"}
    counted = [event for event in events if isinstance(event, Progressed) and event.stage == "slow"]
    assert len(counted) > 2
    assert counted[-1].figures
    assert "begun at 0" in read_last_log(toy.cache, "default", "slow")
    assert toy.ran(stages) == set()


def test_a_stage_whose_worker_is_killed_goes_on_beside_another_from_its_checkpoint(toy, own_cluster):
    with ThreadPoolExecutor(1) as pool:
        build = pool.submit(toy.build, toy.slow(60), start_executor=on(own_cluster))
        os.kill(parent(toy.worker()), signal.SIGKILL)
        built = build.result(timeout=30)
    assert built["slow"].path("number.txt").read_text() == "60"
    assert "begun at 0" not in read_last_log(toy.cache, "default", "slow")


def test_a_machine_that_does_not_see_the_cache_or_has_other_code_is_told(toy, shared_cluster, monkeypatch):
    import report.engine.worker

    real = report.engine.worker.Task

    def of_another_cache(*arguments):
        return real(*arguments[:4], toy.root / "elsewhere", *arguments[5:])

    with monkeypatch.context() as patch:
        patch.setattr(report.engine.worker, "Task", of_another_cache)
        with pytest.raises(EnvironmentProblem, match="does not see the cache"):
            toy.build(start_executor=on(shared_cluster))

    def of_other_code(stage, key, recipe, *others):
        return real(stage, key, {**recipe, "code": {**recipe["code"], "toy.steps": "other"}}, *others)

    monkeypatch.setattr(report.engine.worker, "Task", of_other_code)
    with pytest.raises(
        EnvironmentProblem, match=r"it is not made from what the build has seen: code of toy.steps"
    ):
        toy.build(start_executor=on(shared_cluster))


def test_no_scheduler_is_an_error_with_what_to_type(toy, monkeypatch):
    import report.engine.dask_workers

    monkeypatch.setattr(report.engine.dask_workers, "PATIENCE", 1)
    with pytest.raises(EnvironmentProblem, match="no Dask scheduler with workers at tcp://127") as caught:
        toy.build(start_executor=choose("dask", "tcp://127.0.0.1:9", lambda names, how: False))
    assert "dask worker" in caught.value.hint


class Interrupted(BaseException):
    pass


@contextmanager
def interrupted_when(toy: Toy) -> Iterator[dict]:
    """Interrupt a build when its slow stage has counted a few steps."""

    def interrupt(event):
        if isinstance(event, Progressed) and event.done > 3:
            raise Interrupted

    with pytest.raises(Interrupted):
        yield {"on_event": interrupt}


def test_interrupted_the_user_is_asked_what_shall_go_on(toy, shared_cluster, is_running):
    asked = []

    def answer(shall: bool, names, how: str) -> bool:
        asked.append(names)
        return shall

    with interrupted_when(toy) as options:
        toy.build(toy.slow(300), start_executor=on(shared_cluster, partial(answer, False)), **options)
    pid = toy.worker()
    wait_for(lambda: not is_running(pid), 5)
    with interrupted_when(toy) as options:
        toy.build(toy.slow(40), start_executor=on(shared_cluster, partial(answer, True)), **options)
    assert asked == [["slow"], ["slow"]]
    key = toy.store.latest("default", "runs")["slow"]
    wait_for(lambda: toy.store.find_record(key), 20)
    assert toy.ran(toy.slow(40)) == set(), "what went on was kept"


DRIVER = """
import sys
from pathlib import Path
from report.engine.executors import choose
from tests.conftest import Toy
from tests.engine.test_dask import both

if __name__ == "__main__":
    toy = Toy(Path(sys.argv[1]))
    toy.build(both(), start_executor=choose("dask", sys.argv[2], lambda names, how: False))
"""


def both() -> list[Stage]:
    return [Stage(f"slow{steps}", "toy.steps:slow", params={"steps": steps}) for steps in (20, 60)]


def test_what_runs_goes_on_when_the_build_is_killed_and_the_next_takes_it(toy, tmp_path, is_running):
    cluster = DaskCluster(tmp_path, workers=1, threads=2)
    try:
        script = toy.root / "drive.py"
        script.write_text(DRIVER)
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
        driver = subprocess.Popen([sys.executable, script, toy.root, cluster.address], env=environment)
        wait_for(lambda: len([*toy.store.root.glob("scratch/*/counter")]) == 2)
        beside = [int(path.read_text()) for path in toy.store.root.glob("scratch/*/pid")]
        driver.kill()
        driver.wait()
        assert set(toy.build(both(), start_executor=on(cluster))) == {"slow20", "slow60"}
        for stage in both():
            assert "begun at 0" in read_last_log(toy.cache, "default", stage.name), "it was not begun again"
        wait_for(lambda: not any(map(is_running, beside)))
    finally:
        cluster.end()


def test_a_cluster_of_its_own_where_no_scheduler_is_named(toy):
    finished = []
    told = lambda event: finished.append(event) if isinstance(event, Finished) else None  # noqa: E731
    assert toy.ran(start_executor=choose("dask", "", lambda names, how: False), on_event=told) == {
        *("a", "b", "total", "words")
    }
    assert len(finished) == 4
