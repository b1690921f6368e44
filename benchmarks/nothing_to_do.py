"""A build with nothing to do, beside other programs with nothing to do on the same graph of stages.

Run after ``report build assignment --sample``. The others are installed into an environment of their own; each has the
stages of the plan with their real dependencies, every one of which writes a small file.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks import harness
from report.commands.options import request_plan

OTHERS = ("dvc", "snakemake", "pytask")
Graph = dict[str, list[str]]


def main() -> None:
    """Build once with each, then time them with nothing to do, and starting Python alone."""
    plan = request_plan("assignment", None, True, [], None)
    graph = {_slug(s.name): sorted(map(_slug, s.needs)) for s in plan.stages}
    with tempfile.TemporaryDirectory() as place:
        programs = Path(place, "others")
        subprocess.run([sys.executable, "-m", "venv", programs], check=True)
        subprocess.run([programs / "bin" / "pip", "install", "-q", *OTHERS], check=True)
        ways = {
            "ours": harness.python("-m", "report", "build", "assignment", "--sample"),
            **{name: PREPARED[name](Path(place, name), programs / "bin", graph) for name in OTHERS},
            "start Python": harness.python("-c", "pass"),
            "import the command line": harness.python("-c", "import report.cli"),
            "report --help": harness.python("-m", "report", "--help"),
        }
        listed = subprocess.run(
            [programs / "bin" / "pip", "list", "--format=freeze"], check=True, capture_output=True, text=True
        ).stdout
        times = harness.time_in_turn(ways)
    seconds, help_seconds = times["ours"].cpu_median, times["report --help"].cpu_median
    harness.keep(
        "nothing_to_do",
        work=f"build of the assignment's sample with nothing to do ({len(graph)} stages)",
        goal="under 0.25 s CPU; --help under 0.12 s",
        reached=f"{seconds:.2f} s CPU ("
        + ", ".join(f"{name} {times[name].cpu_median:.2f}" for name in OTHERS)
        + f"); --help {help_seconds:.2f} s",
        met=seconds < 0.25 and help_seconds < 0.12,
        timings=times,
        notes=[
            "Beside ours: "
            + ", ".join(line for line in listed.splitlines() if line.partition("==")[0] in OTHERS)
            + "."
        ],
    )


def _slug(name: str) -> str:
    return re.sub(r"\W", "_", name)


def prepare_dvc(folder: Path, programs: Path, graph: Graph) -> Callable[[], None]:
    """Return the work of ``dvc repro`` where all stages have been run."""
    folder.mkdir()
    stages = {
        name: {
            "cmd": f"echo {name} > {name}.txt",
            "deps": [f"{d}.txt" for d in needs],
            "outs": [f"{name}.txt"],
        }
        for name, needs in graph.items()
    }
    (folder / "dvc.yaml").write_text(json.dumps({"stages": stages}), encoding="utf-8")
    subprocess.run([programs / "dvc", "init", "--no-scm", "-q"], check=True, cwd=folder)
    return _built(programs / "dvc", "repro", "-q", cwd=folder)


def prepare_snakemake(folder: Path, programs: Path, graph: Graph) -> Callable[[], None]:
    """Return the work of ``snakemake`` where all rules have been run."""
    folder.mkdir()
    rules = ["rule all:", f"    input: {[f'{name}.txt' for name in graph]}", "    default_target: True"]
    for name, needs in graph.items():
        rules += (
            [f"rule {name}:", f"    input: {[f'{d}.txt' for d in needs]}"] if needs else [f"rule {name}:"]
        )
        rules += [f"    output: '{name}.txt'", f"    shell: 'echo {name} > {{output}}'"]
    (folder / "Snakefile").write_text("\n".join(rules) + "\n", encoding="utf-8")
    return _built(programs / "snakemake", "--cores", "1", "-q", "all", cwd=folder)


def prepare_pytask(folder: Path, programs: Path, graph: Graph) -> Callable[[], None]:
    """Return the work of ``pytask`` where all tasks have been run."""
    folder.mkdir()
    lines = [
        "from pathlib import Path",
        "from typing import Annotated",
        "from pytask import Product",
        "HERE = Path(__file__).parent",
    ]
    for name, needs in graph.items():
        given = "".join(f"{d}: Path = HERE / '{d}.txt', " for d in needs)
        lines += [f"def task_{name}({given}out: Annotated[Path, Product] = HERE / '{name}.txt') -> None:"]
        lines += [f"    out.write_text('{name}')"]
    (folder / "task_all.py").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return _built(programs / "pytask", "--verbose", "0", cwd=folder)


def _built(*words: str | Path, cwd: Path) -> Callable[[], None]:
    work = harness.command(*words, cwd=cwd)
    work()
    return work


PREPARED = {"dvc": prepare_dvc, "snakemake": prepare_snakemake, "pytask": prepare_pytask}


if __name__ == "__main__":
    main()
