"""Time a build with nothing to do beside starting Python alone: medians, CPU and wall seconds, and their ratio.

Run it after ``report build assignment --sample``.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time

RUNS = 7
COMMANDS = {
    "start Python": [sys.executable, "-c", "pass"],
    "import the command line": [sys.executable, "-c", "import report.cli"],
    "second build": [sys.executable, "-m", "report", "build", "assignment", "--sample"],
}


def measure(command: list[str]) -> tuple[float, float]:
    """Return CPU and wall seconds of one run of ``command``."""
    before, begun = os.times(), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return cpu, time.perf_counter() - begun


def main() -> None:
    """Run the commands in turn, so that a drifting machine treats them alike, and print the medians."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in COMMANDS}
    for _ in range(RUNS):
        for name, command in COMMANDS.items():
            times[name].append(measure(command))
    floor = statistics.median(cpu for cpu, _ in times["start Python"])
    for name, runs in times.items():
        cpu, wall = (statistics.median(column) for column in zip(*runs, strict=True))
        print(f"{name:26} {cpu:6.3f} s CPU  {wall:6.3f} s wall  {cpu / floor:5.1f} x")


if __name__ == "__main__":
    main()
