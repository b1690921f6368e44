"""A cache that machines share: what lies there is taken, and whatever goes wrong there changes no result."""

from __future__ import annotations

import json
import shutil
import sys
import threading
from concurrent.futures import Future
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from fsspec.implementations.local import LocalFileSystem

from report.engine import remote
from report.engine.events import Finished, Warned
from report.engine.stage import Stage
from report.engine.store import Record, Store, digest_files
from report.engine.system.files import digest_file
from report.errors import EnvironmentProblem


class Here:
    """Writes the number of each stage without a process, and counts the stages."""

    threads = 2

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.undeclared: list = []

    def submit(self, task) -> Future:
        self.ran.append(task.stage.name)
        store, out = Store(task.cache), task.cache / "out"
        (out / "tables").mkdir(parents=True)
        (out / "number.txt").write_text(str(task.recipe["params"]["value"]))
        (out / "tables" / "name.csv").write_text(task.stage.name)
        names = ("number.txt", "tables/name.csv")
        outputs = {n: {"sha256": digest_file(out / n), "size": (out / n).stat().st_size} for n in names}
        about = {"seconds": 1.0, "host": {}, "finished": "", "undeclared": self.undeclared}
        record = Record(task.key, task.stage.name, task.recipe, outputs, digest_files(outputs), **about)
        store.keep(record, out)
        shutil.rmtree(out)
        done: Future = Future()
        done.set_result((record, "ran"))
        return done

    def messages(self):
        return iter(())


class Machine:
    """A machine with a cache of its own, which it may have to fill from that in ``shared``."""

    def __init__(self, toy, name: str) -> None:
        self.toy, self.cache, self.here, self.warnings = toy, toy.root / name, Here(), []

    def build(self, names: str = "ab", **options) -> dict[str, str]:
        """Build stages that are shared; return how each got its result, which is right."""
        self.toy.cache, self.warnings = self.cache, []
        self.here.ran.clear()
        stages = [Stage(n, "toy.steps:number", params={"value": ord(n)}, shared=True) for n in names]
        options = {"remote": (self.toy.root / "shared").as_uri(), **options}
        start = lambda *_: nullcontext(self.here)  # noqa: E731
        built = self.toy.build(stages, start_executor=start, on_event=self._hear, **options)
        assert [built[n].path("number.txt").read_text() for n in names] == [str(ord(n)) for n in names]
        return {name: one.outcome for name, one in built.items()}

    def _hear(self, event) -> None:
        if isinstance(event, Warned):
            self.warnings.append(str(event.problem))


@pytest.fixture
def machine(toy):
    return lambda name: Machine(toy, name)


@pytest.fixture
def shared(toy) -> Path:
    return toy.root / "shared"


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_second_machine_takes_what_the_first_has_run(toy, shared):
    stages, events = [replace(stage, shared=True) for stage in toy.stages()], []
    assert toy.ran(stages, remote=shared.as_uri()) == {"a", "b", "total", "words"}
    first, toy.cache = toy.cache, toy.root / "other"
    built = toy.build(stages, remote=shared.as_uri(), start_executor=None, on_event=events.append)
    assert {one.outcome for one in built.values()} == {"fetched"}
    assert built["words"].path("words.txt").read_text() == "total 3"
    assert not [event for event in events if isinstance(event, Warned | Finished)], "before the plan is told"
    assert {one.outcome for one in toy.build(stages).values()} == {"cached"}, "it is here now"
    for name, one in built.items():
        assert one.record == Store(first).find_record(one.key), name


def test_what_is_taken_on_the_way_is_told_and_what_it_needs_runs_here(toy, shared):
    stages, events = [replace(stage, shared=stage.name == "total") for stage in toy.stages()], []
    toy.build(stages, remote=shared.as_uri())
    assert len(files(shared)) == 2, "a record and a blob: other stages are not shared"
    toy.cache = toy.root / "other"
    assert toy.ran(stages, remote=shared.as_uri(), on_event=events.append) == {"a", "b", "words"}
    told = {event.stage: event.outcome for event in events if isinstance(event, Finished)}
    assert told == {"a": "ran", "b": "ran", "total": "fetched", "words": "ran"}


def test_records_come_after_all_their_files(machine, shared, monkeypatch):
    put, left = LocalFileSystem.put_file, [2]

    def die(self, local, place, **options):
        left[0] -= 1
        if left[0] < 0:
            raise ConnectionResetError("reset by peer")
        put(self, local, place, **options)

    monkeypatch.setattr(LocalFileSystem, "put_file", die)
    first = machine("first")
    assert first.build() == {"a": "ran", "b": "ran"}
    assert [len(files(shared / "v2" / kind)) for kind in ("blobs", "actions")] == [2, 0]
    assert first.warnings == [
        f"the shared cache {shared.as_uri()} is left aside in this build: reset by peer"
    ]
    left[0] = 9
    assert machine("second").build() == {"a": "ran", "b": "ran"}, "no record, no result"


def damage_record(shared, change):
    for path in shared.glob("v2/actions/*/*"):
        record = json.loads(path.read_bytes())
        change(record)
        path.write_text(json.dumps(record))


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


def swap(paths):
    first, second = (path.read_bytes() for path in paths)
    paths[0].write_bytes(second)
    paths[1].write_bytes(first)


FAULTS = {
    "blobs cut": lambda shared: [cut(path) for path in shared.glob("v2/blobs/*/*")],
    "blobs empty": lambda shared: [path.write_bytes(b"") for path in shared.glob("v2/blobs/*/*")],
    "other bytes": lambda s: [p.write_bytes(b"?" * p.stat().st_size) for p in s.glob("v2/blobs/*/*")],
    "no blobs": lambda shared: shutil.rmtree(shared / "v2" / "blobs"),
    "records cut": lambda shared: [cut(path) for path in shared.glob("v2/actions/*/*")],
    "records swapped": lambda shared: swap([*shared.glob("v2/actions/*/*")]),
    "no table": lambda shared: [path.write_text("[1]") for path in shared.glob("v2/actions/*/*")],
    "other recipe": lambda shared: damage_record(shared, lambda r: r["recipe"]["params"].update(value=1)),
    "fewer files": lambda shared: damage_record(shared, lambda r: r["outputs"].pop("number.txt")),
    "other size": lambda s: damage_record(s, lambda r: [e.update(size=1) for e in r["outputs"].values()]),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_damaged_there_is_told_once_made_here_and_mended(machine, shared, fault):
    machine("first").build()
    FAULTS[fault](shared)
    second = machine("second")
    assert second.build() == {"a": "ran", "b": "ran"}
    assert [warning.split(":")[-2][-19:] for warning in second.warnings] == ["has damaged results"]
    third = machine("third")
    assert third.build() == {"a": "fetched", "b": "fetched"}
    assert third.warnings == []


@pytest.mark.parametrize("call", ["cat_file", "get_file"])
@pytest.mark.parametrize(
    "error", [OSError("no route"), RuntimeError("no route"), PermissionError("no route")]
)
def test_after_the_first_failure_it_is_not_asked_again(machine, shared, monkeypatch, call, error):
    machine("first").build()
    calls = []

    def fail(self, place, *more, **options):
        calls.append(place)
        if more:
            Path(more[0]).write_text("1")  # a part of it had come
        raise error

    monkeypatch.setattr(LocalFileSystem, call, fail)
    monkeypatch.setattr(LocalFileSystem, "put_file", fail)
    second = machine("second")
    assert second.build() == {"a": "ran", "b": "ran"}
    assert len(calls) == 1
    assert second.warnings == [f"the shared cache {shared.as_uri()} is left aside in this build: no route"]
    assert not [*second.cache.glob("v2/tmp/*")], "nothing of it is left"


@pytest.mark.parametrize("call", ["cat_file", "get_file", "put_file"])
def test_one_that_hangs_costs_its_time_once(machine, monkeypatch, call):
    if call == "get_file":
        machine("first").build()
    hang, calls = threading.Event(), []
    monkeypatch.setattr(LocalFileSystem, call, lambda *_: (calls.append(1), hang.wait()))
    monkeypatch.setattr(remote, "PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr(remote, "max", min, raising=False)  # the stage is said to have taken a second
    second = machine("second")
    assert second.build() == {"a": "ran", "b": "ran"}
    assert len(calls) == 1
    assert [warning.rpartition(": ")[2] for warning in second.warnings] == ["it takes too long"]
    hang.set()


def test_where_writing_is_refused_results_are_still_taken(machine, shared, monkeypatch):
    machine("first").build("b")
    before, calls = files(shared), []

    def refuse(self, local, place, **options):
        calls.append(place)
        raise PermissionError("Access Denied")

    monkeypatch.setattr(LocalFileSystem, "put_file", refuse)
    second = machine("second")
    second.build("a")
    assert second.build("cdb") == {"c": "ran", "d": "ran", "b": "fetched"}
    assert len(calls) == 2, "once a build"
    assert second.warnings == [f"the shared cache {shared.as_uri()} may not be written: Access Denied"]
    assert files(shared) == before


def test_one_for_reading_is_given_nothing(machine, shared):
    machine("first").build("a")
    before, second = files(shared), machine("second")
    assert second.build("ab", remote_writes=False) == {"a": "fetched", "b": "ran"}
    assert (files(shared), second.warnings) == (before, [])


def test_a_result_that_its_key_does_not_cover_is_not_given(machine, shared):
    first = machine("first")
    first.here.undeclared = [{"did": "reads", "name": "/etc/hosts"}]
    first.build("a")
    assert files(shared) == []


def test_a_build_with_nothing_to_do_or_nothing_shared_imports_nothing_for_it(toy, machine, monkeypatch):
    first = machine("first")
    first.build()
    monkeypatch.setitem(sys.modules, "fsspec", None)  # to import it is an error now
    assert first.build() == {"a": "cached", "b": "cached"}
    assert toy.build(toy.stages()[:1], remote="s3://x/y")["a"].outcome == "ran"
    assert machine("second").build(remote="") == {"a": "ran", "b": "ran"}


@pytest.mark.parametrize(
    ("address", "hint"), [("s3://bucket/cache", "pip install 'xray-report[s3]'"), ("s4://x", "see REPORT")]
)
def test_an_address_that_needs_what_is_not_here_is_refused_before_anything_runs(
    toy, machine, monkeypatch, address, hint
):
    monkeypatch.setitem(sys.modules, "s3fs", None)
    first = machine("first")
    with pytest.raises(EnvironmentProblem, match=address) as caught:
        first.build(remote=address)
    assert caught.value.hint.startswith(hint)
    toy.cache = toy.root / "late"
    stages = [replace(stage, shared=stage.name == "total") for stage in toy.stages()]
    with pytest.raises(EnvironmentProblem, match=address):
        toy.build(stages, remote=address, start_executor=None)
    assert first.here.ran == []
