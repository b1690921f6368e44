"""Planning and status of a study with some 2,000 stages: many networks, three seeds, two analyses."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from benchmarks import harness
from report import PROJECT
from report.commands.options import request_plan

MODELS = 51
"""With three seeds, as many as make 2,000 stages."""


def main() -> None:
    """Time ``report status`` with an empty cache, whose index of sources and study has been written before."""
    with tempfile.TemporaryDirectory() as place:
        folder, cache = Path(place, "many"), Path(place, "cache")
        folder.mkdir()
        (folder / "study.toml").write_text(write_study(MODELS), encoding="utf-8")
        stages = len(request_plan(str(folder), None, True, [], cache).stages)
        words = ("-m", "report", "status")
        times = harness.time_in_turn(
            {
                f"status of {stages} stages": harness.python(*words, folder, "--sample", "--cache", cache),
                "status of the assignment": harness.python(
                    *words, "assignment", "--sample", "--cache", cache
                ),
            }
        )
    seconds = next(iter(times.values())).cpu_median
    harness.keep(
        "many_stages",
        work=f"planning and status of a study of {MODELS} models and three seeds, {stages} stages",
        goal="under a second",
        reached=f"{seconds:.2f} s CPU",
        met=seconds < 1,
        timings=times,
    )


def write_study(models: int) -> str:
    """Return the assignment's study with ``models`` copies of its baseline, which differ in their learning rate."""
    text = (PROJECT / "studies" / "assignment" / "study.toml").read_text(encoding="utf-8")
    found = re.search(r'\[\[models\]\]\nid = "baseline"\n(?s:.*?)(?=^\[\[models)', text, re.MULTILINE)
    assert found
    copies = [
        found[0]
        .replace('"baseline"', f'"net_{k}"')
        .replace('"Baseline CNN"', f'"Network {k}"')
        .replace("0.001", f"{0.001 + k * 1e-5:.5f}")
        for k in range(1, models)
    ]
    text = text[: found.start()] + found[0] + "".join(copies) + text[text.index("[training]") :]
    for pattern, words in (
        (r"^\[ablation\]\n(?s:.*?)(?=^# Images)", ""),
        (r"^against = .*\nbetween = .*\n", 'against = ["net_1"]\n'),
        (r"^main = .*\n", ""),
        (r"^requirements = \[(?s:.*?)^\]\n", ""),
        (r"^seeds = 1$", "seeds = 3"),
    ):
        text, times = re.subn(pattern, words, text, flags=re.MULTILINE)
        assert times == 1, pattern
    return text


if __name__ == "__main__":
    main()
