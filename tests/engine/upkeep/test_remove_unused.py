"""What gc removes, and what it never does."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from report.engine.store import Store
from report.engine.system.files import write_atomically
from report.engine.upkeep.check import check
from report.engine.upkeep.remove_unused import DAY, Removal, collect
from report.errors import StageError
from tests.engine.upkeep.made_up import NOW, action, put, there


def stages_of(collected: Removal) -> list[str]:
    return [result.record.stage for result in collected.results]


def test_age_spares_the_newest_builds_and_what_was_used_lately(store):
    records = [put(store, name, name, days=days) for name, days in (("a", 40), ("b", 10), ("c", 50))]
    store.point("plan", {"c": records[2].key})
    would = collect(store.cache, keep_days=30, dry_run=True)
    assert stages_of(would) == ["a"]
    assert there(store, *records) == [True, True, True]
    collected = collect(store.cache, keep_days=30)
    assert collected == would
    assert [waste.what for waste in collected.waste] == ["results", "bytes", "logs"]
    assert there(store, *records) == [False, True, True]
    assert len(list(store.root.glob("blobs/*/*"))) == 2
    assert check(store.cache).damage == []


def test_everything_that_the_newest_builds_point_to_stays(store):
    first = put(store, "first", 1, days=99)
    last = put(store, "last", 3, reads=[first], days=99)
    put(store, "other", 4, reads=[first], days=99)
    store.point("plan", {"first": first.key, "last": last.key})
    assert stages_of(collect(store.cache, keep_days=30)) == ["other"]
    assert there(store, first, last) == [True, True]


def test_what_a_stage_made_that_is_no_longer_in_the_plan_goes_once_all_others_are_built(toy):
    made = toy.build()
    changed = toy.stages(a=5)[:3]
    toy.build(changed, only=["a"])
    assert len(toy.store.latest("default")) == 4, "one stage is not the whole plan"
    toy.write("toy.arithmetic", "def add(numbers):\n    raise ValueError\n")
    with pytest.raises(StageError):
        toy.build(changed)
    assert len(toy.store.latest("default")) == 4
    toy.write("toy.arithmetic", "def add(numbers):\n    return sum(numbers)\n")
    toy.build(changed)
    for kind in ("results", "runs"):
        assert toy.store.latest("default", kind).keys() == {"a", "b", "total"}
    assert "words" in stages_of(collect(toy.cache, keep_days=0))
    assert not toy.store.find_record(made["words"].key)
    assert toy.ran(changed) == set()


def test_size_removes_the_least_recently_used_first(store):
    for name, days in (("a", 3), ("b", 5), ("c", 4), ("newest", 9)):
        newest = put(store, name, name, days=days)
    store.point("plan", {"newest": newest.key})
    left = collect(store.cache, keep_days=30).left
    collected = collect(store.cache, keep_days=30, max_size=left - 1)
    assert stages_of(collected) == ["b"]
    assert collected.left < left
    collected = collect(store.cache, keep_days=30, max_size=0)
    assert stages_of(collected) == ["c", "a"]
    assert collected.left >= collected.needed > 0


def test_bytes_that_another_result_has_too_stay(store):
    old, twin = put(store, "old", 5, days=40), put(store, "twin", 5)
    collected = collect(store.cache, keep_days=30)
    assert stages_of(collected) == ["old"]
    assert "bytes" not in {waste.what for waste in collected.waste}
    assert Store(store.cache).read(twin.key) == twin
    assert there(store, old) == [False]


def test_what_a_running_build_has_looked_up_stays_however_old(store):
    record = put(store, "a", days=99)
    build = Store(store.cache)
    with build.locks.register_reader():
        assert build.read(record.key) == record
        assert collect(store.cache, keep_days=0, max_size=0).results == []
    assert stages_of(collect(store.cache, keep_days=0)) == ["a"]


def test_scratch_goes_when_its_stage_has_a_result_or_it_is_old_and_nobody_runs_it(store):
    done = put(store, "a").key
    old, young, running = "0" * 64, "1" * 64, "2" * 64
    for key in (done, old, young, running):
        write_atomically(store.scratch(key) / "counter", b"3")
    for key in (old, running):
        for path in (store.scratch(key), store.scratch(key) / "counter"):
            os.utime(path, (NOW - 99 * DAY, NOW - 99 * DAY))
    with store.lend_run_folder(running):
        collect(store.cache, keep_days=30)
    assert sorted(path.name for path in store.root.glob("scratch/*")) == sorted([young, running])


def test_what_killed_processes_leave_goes(store):
    files = ("index/.x", "index/trees/0.json", "logs/0.log", "tmp/dead/out", "readers/1-x", "locks/key")
    for path in (store.root / name for name in files):
        write_atomically(path, b"")
        os.utime(path, (NOW - 99 * DAY, NOW - 99 * DAY))
    collect(store.cache, keep_days=30)
    assert [path for path in files if (store.root / path).exists()] == []
    assert [path.name for path in (store.root / "locks").glob("*")] == ["cache"]


def test_a_lock_file_removed_meanwhile_is_no_lock(store):
    """Whoever waits for a lock whose file the holder removes must not hold a lock that nobody sees."""
    order = []

    def second() -> None:
        with store.locks.hold("key"):
            order.append(store.locks.is_free("key"))

    with store.locks.hold("key"):
        other = threading.Thread(target=second)
        other.start()
        time.sleep(0.1)
        (store.root / "locks" / "key").unlink()
    other.join()
    assert order == [False]


def test_lookups_wait_while_results_are_removed(store):
    record = put(store, "a")
    found = []
    with store.locks.hold_for_cleaning():
        other = threading.Thread(target=lambda: found.append(Store(store.cache).read(record.key)))
        other.start()
        time.sleep(0.1)
        assert found == []
        action(store, record).unlink()
    other.join()
    assert found == [None]


def test_cleaning_all_the_time_beside_a_build_costs_it_nothing(toy):
    driver = toy.driver(steps=30)
    while driver.poll() is None:
        collect(toy.cache, keep_days=0, max_size=0)
    assert driver.communicate()[0].split() == ["a=ran", "slow=ran"]
    assert toy.ran(toy.slow(30)) == set()
    assert check(toy.cache).damage == []


def test_readers_that_end_while_a_cleaner_looks_at_them(store):
    def read_often() -> None:
        for _ in range(500):
            with store.locks.register_reader():
                pass

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read_often) for _ in range(4)]
        while not all(reader.done() for reader in readers):
            with store.locks.hold_for_cleaning():
                pass
        for reader in readers:
            reader.result()
    assert list((store.root / "readers").iterdir()) == []


def test_results_in_another_format_go_by_age_alone(store):
    put(store, "a")
    old = store.cache / "v0" / "blobs" / "x"
    write_atomically(old, b"x" * 1000)
    left = collect(store.cache, keep_days=30).left
    assert (store.other_formats(), old.exists()) == ([store.cache / "v0"], True)
    os.utime(old, (NOW - 40 * DAY, NOW - 40 * DAY))
    collected = collect(store.cache, keep_days=30, max_size=0)
    assert collected.by_kind()["results in another format"] == [1000]
    assert collect(store.cache, keep_days=30).left <= left
    assert (store.other_formats(), old.exists()) == ([], False)
