"""Killed at any moment, on a full disk or with damaged files: a clear message or the right bytes."""

from __future__ import annotations

import errno
import itertools
import os
import pickle
import random
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from report.engine import index
from report.engine.stage import Output, Source, Stage
from report.engine.store import Store
from report.engine.system.files import digest_file, translate_disk_errors
from report.errors import EnvironmentProblem, StageError

REPOSITORY = Path(__file__).resolve().parents[2]
STEPS = '''
import hashlib
import time


def write(inputs, out, *, scratch, progress, salt, number):
    """Write a few files that depend on all that is read, and one that all stages have."""
    read = [path.read_bytes() for name in inputs for path in sorted(inputs[name].rglob("*.txt"))]
    (scratch / "half").write_text("half")
    (out / "deep").mkdir()
    for i in range(1 + number % 4):
        time.sleep(number * 7 % 25 / 1000)
        digest = hashlib.sha256(repr((salt, number, i, read)).encode()).hexdigest()
        (out / "deep" / f"{i}.txt").write_text(digest * 50 * (1 + number))
    (out / "same.txt").write_text(str(salt))
'''
DRIVER = """
import pickle
import sys
from pathlib import Path

from report.engine.events import Started
from report.engine.code import Project
from report.engine.executors import local_processes
from report.engine.run import Options, build
from report.errors import ReportError

if __name__ == "__main__":
    root, stages = Path(sys.argv[1]), pickle.loads(Path(sys.argv[2]).read_bytes())
    told = lambda event: print("started", flush=True) if isinstance(event, Started) else None
    try:
        built = build(stages, root / "cache", Options(Project(root, ("toy",)), local_processes, jobs=1, on_event=told))
        print("digests", *(built[stage.name].record.digest for stage in stages))
    except ReportError as error:
        print("failed", error.message)
"""
SIZE = 14


def stages(salt: int) -> list[Stage]:
    """Return a plan in which each stage but the first reads another; they take 2 to 100 ms."""
    return [
        Stage(
            f"s{number}",
            "toy.files:write",
            {"above": Output(f"s{number // 2}")} if number else {},
            {"salt": salt, "number": number},
        )
        for number in range(SIZE)
    ]


class Build:
    """A build in a process of its own, which writes to a file when it starts a stage, and how it ends."""

    def __init__(self, root: Path, name: str, salt: int) -> None:
        # Files of its own: another build may be reading its own just now.
        script, plan, self.told = (root / f"{name}.{what}" for what in ("py", "pickle", "told"))
        script.write_text(DRIVER)
        plan.write_bytes(pickle.dumps(stages(salt)))
        with self.told.open("wb") as stream:
            self.process = subprocess.Popen(
                [sys.executable, script, root, plan],
                env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
                stdout=stream,
                stderr=subprocess.STDOUT,
            )

    def has_begun(self) -> bool:
        return self.told.stat().st_size > 0

    def workers(self) -> list[int]:
        found = []
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                parent = int(path.read_text().rpartition(")")[2].split()[1])
                command = path.with_name("cmdline").read_bytes()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if parent == self.process.pid and b"spawn_main" in command:
                found.append(int(path.parent.name))
        return found

    def end(self) -> list[str]:
        """Return what the build says last: nothing if it was killed."""
        self.process.wait(timeout=60)
        text = self.told.read_text()
        assert "Traceback" not in text
        return text.splitlines()[-1].split() if self.process.returncode == 0 else []


def kill_driver(build: Build) -> None:
    build.process.kill()


def kill_worker(build: Build) -> None:
    for worker in build.workers():
        os.kill(worker, 9)


def is_gone(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60  # a busy machine may not come round to it
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def assert_sound(store: Store) -> None:
    """Look whether every record is complete and every blob is what its name says."""
    for path in store.root.glob("actions/*/*.json"):
        assert store.read(path.stem), path
    for path in store.root.glob("blobs/*/*"):
        assert digest_file(path) == path.name


def digests(toy, salt: int) -> list[str]:
    built = toy.build(stages(salt))
    return [built[stage.name].record.digest for stage in stages(salt)]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds the workers in /proc")
@pytest.mark.parametrize("rounds", [5, pytest.param(100, marks=pytest.mark.slow)])
def test_two_builds_killed_at_random_moments(toy, rounds):
    toy.write("toy.files", STEPS)
    chance = random.Random(rounds)
    salt, finished, killed = 0, {}, 0
    for _ in range(rounds):
        builds = [Build(toy.root, name, salt) for name in ("one", "two")]
        wait_for(lambda both=builds: all(build.has_begun() for build in both))
        workers = [worker for build in builds for worker in build.workers()]
        time.sleep(chance.uniform(0, 0.6))
        kill = chance.choice([kill_driver, kill_worker])
        for build in chance.choice([builds, builds[:1], builds[1:]]):
            kill(build)
        ends = [build.end() for build in builds]
        wait_for(lambda processes=workers: all(map(is_gone, processes)))
        assert_sound(toy.store)
        for word, *rest in filter(None, ends):
            assert word == "digests" or "ended from outside" in " ".join(rest)
            if word == "digests":
                assert finished.setdefault(salt, rest) == rest
        killed += any(not end or end[0] != "digests" for end in ends)
        salt += salt in finished
    assert killed >= rounds / 5, "the moments are well chosen"
    ours = {salt: digests(toy, salt) for salt in range(salt + 1)}
    assert_sound(toy.store)
    toy.cache = toy.root / "other"
    assert ours == {salt: digests(toy, salt) for salt in ours}
    assert ours.items() >= finished.items()


class Stopped(BaseException):
    """The process is killed: nothing that it does to files from now on has an effect."""


def full_disk(path: Any) -> OSError:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


def read_only(path: Any) -> OSError:
    return OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))


class Fault:
    """Stops all writing below a folder from its n-th step on."""

    def __init__(self) -> None:
        self.folder, self.left, self.error = "", -1, full_disk

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.folder and event in WRITING and str(arguments[0]).startswith(self.folder):
            if event == "open" and not arguments[2] & (os.O_WRONLY | os.O_RDWR):
                return
            self.left -= 1
            if self.left < 0:
                raise self.error(arguments[0])

    @contextmanager
    def at(self, step: int, folder: Path, error: Callable[[Any], BaseException]) -> Iterator[None]:
        self.folder, self.left, self.error = str(folder), step, error
        try:
            yield
        finally:
            self.folder = ""

    @property
    def came(self) -> bool:
        return self.left < 0


WRITING = {"open", "os.rename", "os.mkdir", "os.chmod"}


@pytest.fixture(scope="module")
def fault() -> Fault:
    """Return what listens to this process from now on: a hook cannot be taken away again."""
    one = Fault()
    sys.addaudithook(one.hear)
    return one


@pytest.mark.parametrize("error", [full_disk, Stopped])
def test_storing_stopped_at_any_step(toy, fault, error):
    toy.write("toy.files", STEPS)
    built = toy.build(stages(0)[:4])["s3"]
    store, record = toy.store, built.record
    contents = {name: built.path(name).read_bytes() for name in built.files}
    assert len(contents) == 5

    out = store.root / "tmp" / "out"

    def keep(step: int) -> None:
        for name, content in contents.items():
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            (out / name).unlink(missing_ok=True)
            (out / name).write_bytes(content)
        with fault.at(step, store.root, error), translate_disk_errors(toy.cache):
            store.keep(record, out)

    for step in itertools.count():
        for kind in ("actions", "blobs"):
            shutil.rmtree(store.root / kind)
        with suppress(Stopped, EnvironmentProblem):
            keep(step)
        assert_sound(store)
        if not fault.came:
            break
        assert store.read(record.key) is None
        keep(10_000)
        assert store.read(record.key) == record
    assert step > 12, "several files, each moved into its place, and the record"


def test_a_disk_that_is_full_at_any_step_of_a_build(toy, fault):
    toy.write("toy.files", STEPS)
    expected = digests(toy, 0)
    for step in itertools.count():
        for kind in ("index", "latest", "locks", "readers"):
            shutil.rmtree(toy.store.root / kind, ignore_errors=True)
        with fault.at(step, toy.cache, full_disk), suppress(EnvironmentProblem):
            toy.build(stages(0))
        if not fault.came:
            break
        assert_sound(toy.store)
    assert step > 4, "locks, what was found out about files, and which results are the last"
    assert toy.ran(stages(0)) == set()
    assert digests(toy, 0) == expected


def emptied(content: bytes) -> bytes:
    return b""


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def flipped(content: bytes) -> bytes:
    place = len(content) * 2 // 3
    return content[:place] + bytes(byte ^ 4 for byte in content[place : place + 1]) + content[place + 1 :]


def foreign(content: bytes) -> bytes:
    return b'["of another program"]'


def test_whatever_is_damaged_the_next_builds_give_the_right_bytes(toy, monkeypatch):
    monkeypatch.setattr(index, "RECENT_SECONDS", -60.0)  # all is indexed at once
    data = toy.root / "data"
    data.mkdir()
    (data / "x.txt").write_text("x")
    toy.write("toy.files", STEPS)
    plan = stages(0)[:2]
    plan[0] = replace(plan[0], inputs={"data": Source(data, include=("*.txt",))})

    def used() -> dict[str, bytes]:
        built = toy.build(plan, jobs=1)
        return {f"{s}/{name}": b.path(name).read_bytes() for s, b in built.items() for name in b.files}

    expected = used()
    one_of_each = {}
    for path in sorted(p for p in toy.store.root.rglob("*") if p.is_file() and p.parent.name != "readers"):
        kind = path.relative_to(toy.store.root).parts[0]
        one_of_each[kind, path.name.partition("-")[0] if kind == "index" else path.suffix] = path
    assert {kind for kind, _ in one_of_each} >= {"actions", "blobs", "index", "latest", "locks", "logs"}
    for path in one_of_each.values():
        for damage in (emptied, cut, flipped, foreign, None):
            path.chmod(0o644)
            path.write_bytes(damage(path.read_bytes())) if damage else path.unlink()
            toy.status(plan)
            for _ in range(
                2
            ):  # what is damaged may be found as late as where it is used, and is removed then
                with suppress(StageError):
                    found = used()
            assert found == expected, (path, damage)


def test_a_cache_for_reading_only(toy, fault, monkeypatch):
    toy.write("toy.files", STEPS)
    expected = digests(toy, 0)
    shutil.rmtree(toy.store.index, ignore_errors=True)
    monkeypatch.setattr(index, "RECENT_SECONDS", -60.0)
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    with fault.at(0, toy.cache, read_only):
        assert digests(toy, 0) == expected, "what it has is served"
        assert {found.state for found in toy.status(stages(0)).values()} == {"fresh"}
        assert fault.came, "though what was found out about files could not be kept"
        told = pytest.raises(
            EnvironmentProblem, match=f"the cache cannot be written: {re.escape(str(toy.cache))}: Read-only"
        )
        with told, translate_disk_errors(toy.cache), toy.store.lend_run_folder("key"):
            pytest.fail("nothing can run here")


def test_a_cache_of_another_format_version_is_left_alone(toy):
    toy.write("toy.files", STEPS)
    plan = stages(0)[:2]
    toy.build(plan)
    old = toy.store.root.rename(toy.cache / "v0")
    before = {path: path.read_bytes() for path in old.rglob("*") if path.is_file()}
    assert {found.state for found in toy.status(plan).values()} == {"missing"}
    assert toy.ran(plan) == {"s0", "s1"}
    assert {path: path.read_bytes() for path in old.rglob("*") if path.is_file()} == before


def test_a_stage_killed_after_it_was_stored_leaves_nothing_for_long(toy):
    toy.write("toy.files", STEPS)
    built = toy.build(stages(0)[:2])
    for name, key in (("stored", built["s1"].key), ("unfinished", "0" * 64)):
        toy.store.scratch(key).mkdir()
        (toy.store.scratch(key) / name).write_text("half")
    assert toy.ran(stages(0)[:3]) == {"s2"}
    assert [path.name for path in toy.store.root.glob("scratch/*/*")] == ["unfinished"]
