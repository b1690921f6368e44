"""A build with nothing to do, beside starting Python alone; run after ``report build assignment --sample``."""

from __future__ import annotations

from benchmarks import harness


def main() -> None:
    """Time both, and importing the command line."""
    times = harness.time_in_turn(
        {
            "start Python": harness.python("-c", "pass"),
            "import the command line": harness.python("-c", "import report.cli"),
            "second build": harness.python("-m", "report", "build", "assignment", "--sample"),
        }
    )
    seconds = times["second build"].cpu_median
    harness.keep(
        "second_build",
        work="build of the assignment's sample with nothing to do",
        goal="under 0.25 s CPU",
        reached=f"{seconds:.2f} s CPU",
        met=seconds < 0.25,
        timings=times,
    )


if __name__ == "__main__":
    main()
