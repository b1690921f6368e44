"""Run the benchmarks named, or all that take minutes, each in a process of its own; then write ``RESULTS.md``."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.harness import FOLDER, write_results

ALONE = ("precision", "whole_assignment", "preparation", "growth", "frozen_backbone")
"""Modules that train at full size, or need a folder of images: ``python -m benchmarks.NAME FOLDER`` runs one."""
NO_BENCHMARK = ("__init__", "__main__", "harness")


def main() -> int:
    """Return 1 where a benchmark failed, after all others have run."""
    modules = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem not in (*NO_BENCHMARK, *ALONE))
    failed = []
    for module in sys.argv[1:] or modules:
        print(f"\n{module}", flush=True)
        if subprocess.run([sys.executable, "-m", f"benchmarks.{module}"], check=False).returncode:
            failed.append(module)
    write_results()
    for module in failed:
        print(f"failed: {module}", file=sys.stderr)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
