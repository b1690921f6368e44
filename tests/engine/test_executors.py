"""Executors plug in: a build takes what it is given, and admits stages by what that says it has."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from report.engine.code import Project
from report.engine.events import Planned, Progressed
from report.engine.executors import Executor
from report.engine.local_processes import LocalProcesses
from report.engine.schedule import by_urgency, hopeless
from report.engine.stage import Output, Resources, Stage
from report.engine.system import machine
from report.engine.system.machine import list_gpus


class Cluster:
    """Hands stages on to processes here, and says how many threads it has."""

    def __init__(self, processes: LocalProcesses, threads: int) -> None:
        self.threads = threads
        self.running: set[Future] = set()
        self.most = 0
        self._processes = processes

    def submit(self, task) -> Future:
        self.running = {future for future in self.running if not future.done()}
        future = self._processes.submit(task)
        self.running.add(future)
        self.most = max(self.most, len(self.running))
        return future

    def messages(self) -> Iterator[Progressed]:
        return self._processes.messages()


@pytest.mark.parametrize(("threads", "most"), [(1, 1), (2, 2)])
def test_stages_run_where_they_are_sent_as_long_as_there_are_threads(toy, threads, most):
    clusters = []

    @contextmanager
    def start(project: Project, home: Path) -> Iterator[Executor]:
        with LocalProcesses(project, home) as processes:
            clusters.append(Cluster(processes, threads))
            yield clusters[-1]

    events = []
    slow = [Stage(f"slow{i}", "toy.steps:slow", params={"steps": 8 + i}) for i in range(3)]
    toy.build(slow, start_executor=start, on_event=events.append)
    (planned,) = [event for event in events if isinstance(event, Planned)]
    assert (planned.jobs, planned.cores) == (threads, threads)
    assert [cluster.most for cluster in clusters] == [most]
    assert toy.ran(slow, start_executor=start) == set()
    assert len(clusters) == 1, "where nothing runs none is started"


def test_what_begins_the_longest_way_runs_first_and_what_is_early_before_it_on_one_thread_before_two():
    stages = [
        Stage("quick", "m:f"),
        Stage("slow", "m:f"),
        Stage("after", "m:f", {"quick": Output("quick")}),
        Stage("try", "m:f", threads=2, early=True),
        Stage("check", "m:f", early=True),
    ]
    assert [s.name for s in by_urgency(stages, {"slow": 5.0, "after": 9.0})][:4] == [
        "check",
        "try",
        "quick",
        "after",
    ]


def test_what_only_lost_stages_read_is_hopeless_too():
    stages = [
        *(Stage(name, "m:f") for name in ("a", "b", "bad")),
        Stage("after", "m:f", {name: Output(name) for name in ("a", "bad")}),
        Stage("other", "m:f", {"b": Output("b")}),
    ]
    assert hopeless(stages, {"bad"}) == {"bad", "after", "a"}


DEVICES = '''
import os
import sys
import time
from types import SimpleNamespace


def look(inputs, out, *, scratch, progress, names, seconds=0):
    """Write what a GPU library would see, and pretend to be one that finds two."""
    time.sleep(seconds)
    (out / "devices.txt").write_text(" ".join(os.environ.get(name, "all") for name in names))
    details = SimpleNamespace(get_device_details=lambda gpu: {"device_name": gpu})
    config = SimpleNamespace(list_physical_devices=lambda kind: ["H200", "H200"], experimental=details)
    sys.modules["tensorflow"] = SimpleNamespace(config=config)
'''


def test_a_stage_has_a_gpu_where_it_asks_for_one_and_its_record_names_it(toy, monkeypatch):
    """With a made-up TensorFlow: there is no GPU where tests run."""
    toy.write("toy.devices", DEVICES)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    names = ["CUDA_VISIBLE_DEVICES", "TF_FORCE_GPU_ALLOW_GROWTH"]
    look = Stage("look", "toy.devices:look", params={"names": names})
    asks = replace(look, name="asks", resources=Resources(gpus=2))
    without = toy.build([look])["look"]
    assert without.path("devices.txt").read_text() == "-1 true"
    assert without.record.host["device"] == "cpu"
    assert toy.build([look, replace(asks, name="same")])["same"].outcome == "cached", "it is in no key"
    toy.edit("toy.devices", "def look", "other = 1\n\n\ndef look")
    with_gpus = toy.build([asks])["asks"]
    assert with_gpus.path("devices.txt").read_text() == "0,1 true"
    assert with_gpus.record.host["device"] == "H200, H200"


@pytest.mark.parametrize(
    ("given", "asked", "had"),
    [
        ("0,GPU-5f,2", 1, ["0", "GPU-5f"]),
        ("3", 1, ["3", "3"]),
        ("4,5,6", 2, ["4,5", "6,4"]),
        ("", 1, ["", ""]),
    ],
)
def test_stages_that_run_at_once_have_gpus_of_their_own_as_long_as_there_are_any(
    toy, monkeypatch, given, asked, had
):
    toy.write("toy.devices", DEVICES)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", given)
    monkeypatch.setattr(LocalProcesses, "threads", 2)
    first = Stage("first", "toy.devices:look", params={"names": ["CUDA_VISIBLE_DEVICES"], "seconds": 0.5})
    second = replace(first, name="second", params={**first.params, "seconds": 0.6})  # else both have one key
    stages = [replace(stage, resources=Resources(gpus=asked)) for stage in (first, second)]
    built = toy.build(stages)
    assert [built[stage.name].path("devices.txt").read_text() for stage in stages] == had


def test_gpus_are_counted_where_nobody_has_chosen_among_them(monkeypatch, tmp_path):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(machine, "Path", lambda place: tmp_path)
    assert list_gpus() == []
    for name in ("nvidia3", "nvidia5", "nvidiactl", "nvidia-uvm"):
        (tmp_path / name).touch()
    assert list_gpus() == ["0", "1"]
