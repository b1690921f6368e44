"""Nothing undeclared: files and packages that the key of a stage does not cover, and the user's settings."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from report import PROJECT
from report.commands.execution import build_stages, local_options
from report.engine.events import Failed, Started, Warned
from report.engine.explain import read_last_log
from report.engine.run import build as engine_build
from report.engine.sources import list_source
from report.engine.stage import Output, Source, Stage
from report.engine.system import audit, distributions
from report.errors import StageError
from report.pipeline.stages import PROGRAM

READING = """
import os, sys, tempfile
from pathlib import Path

def odd(inputs, out, *, scratch, progress, code):
    exec(code)
    (out / "x.txt").write_text("x")

def good(inputs, out, *, scratch, progress):
    for name, folder in inputs.items():
        for file in sorted(folder.glob("*")):
            assert file.read_bytes() == file.resolve().read_bytes()
    (scratch / "begun").write_text("1")
    assert (scratch / "begun").read_text() == "1"
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "x").write_text("x")
        assert (Path(folder) / "x").read_text() == "x" and os.listdir(folder) == ["x"]
    with tempfile.NamedTemporaryFile("w") as file, tempfile.TemporaryFile() as other:
        Path(file.name).read_text()
    Path(__file__).read_text()
    Path(os.__file__).read_text()
    Path("/etc/localtime").exists() and Path("/etc/localtime").read_bytes()
    Path("nowhere.txt").exists() or Path("/nowhere.txt").exists()
    names = ("XDG_CONFIG_HOME", "KERAS_HOME", "MPLCONFIGDIR", "MATPLOTLIBRC")
    (out / "x.txt").write_text(" ".join([str(Path.home()), *(n for n in names if n in os.environ)]))
"""

NUMPY = """
def calculate(inputs, out, *, scratch, progress):
    import numpy

    (out / "x.txt").write_text(str(numpy.sum([1])))
"""


def strict(toy):
    toy.project = replace(toy.project, strict=True)
    return toy


def test_what_is_declared_is_read_in_peace_and_without_the_users_settings(toy, monkeypatch):
    for name in ("HOME", "XDG_CONFIG_HOME", "KERAS_HOME", "MPLCONFIGDIR", "MATPLOTLIBRC"):
        monkeypatch.setenv(name, str(toy.root / "settings"))
    toy.write("toy.reading", READING)
    for folder in ("all", "some"):
        (toy.root / folder).mkdir()
        (toy.root / folder / "a.txt").write_text("a")
    (toy.root / "all" / "link.txt").symlink_to(toy.root / "steps.txt")
    (toy.root / "steps.txt").write_text("linked")
    some = Source(toy.root / "some", include=("*.txt",))
    inputs = {"number": Output("a"), "all": Source(toy.root / "all"), "some": some}
    built = strict(toy).build([*toy.stages(), Stage("good", "toy.reading:good", inputs)])
    assert built["good"].path("x.txt").read_text() == str(toy.store.root / "home")
    assert [b.record.undeclared for b in built.values()] == [[]] * 5


@pytest.mark.parametrize(
    "code",
    [
        "open({secret!r}).read()",
        "os.close(os.open({secret!r}, os.O_RDONLY))",
        "os.chdir({folder!r}); open(b'secret.txt').read()",
        "list(Path({folder!r}).iterdir())",
        "text = Path({secret!r}).read_text(); Path({secret!r}).write_text(text + '1')",
        "text = Path({secret!r}).read_text(); Path({secret!r}).unlink()",
        "(out / 'link').symlink_to({secret!r}); (out / 'link').resolve().read_text(); (out / 'link').unlink()",
    ],
)
def test_reading_something_else_is_told_or_refused(toy, code, secret):
    toy.write("toy.reading", READING)
    stages = [
        Stage(
            "odd", "toy.reading:odd", params={"code": code.format(secret=secret, folder=str(toy.root / "s"))}
        )
    ]
    what = f"reads {toy.root / 's'}" + ("" if "iterdir" in code else "/secret.txt")
    record = toy.build(stages)["odd"].record
    assert record.undeclared == [what]
    assert f"{what}, which its key does not cover\n" in read_last_log(toy.cache, "default", "odd")
    toy.cache = toy.root / "strict"
    Path(secret).write_text("1")
    with pytest.raises(StageError, match=re.escape(f"odd: {what}, which its key does not cover")) as caught:
        strict(toy).build(stages)
    assert caught.value.hint == "name it in `inputs` of the stage in toy/stages.py"
    assert list(toy.cache.glob("v1/actions/*/*")) == []


@pytest.fixture
def secret(toy):
    (toy.root / "s").mkdir()
    (toy.root / "s" / "secret.txt").write_text("1")
    return str(toy.root / "s" / "secret.txt")


def test_packages_that_our_code_imports_are_declared_or_required_by_one_that_is(toy):
    toy.write("toy.counting", NUMPY)
    stage = Stage("sum", "toy.counting:calculate")
    with pytest.raises(StageError, match=r"^sum: imports numpy, which its key does not cover$") as caught:
        strict(toy).build([stage])
    assert caught.value.hint == "name it in `packages` of the stage in toy/stages.py"
    assert toy.build([replace(stage, packages=("pandas",))])["sum"].record.undeclared == []
    assert distributions.find_undeclared(
        ["PIL.Image", "os.path", "sklearn", "nowhere"], ["Scikit_Learn"]
    ) == ["pillow"]
    assert distributions.find_undeclared(["brotli", "fontTools"], ["weasyprint"]) == [], (
        "of an extra: fonttools[woff]"
    )
    assert distributions.find_undeclared(["matplotlib"], ["pandas"]) == ["matplotlib"], (
        "of an extra not asked for"
    )


HIDING = """
import importlib

def hide(inputs, out, *, scratch, progress):
    (out / "x.txt").write_text(importlib.import_module("toy.letters").big("x"))
"""


def test_our_own_modules_that_are_imported_by_name_are_declared(toy):
    toy.write("toy.hiding", HIDING)
    stage = Stage("hide", "toy.hiding:hide")
    assert toy.build([stage])["hide"].record.undeclared == ["uses toy.letters"]
    stages = [replace(stage, uses=("toy.letters:big",))]
    assert strict(toy).build(stages)["hide"].record.undeclared == []
    toy.edit("toy.letters", "'total '", "'TOTAL '")
    assert toy.ran(stages) == {"hide"}
    toy.cache = toy.root / "strict"
    with pytest.raises(
        StageError, match=r"^hide: uses toy\.letters, which its key does not cover$"
    ) as caught:
        toy.build([stage])
    assert caught.value.hint == "name it in `uses` of the stage in toy/stages.py"


def test_a_strict_build_refuses_what_another_has_only_warned_of_where_it_finds_it(toy):
    toy.write("toy.hiding", HIDING)
    stages = [Stage("hide", "toy.hiding:hide"), Stage("after", "toy.steps:total", {"hide": Output("hide")})]
    events = []
    toy.build(stages[:1], on_event=events.append)
    (warned,) = (e for e in events if isinstance(e, Warned))
    assert (warned.stage, warned.problem.message.partition(",")[0]) == ("hide", "hide: uses toy.letters")
    events.clear()
    with pytest.raises(StageError, match=r"^hide: uses toy\.letters"):
        strict(toy).build(stages, on_event=events.append)
    assert [e.stage for e in events if isinstance(e, Failed)] == ["hide"]
    assert [e for e in events if isinstance(e, Started)] == [], "what reads it does not run"


@pytest.mark.parametrize(
    ("ci", "option", "refused"), [("", {}, False), ("", {"strict": True}, True), ("true", {}, True)]
)
def test_every_command_warns_in_the_end_and_ci_is_strict(toy, monkeypatch, capsys, ci, option, refused):
    toy.write("toy.hiding", HIDING)
    monkeypatch.setenv("CI", ci)

    def of_toy(stages, cache, options):
        project = replace(toy.project, strict=options.project.strict)
        return engine_build(stages, cache, replace(options, project=project))

    monkeypatch.setattr("report.engine.run.build", of_toy)

    def build(**option):
        return build_stages(
            [Stage("hide", "toy.hiding:hide")], toy.cache, local_options("plan", **option), str
        )

    if refused:
        with pytest.raises(StageError, match="uses toy"):
            build(**option)
    else:
        build(**option)
        build()
        line = "warning: hide: uses toy.letters, which its key does not cover; name it in `uses` of the stage"
        assert capsys.readouterr().err.count(line) == 2, "cached or not"


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
