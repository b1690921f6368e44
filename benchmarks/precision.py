"""Whether bfloat16 trains the assignment's baseline as well as float32 does: three trainings of each, compared by patients.

``python -m benchmarks.precision DATA`` builds the study beside this file; it may be stopped and goes on where it was. Words
after DATA are handed to ``report build``, such as ``--cache DIR``; ``--sample`` instead of DATA tries it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import harness

STUDY = harness.FOLDER / "precision_study"
PAIR = "half_vs_single.test"


def main() -> None:
    """Build the study, and keep what its comparison says."""
    sample = sys.argv[1] == "--sample"
    given = sys.argv[1:] if sample else ["--data", *sys.argv[1:]]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [sys.executable, "-m", "report", "build", STUDY, "--format", "html", "--out", folder, *given],
            check=True,
        )
        results = json.loads(Path(folder, "results.json").read_text(encoding="utf-8"))["results"]
        document = Path(folder, "report.html").read_text(encoding="utf-8")
    if "lacks the bfloat16" in document:
        sys.exit("this processor does not multiply in bfloat16: nothing was compared")
    primary, narrow, p = (results[f"{PAIR}.{name}"] for name in ("f1.macro", "equivalence", "p"))
    if narrow["low"] is None:
        sys.exit(f"cannot be decided: {narrow['reason_null']}")
    margin = 0.03
    reached = (
        f"macro F1 {results['single.test.f1.macro']['value']:.3f} in float32,"
        f" difference {primary['value']:+.3f} ({primary['low']:+.3f} to {primary['high']:+.3f}), p {p['value']:.2f};"
        f" 90 % interval {narrow['low']:+.3f} to {narrow['high']:+.3f}"
    )
    if sample:
        print(reached)
        return
    harness.keep(
        "precision",
        work="the assignment's baseline in bfloat16 against float32, three seeds, real images",
        goal=f"equivalent within {margin} of macro F1",
        reached=reached,
        met=-margin < narrow["low"] and narrow["high"] < margin,
        notes=["Paired resampling of patients and the spread of seeds, as the report compares recipes."],
    )


if __name__ == "__main__":
    main()
