"""What the stages open: through Python, and nothing that is not declared."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from report import PROJECT
from report.engine.sources import list_source
from report.engine.stage import Source
from report.engine.system import audit
from report.pipeline.stages import PROGRAM

NOT_THROUGH_PYTHON = {
    "imread",
    "imreadmulti",
    "VideoCapture",
    "FileStorage",
    "fromfile",
    "gfile",
    "read_file",
}
NOT_THROUGH_PYTHON |= {"list_files", "matching_files", "TFRecordDataset", "TextLineDataset", "convert_file"}


def test_our_code_opens_files_through_python():
    """The linter knows the calls by the names of their modules; here are those on objects, and its list of names."""
    banned = (PROJECT / "pyproject.toml").read_text()
    for name in NOT_THROUGH_PYTHON:
        assert f'.{name}"' in banned
    for path in (p for package in PROGRAM.packages for p in (PROJECT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_bytes())):
            name = node.attr if isinstance(node, ast.Attribute) else ""
            assert name not in NOT_THROUGH_PYTHON, f"{path}:{node.lineno}: {name}"
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "cache"
            ):
                assert not (node.args or node.keywords), f"{path}:{node.lineno}: a file for Dataset.cache"


DRIVER = """
import multiprocessing, sys
from dataclasses import replace
from pathlib import Path
from report.engine.executors import local_processes
from report.engine.run import Options, build
from report.engine.stage import Source, Stage
from report import PROJECT
from report.pipeline.stages import PROGRAM
from report.workspace.plan import make_plan
from report.workspace.request import Request

if __name__ == "__main__":
    here = Path(sys.argv[1])
    multiprocessing.set_executable(str(here / "python"))
    sample = make_plan(Request(sample=True, overrides=("sample.pictures=80", "sample.size=32"), cache=here / "cache"))
    written = {"source": Source(PROJECT / "tests" / "document" / "fixture")}
    document = [
        Stage(s.name, s.function, {**s.inputs, **written}, s.params, packages=s.packages)
        for s in sample.stages[-2:]
    ]
    stages = [*sample.select_upstream(["images", "figure.counts"]), *document]
    build(stages, here / "cache", Options(replace(PROGRAM, strict=True), local_processes, jobs=1))
"""
TRACED = """#!/bin/sh
exec strace -D -f -y -q --seccomp-bpf -e trace=open,openat,openat2 -o "{folder}/$$.trace" "{python}" "$@"
"""
OPENED = re.compile(r'"(?:[^"\\]|\\.)*", (?:\{flags=)?([\w|]+).* = \d+<(/.*)>$', re.MULTILINE)


@pytest.mark.skipif(sys.platform != "linux", reason="strace is for Linux")
def test_no_worker_opens_what_is_not_declared_not_even_in_c_or_by_another_program(tmp_path):
    if not shutil.which("strace"):
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("strace is not installed")
    (tmp_path / "python").write_text(TRACED.format(folder=tmp_path, python=sys.executable))
    (tmp_path / "python").chmod(0o755)
    (tmp_path / "drive.py").write_text(DRIVER)
    (tmp_path / "tmp").mkdir()
    command = [sys.executable, str(tmp_path / "drive.py"), str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "TMPDIR": str(tmp_path / "tmp")}
    subprocess.run(command, env=environment, check=True)
    opened = [call for trace in tmp_path.glob("*.trace") for call in OPENED.findall(ended(trace))]
    read = {path for flags, path in opened if "O_DIRECTORY" not in flags and not Path(path).is_dir()}
    made = {path for flags, path in opened if "O_CREAT" in flags}
    code = {str(path) for package in PROGRAM.packages for path in (PROJECT / package).rglob("*.py*")}
    sources = (PROJECT / "templates", PROJECT / "tests" / "document" / "fixture", tmp_path)
    declared = {f"{folder}/{name}" for folder in sources for name in list_source(Source(folder))}
    assert {Path(path).suffix for path in read & declared} >= {
        ".lua",
        ".html",
        ".css",
        ".ttf",
        ".qmd",
        ".svg",
    }
    elsewhere = read - made - code - declared
    assert (
        sorted(path for path in elsewhere if not path.startswith((*audit.INSTALLATION, str(tmp_path)))) == []
    )


def ended(trace: Path) -> str:
    """Return what strace wrote of a process, once it has seen its end."""
    for _ in range(200):
        text = trace.read_text(errors="replace")
        if re.search(rf"^{trace.stem} +\+\+\+", text, re.MULTILINE):  # strace pads short numbers
            return text
        time.sleep(0.05)
    raise AssertionError(f"{trace} has no end")
