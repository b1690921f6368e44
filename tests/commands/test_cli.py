"""The command line: what it prints, and how it ends."""

from __future__ import annotations

import subprocess
import sys

import pytest

from report.errors import DATA, OK, USAGE
from tests.commands.process import ROOT, run, run_here

HEAVY = (
    *("tensorflow", "keras", "pandas", "numpy", "matplotlib", "weasyprint", "jinja2", "rich.progress"),
    *("starlette", "uvicorn", "watchfiles"),
)


def test_importing_the_command_line_imports_nothing_heavy():
    code = f"import sys, report.cli, report.workspace.plan; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_help_lists_the_commands(tmp_path):
    done = run("--help", cache=tmp_path)
    assert done.returncode == OK
    for command in (
        "build",
        "status",
        "why",
        "graph",
        "models",
        "document",
        "preview",
        "data",
        "gc",
        "cache",
    ):
        assert command in done.stdout


def test_without_a_command_help_is_shown(tmp_path):
    done = run(cache=tmp_path)
    assert (done.returncode, done.stderr) == (USAGE, "")
    assert "Usage: report" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "error", "hint"),
    [
        (("build", "asignment"), USAGE, "no study is called 'asignment'", "did you mean assignment?"),
        (("build", "--data", "/nonexistent"), DATA, "/nonexistent: no such data folder", "--sample"),
        (("build", "--data", "Makefile"), DATA, "Makefile: is not a folder", "--sample"),
        (("build", "--data", ".", "--sample"), USAGE, "contradict", "leave one"),
        (
            ("build", "--sample", "--only", "third"),
            USAGE,
            "--only third: no such model",
            "baseline, improved",
        ),
        (("build", "--sample", "--format", "docx"), USAGE, "--format docx: not a format", "html, pdf"),
        (
            ("build", "--sample", "--set", "image.sise=3"),
            USAGE,
            "--set image.sise=3: unknown key",
            "did you mean size?",
        ),
        (("bild",), USAGE, "no such command 'bild'", "did you mean 'build'?"),
        (("build", "--dta", "x"), USAGE, "no such option: --dta", "did you mean --data"),
        (("build", "--jobs", "0"), USAGE, "'--jobs' / '-j': Input should be greater", "report build --help"),
        (("build", "--jobs"), USAGE, "option '--jobs' requires an argument", "report --help"),
        (("predict",), USAGE, "missing argument 'IMAGE...'", "report predict --help"),
        (("build", "studies/asignment/study.toml"), USAGE, "no study is called", "there are: assignment"),
        (("why", "train.third", "--sample"), USAGE, "no stage is called 'train.third'", "train.baseline"),
        (("log", "train.third", "--sample"), USAGE, "no stage is called 'train.third'", "train.baseline"),
        (("document", "assignment", "--sample"), USAGE, "not built yet", "report build assignment --sample"),
        (
            ("graph", "--sample", "--out", "x.png"),
            USAGE,
            "--out x.png: not the name of a drawing",
            "--out graph.svg",
        ),
        (("gc", "--max-size", "5 apples"), USAGE, "--max-size 5 apples: not a size", "500M or 5G"),
        (("data", "sample", "report"), USAGE, "report: not an empty folder", "name a new folder"),
    ],
)
def test_an_error_is_one_line_and_one_hint(tmp_path, arguments, code, error, hint):
    done = run_here(*arguments, cache=tmp_path / "cache", REPORT_DATA="")
    assert done.returncode == code
    lines = done.stderr.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("error: ")
    assert error in lines[0]
    assert lines[1].startswith("hint: ")
    assert hint in lines[1]


def test_debug_shows_the_traceback(tmp_path):
    done = run("--debug", "build", "asignment", cache=tmp_path)
    assert "Traceback" in done.stderr
    assert "UsageError" in done.stderr
