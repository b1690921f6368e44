"""Times several ways of one piece of work in turn, and keeps what came of it for ``RESULTS.md``.

A benchmark is a module of its own, ``python -m benchmarks.NAME``: it times its ways with `time_in_turn` and hands the
result to `keep`. ``python -m benchmarks`` runs those that take minutes and puts all kept results together.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
KEPT, TRIED, RESULTS = FOLDER / "results", FOLDER / "tried.md", FOLDER / "RESULTS.md"
PACKAGES = ("tensorflow", "keras", "numpy", "opencv-python-headless", "pillow", "scikit-learn", "weasyprint")
RUNS = 5


@dataclass(frozen=True)
class Timing:
    """Seconds of the runs of one way: those of the processor, children that have ended included, and of the clock."""

    cpu: list[float]
    wall: list[float]

    @property
    def cpu_median(self) -> float:
        """The median of CPU seconds."""
        return statistics.median(self.cpu)

    @property
    def wall_median(self) -> float:
        """The median of wall seconds."""
        return statistics.median(self.wall)


def time_in_turn(
    ways: Mapping[str, Callable[[], Any]],
    same: Callable[[Any, Any], None] | None = None,
    *,
    runs: int = RUNS,
) -> dict[str, Timing]:
    """Time each way once in every round, so that a drifting machine treats them alike.

    Parameters
    ----------
    ways : mapping of str to callable
        What to time, by name; set-up that is not to be timed is done before.
    same : callable, optional
        Called with what the first way gave and what another gave; raises where they are not the same.
    runs : int
        Rounds, at least five where one does not take minutes; a first one that is not counted warms caches.
    """
    times: dict[str, Timing] = {name: Timing([], []) for name in ways}
    for counted in range(runs + 1):
        given = []
        for name, work in ways.items():
            seconds, result = measure(work)
            given.append(result)
            if counted:
                times[name].cpu.append(seconds[0])
                times[name].wall.append(seconds[1])
        if same:
            for other in given[1:]:
                same(given[0], other)
    return times


def measure(work: Callable[[], Any]) -> tuple[tuple[float, float], Any]:
    """Return CPU and wall seconds of one call, and what it gave."""
    before, begun = sum(os.times()[:4]), time.perf_counter()
    result = work()
    return (sum(os.times()[:4]) - before, time.perf_counter() - begun), result


def command(*words: str | Path, cwd: Path | None = None) -> Callable[[], None]:
    """Return the work of running a command to its end; its error ends the benchmark."""

    def run() -> None:
        subprocess.run([str(w) for w in words], check=True, stdout=subprocess.DEVNULL, cwd=cwd)

    return run


def python(*words: str | Path) -> Callable[[], None]:
    """Return the work of running this Python with arguments, such as ``-m report build``."""
    return command(sys.executable, *words)


def keep(
    name: str,
    *,
    work: str,
    goal: str,
    reached: str,
    met: bool,
    timings: Mapping[str, Timing] | None = None,
    notes: Sequence[str] = (),
) -> None:
    """Keep a row of the table, print it, and put ``RESULTS.md`` together anew.

    Parameters
    ----------
    name : str
        Names the result; an earlier one of the name is replaced.
    work, goal, reached : str
        What was done, what was asked, and what was measured.
    met : bool
        Whether that is what was asked.
    timings : mapping of str to Timing, optional
        What `time_in_turn` gave.
    notes : sequence of str
        Sentences: what limits it, what the figures are of.
    """
    found = {
        "work": work,
        "goal": goal,
        "reached": reached,
        "met": met,
        "timings": {way: asdict(timing) for way, timing in (timings or {}).items()},
        "notes": list(notes),
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": describe_machine(),
        "versions": {package: version(package) for package in PACKAGES},
    }
    KEPT.mkdir(exist_ok=True)
    text = json.dumps(found, indent=1, ensure_ascii=False)
    (KEPT / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    print("\n".join(_details(name, found)))
    write_results()


def describe_machine() -> str:
    """Return the processor, its cores that may be used, and the platform."""
    processor, cpuinfo = platform.machine(), Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text().splitlines()
        processor = next((line.split(": ")[1] for line in lines if line.startswith("model name")), processor)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{processor}, {cores} cores, {platform.system()}, Python {platform.python_version()}"


def write_results() -> None:
    """Write ``RESULTS.md`` of all kept results, and of what was tried and did not help."""
    kept = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(KEPT.glob("*.json"))}
    lines = [
        "# What was measured",
        "",
        "Ways are timed in turn; seconds are medians. `make bench` measures again what takes minutes; `python -m benchmarks NAME`",
        "one row, those that take hours too.",
        "",
        "| work | goal | measured | met |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {r['work']} | {r['goal']} | {r['reached']} | {'yes' if r['met'] else 'no'} |"
        for r in kept.values()
    ]
    for name, result in kept.items():
        lines += ["", *_details(name, result)]
    lines += ["", TRIED.read_text(encoding="utf-8").rstrip()]
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _details(name: str, result: Mapping[str, Any]) -> list[str]:
    """Return a result as markdown."""
    lines = [f"## {name}", "", f"{result['work']}: {result['reached']} (goal: {result['goal']})."]
    if result["timings"]:
        lines += ["", "| way | CPU s | wall s | runs |", "|---|---|---|---|"]
    for way, seconds in result["timings"].items():
        timing = Timing(**seconds)
        lines += [f"| {way} | {timing.cpu_median:.3g} | {timing.wall_median:.3g} | {len(timing.cpu)} |"]
    if result["notes"]:
        lines += ["", *result["notes"]]
    versions = ", ".join(f"{package} {number}" for package, number in result["versions"].items())
    return [*lines, "", f"{result['date']}; {result['machine']}; {versions}."]
