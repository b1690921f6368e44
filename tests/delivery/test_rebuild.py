"""Whole builds of a tiny sample: the same bytes anywhere, and after any interruption."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from report.delivery.evidence import select_repeatable
from report.pipeline.data import Place
from report.pipeline.stages import make_stages
from report.study.loading import load
from tests import tiny_build
from tests.specimen import TWO_NETWORKS

SOON_SECONDS = 10  # it takes 0.2 s, but a busy machine may not come round to it
on_linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds the workers in /proc")


@dataclass(frozen=True)
class Copy:
    """A copy of the project, with the cache and the build folder that belong to it."""

    root: Path
    cache: Path
    out: Path

    def command(self, *options: str) -> list[str]:
        """Return the command that builds the tiny sample."""
        return [*tiny_build.BUILD, "--cache", str(self.cache), "--out", str(self.out), *options]

    def build(self, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the command to its end."""
        return subprocess.run(
            self.command(*options),
            cwd=self.root,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    def start(self, log: Path, *options: str) -> subprocess.Popen[bytes]:
        """Start the command as a terminal does: with a process group of its own."""
        with log.open("wb") as stream:
            return subprocess.Popen(
                self.command(*options),
                cwd=self.root,
                stdout=subprocess.DEVNULL,
                stderr=stream,
                start_new_session=True,
            )

    def records(self) -> dict[str, tuple[Path, dict[str, Any]]]:
        """Return the record of each cached stage, with its path."""
        paths = self.cache.glob("v2/actions/*/*.json")
        return {
            record["stage"]: (path, record) for path in paths for record in [json.loads(path.read_bytes())]
        }

    def edited(self, folder: Path, module: str, old: str, new: str) -> Copy:
        """Return a copy of this copy, with a cache of its own and one module changed."""
        other = Copy(folder / "project", folder / "cache", folder / "out")
        shutil.copytree(self.root, other.root)
        shutil.copytree(self.cache, other.cache, copy_function=os.link)
        text = (other.root / module).read_text(encoding="utf-8")
        assert old in text
        (other.root / module).write_text(text.replace(old, new), encoding="utf-8")
        return other

    def untrained(self, folder: Path, model: str) -> Copy:
        """Return the same copy of the project with a cache that lacks the training of a model."""
        other = Copy(self.root, folder / "cache", folder / "out")
        shutil.copytree(self.cache, other.cache, copy_function=os.link)
        for kind in ("train", "predict"):
            other.records()[f"{kind}.{model}"][0].unlink()
        return other


@pytest.fixture(scope="module")
def first(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """Return a copy of the project that has built the tiny sample, one stage at a time, with a cache of its own."""
    cache = tmp_path_factory.mktemp("first") / "cache"
    shutil.copytree(tiny / tiny_build.CACHE, cache, copy_function=os.link)
    return Copy(tiny, cache, tiny / tiny_build.OUT)


OF_NETWORKS = ("train.", "architecture.", "predict.", "external.predict.", "attention.")
"""What imports TensorFlow."""


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def list_repeatable() -> tuple[str, ...]:
    """Return the stages of the tiny sample that ``report verify`` runs again."""
    study = load(TWO_NETWORKS / "study.toml", tiny_build.TINY).for_sample()
    plan = make_stages(study, Place(TWO_NETWORKS, "sample", external_kind="sample"))
    return tuple(stage.name for stage in select_repeatable(plan))


@pytest.mark.parametrize(
    "cached",
    [
        # What reads no X-ray gives the same bytes anywhere: `case`, in another place and process. So does a network
        # that was interrupted, with its predictions; its maps and what it says of images from elsewhere: "of all".
        pytest.param((*OF_NETWORKS, *list_repeatable()), id="of X-rays"),
        pytest.param(("train.",), id="of all", marks=pytest.mark.slow),
    ],
)
def test_two_builds_give_the_same_bytes(first, tmp_path, cached):
    root = tmp_path / "elsewhere, with a space" / "ünder"
    tiny_build.copy_project(root)
    second = Copy(root, root / ".cache", root / "build")
    # That trainings give the same bytes again is tested of each by itself.
    shutil.copytree(first.cache, second.cache, copy_function=os.link)
    for stage, (path, _) in second.records().items():
        if not stage.startswith(cached):
            path.unlink()
    done = second.build("--jobs", "2", TZ="Asia/Tokyo", LC_ALL="C", HOME=str(tmp_path), COLUMNS="40")
    assert done.returncode == 0, done.stderr
    ours, theirs = files(first.out), files(second.out)
    assert {"report.html", "report.pdf", "results.json", "predictions/baseline.csv"} <= ours.keys()
    assert {name.partition("/")[0] for name in ours} >= {"figures", "tables"}
    different = [name for name in sorted(ours.keys() | theirs.keys()) if ours.get(name) != theirs.get(name)]
    assert different == ["run.json"]
    records = {name: record["digest"] for name, (_, record) in first.records().items()}
    assert records == {name: record["digest"] for name, (_, record) in second.records().items()}


def told(number: int, file: str) -> bytes:
    """Return what /proc tells of a process; nothing if it ended meanwhile."""
    try:
        return Path(f"/proc/{number}/{file}").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def process_of(number: int) -> tuple[int, str]:
    """Return the parent and the state of a process; a parent of 0 if it is gone."""
    state, parent = (told(number, "stat").rpartition(b")")[2].split() or [b"X", b"0"])[:2]
    return int(parent), state.decode()


def children(driver: int) -> list[int]:
    numbers = [int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit()]
    return [number for number in numbers if process_of(number)[0] == driver]


def workers(driver: int) -> list[int]:
    return [n for n in children(driver) if b"spawn_main" in told(n, "cmdline")]


def wait_for(condition: Callable[[], object], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def epochs_told(log: Path, model: str) -> list[int]:
    return [int(n) for n in re.findall(rf"train\.{model}: epoch (\d+) of", log.read_text(encoding="utf-8"))]


def end_worker(driver: subprocess.Popen[bytes]) -> None:
    for worker in workers(driver.pid):
        os.kill(worker, signal.SIGKILL)


def end_driver(driver: subprocess.Popen[bytes]) -> None:
    driver.kill()


def end_both(driver: subprocess.Popen[bytes]) -> None:
    os.killpg(driver.pid, signal.SIGKILL)


def press_ctrl_c(driver: subprocess.Popen[bytes]) -> None:
    os.killpg(driver.pid, signal.SIGINT)


def interrupt_driver(driver: subprocess.Popen[bytes]) -> None:
    driver.send_signal(signal.SIGINT)


def terminate_driver(driver: subprocess.Popen[bytes]) -> None:
    driver.terminate()


def terminate_all(driver: subprocess.Popen[bytes]) -> None:
    os.killpg(driver.pid, signal.SIGTERM)


ENDINGS: dict[Callable[[subprocess.Popen[bytes]], None], tuple[int, str]] = {
    end_worker: (7, "its process was ended from outside"),
    end_driver: (-signal.SIGKILL, ""),
    end_both: (-signal.SIGKILL, ""),
    press_ctrl_c: (130, "error: interrupted, what is finished is kept\nhint: the same command goes on"),
    interrupt_driver: (130, "error: interrupted, what is finished is kept\nhint: the same command goes on"),
    terminate_driver: (143, "error: terminated, what is finished is kept\nhint: the same command goes on"),
    terminate_all: (143, "error: terminated, what is finished is kept\nhint: the same command goes on"),
}


def stop(driver: subprocess.Popen[bytes], log: Path, end: Callable[[subprocess.Popen[bytes]], None]) -> None:
    """End a build in some way, and look at what it says and leaves running."""
    offspring = children(driver.pid)
    begun = time.monotonic()
    end(driver)
    code = driver.wait(timeout=60)
    wait_for(lambda: all(process_of(number)[1] in "XZ" for number in offspring), SOON_SECONDS)
    if code >= 128:
        assert time.monotonic() - begun < SOON_SECONDS
    text = log.read_text(encoding="utf-8")
    assert (code, "Traceback" in text) == (ENDINGS[end][0], False), text
    assert ENDINGS[end][1] in text


def interrupted(
    copy: Copy, model: str, ends: Sequence[Callable[[subprocess.Popen[bytes]], None]], logs: Path
) -> Iterator[list[int]]:
    """Train a model, ending the build in each of the ways; yield the epochs that each part tells."""
    checkpoint = "v2/scratch/*/checkpoint"
    for i, end in enumerate(ends):
        log = logs / f"{i}.log"
        before = [p.stat().st_mtime_ns for p in copy.cache.glob(checkpoint)]
        driver = copy.start(log, "--only", model)
        wait_for(lambda old=before: old != [p.stat().st_mtime_ns for p in copy.cache.glob(checkpoint)], 240)
        stop(driver, log, end)
        yield epochs_told(log, model)
    log = logs / "last.log"
    assert copy.start(log, "--only", model).wait(timeout=240) == 0, log.read_text()
    yield epochs_told(log, model)


@on_linux
@pytest.mark.parametrize(
    ("model", "ends"),
    [
        ("improved", (end_both,)),
        pytest.param("baseline", (end_worker, end_driver, end_both), marks=pytest.mark.slow),
        pytest.param("improved", (end_worker, end_driver), marks=pytest.mark.slow),
        pytest.param("improved", (press_ctrl_c, interrupt_driver), marks=pytest.mark.slow),
        pytest.param("baseline", (terminate_driver, terminate_all), marks=pytest.mark.slow),
    ],
)
def test_an_interrupted_training_goes_on_and_gives_the_same_bytes(first, tmp_path, model, ends):
    copy = first.untrained(tmp_path, model)
    *_, last = parts = list(interrupted(copy, model, ends, tmp_path))
    begun = [part[0] for part in parts if part]
    assert begun == sorted(set(begun)), "each part begins after the one before"
    assert last[0] > len(ends), "it goes on from the last finished epoch"
    assert last[-1] == tiny_build.EPOCHS
    name = f"predictions/{model}.csv"
    assert (copy.out / name).read_bytes() == (first.out / name).read_bytes()
    for kind in ("train", "predict"):
        again, undisturbed = (c.records()[f"{kind}.{model}"][1]["outputs"] for c in (copy, first))
        assert again == undisturbed
    assert [p for kind in ("tmp", "scratch") for p in copy.cache.glob(f"v2/{kind}/*")] == []


@on_linux
def test_ctrl_c_while_the_workers_start(first, tmp_path):
    copy, log = first.untrained(tmp_path, "baseline"), tmp_path / "log"
    driver = copy.start(log, "--only", "baseline")
    wait_for(lambda: workers(driver.pid), 60)
    stop(driver, log, press_ctrl_c)
    assert len(log.read_text(encoding="utf-8").splitlines()) <= 4  # plan, started, error, hint
    assert copy.records().keys() == first.records().keys() - {"train.baseline", "predict.baseline"}


@pytest.mark.slow
def test_recheck_finds_nothing_in_a_sound_cache(first, tmp_path):
    done = replace(first, out=tmp_path).build("--only", "baseline", "--recheck", "9")
    assert done.returncode == 0, done.stderr
    assert "8 stages ran again and gave the same bytes" in done.stderr


@pytest.mark.slow
def test_recheck_names_a_stage_that_is_not_deterministic(first, tmp_path):
    place = '    _write(out / "roc.csv"'
    random = "    import os\n\n    (out / 'dice.txt').write_text(os.urandom(8).hex())\n"
    copy = first.edited(tmp_path, "analysis/evaluation/stages/evaluate.py", place, random + place)
    done = copy.build("--only", "baseline")
    assert done.returncode == 0, done.stderr
    again = copy.build("--only", "baseline", "--recheck", "9")
    assert again.returncode == 7, again.stderr
    *_, error, hint = again.stderr.splitlines()
    assert error == "error: evaluate.baseline: run again, it gives other bytes: dice.txt"
    assert hint.startswith("hint: ")
    assert [line for line in again.stderr.splitlines() if ": failed: " in line][1:] == []
