from __future__ import annotations

import multiprocessing
import os
import random
import re
import signal
import time

import pytest

from report.engine.events import Finished
from report.engine.status import read_last_log
from report.engine.system.files import digest_file
from report.engine.worker import BEGUN
from report.errors import StageError


def sound(store) -> bool:
    """Tell whether every record is complete and every blob is what its name says."""
    records = [store.read(path.stem) for path in store.root.glob("actions/*/*.json")]
    return None not in records and all(digest_file(p) == p.name for p in store.root.glob("blobs/*/*"))


def test_workers_end_with_their_driver_and_the_next_build_goes_on(toy, is_running):
    driver = toy.driver(40)
    worker = toy.worker()
    driver.kill()
    driver.wait()
    end = time.monotonic() + 2
    while is_running(worker) and time.monotonic() < end:
        time.sleep(0.02)
    assert not is_running(worker)
    assert sound(toy.store)
    assert list(toy.store.root.glob("tmp/*"))
    built = toy.build(toy.slow(40))
    assert built["slow"].path("number.txt").read_text() == "40"
    assert int(re.findall(r"begun at (\d+)", read_last_log(toy.cache, "default", "slow"))[-1]) > 2, (
        "it did not begin anew"
    )
    assert [p for kind in ("tmp", "scratch") for p in toy.store.root.glob(f"{kind}/*")] == []


def test_the_time_counts_that_runs_took_before_they_were_killed(toy, is_running):
    driver = toy.driver(40)
    worker = toy.worker()
    driver.kill()
    while is_running(worker):
        time.sleep(0.02)
    (scratch,) = toy.store.root.glob("scratch/*")
    assert {path.name for path in scratch.iterdir()} == {"pid", "counter", BEGUN}
    (scratch / BEGUN).write_text("1000.0")
    for path, seconds in ((scratch / BEGUN, 100), (scratch / "pid", 101), (scratch / "counter", 150)):
        os.utime(path, (0, seconds))
    assert 1050 < toy.build(toy.slow(40))["slow"].record.seconds < 1100, "up to the last checkpoint"


def test_a_killed_worker_is_told_and_the_next_build_goes_on(toy):
    driver = toy.driver(40)
    os.kill(toy.worker(), signal.SIGKILL)
    _, errors = driver.communicate(timeout=20)
    assert "slow: its process was ended from outside" in errors
    assert sound(toy.store)
    assert toy.ran(toy.slow(40)) == {"slow"}


def test_a_worker_killed_while_idle_is_replaced(toy):
    others = {*multiprocessing.active_children()}

    def kill_idle(event):
        if isinstance(event, Finished):
            for process in {*multiprocessing.active_children()} - others:
                process.kill()
                process.join()
            time.sleep(0.3)

    assert toy.ran(jobs=1, on_event=kill_idle) == {"a", "b", "total", "words"}


def test_ctrl_c_stops_the_workers_and_keeps_what_is_finished(toy, is_running):
    driver = toy.driver(600)
    worker = toy.worker()
    begun = time.monotonic()
    driver.send_signal(signal.SIGINT)
    _, errors = driver.communicate(timeout=20)
    assert time.monotonic() - begun < 10  # of the 30 that the stage takes
    assert errors.strip().endswith("KeyboardInterrupt")
    assert not is_running(worker)
    assert toy.ran(toy.stages()[:1]) == set()


def test_two_builds_at_once_run_a_stage_once(toy):
    first = toy.driver(20)
    worker = toy.worker()
    second = toy.driver(20)
    outputs = [driver.communicate(timeout=30)[0].split() for driver in (first, second)]
    assert outputs == [["a=ran", "slow=ran"], ["a=cached", "slow=cached"]]
    assert worker


def test_two_builds_killed_at_random_moments_leave_nothing_half(toy):
    for moment in range(6):
        drivers = [toy.driver(8), toy.driver(8)]
        time.sleep(0.3 + 0.2 * moment + random.uniform(0, 0.2))
        for driver in drivers:
            driver.kill()
            driver.communicate()
        assert sound(toy.store)
    built = toy.build(toy.slow(8))
    assert built["slow"].path("number.txt").read_text() == "8"
    assert sound(toy.store)


def test_a_failed_stage_keeps_its_scratch(toy):
    toy.edit("toy.steps", "progress(step + 1", "assert step < 3\n        progress(step + 1")
    with pytest.raises(StageError, match="AssertionError"):
        toy.build(toy.slow(5))
    assert [p.read_text() for p in toy.store.root.glob("scratch/*/counter")] == ["3"]
