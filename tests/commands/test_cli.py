"""The command line: what it prints, and how it ends."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from report.commands import data, predict
from report.commands.build import FORMATS
from report.commands.execution import build_plan
from report.engine.store import Store
from report.engine.system.files import write_atomically
from report.errors import DATA, OK, STAGE, USAGE, WOULD_RUN, StageError
from report.workspace import cached_results
from report.workspace.plan import make_plan
from report.workspace.request import Request

ROOT = Path(__file__).parents[2]
HEAVY = (
    *("tensorflow", "keras", "pandas", "numpy", "matplotlib", "weasyprint", "jinja2", "rich.progress"),
    *("starlette", "uvicorn", "watchfiles"),
)


def report(*arguments: str, cache: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "report", *arguments],
        cwd=ROOT,
        env={**os.environ, "REPORT_CACHE": str(cache), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_importing_the_command_line_imports_nothing_heavy():
    code = f"import sys, report.cli, report.workspace.plan; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_help_lists_the_commands(tmp_path):
    done = report("--help", cache=tmp_path)
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
    done = report(cache=tmp_path)
    assert (done.returncode, done.stderr) == (USAGE, "")
    assert "Usage: report" in done.stdout


def test_a_status_that_would_run_exits_with_3(tmp_path):
    study = "studies/assignment/study.toml"
    assert report("status", study, "--sample", "--check", cache=tmp_path).returncode == WOULD_RUN


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
    done = report(*arguments, cache=tmp_path / "cache", REPORT_DATA="")
    assert done.returncode == code
    lines = done.stderr.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("error: ")
    assert error in lines[0]
    assert lines[1].startswith("hint: ")
    assert hint in lines[1]


def test_debug_shows_the_traceback(tmp_path):
    done = report("--debug", "build", "asignment", cache=tmp_path)
    assert "Traceback" in done.stderr
    assert "UsageError" in done.stderr


def test_without_data_the_hint_says_how_to_get_them(tmp_path):
    done = report("build", cache=tmp_path, REPORT_DATA=str(tmp_path / "none"))
    assert done.returncode == DATA
    assert "--sample" in done.stderr


def test_models_prints_json_alone_on_standard_output(tmp_path):
    done = report("models", "assignment", "--json", cache=tmp_path)
    assert done.returncode == OK, done.stderr
    models = json.loads(done.stdout)
    assert models["baseline"]["parameters"] == 1_615_940
    assert models["improved"]["parameters"] == 780_093
    assert models["baseline"]["input_shape"] == [156, 156, 3]


def test_a_check_of_the_cache_exits_with_7_when_something_is_damaged(tmp_path):
    damaged = tmp_path / "v1" / "actions" / "ab" / "abc.json"
    damaged.parent.mkdir(parents=True)
    damaged.write_text("{}")
    done = report("cache", "check", "--repair", cache=tmp_path)
    assert done.returncode == STAGE
    assert done.stdout.startswith("damaged record: v1/actions/ab/abc.json: an older result\n")
    done = report("cache", "check", cache=tmp_path)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (
        OK,
        "0 files and 0 results read: nothing damaged",
    )


def test_a_dry_run_of_gc_removes_nothing(tmp_path):
    stray = tmp_path / "v1" / "blobs" / "ab" / "abc"
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"0" * 5000)
    done = report("gc", "--dry-run", cache=tmp_path)
    assert "bytes     1       5 kB" in done.stdout
    assert stray.exists()
    assert report("gc", cache=tmp_path).stdout.splitlines()[-1].startswith("0 kB are left")
    assert not stray.exists()


@pytest.mark.parametrize("command", [("status", "--sample"), ("gc",), ("cache", "check")])
def test_results_in_another_format_are_told(tmp_path, command):
    (tmp_path / "v0").mkdir()
    (tmp_path / "v0" / "x").write_bytes(b"0" * 5000)
    (tmp_path / "v1" / "locks").mkdir(parents=True)
    (tmp_path / "v1" / "locks" / "a").touch()
    done = report(*command, cache=tmp_path)
    told = f"{tmp_path}/v0: 5 kB of another version of this program, not used; report gc removes it"
    assert done.stdout.splitlines()[-1].startswith(told)
    assert "locks" not in done.stdout


def test_a_whole_build_has_every_stage():
    the_plan = make_plan(Request(sample=True))
    assert the_plan.upstream(["results", "source", *FORMATS]) == the_plan.stages, "so old ones are forgotten"


def test_studies_of_the_same_name_are_remembered_apart(tmp_path):
    def remembered(study: object, sample: bool) -> str:
        return make_plan(Request(str(study), sample=sample), needs_data=False).cache_name

    assert (
        remembered("assignment", False) == remembered(ROOT / "studies" / "assignment", False) == "assignment"
    )
    assert remembered("assignment", True) == "assignment-sample"
    names = {"assignment"}
    for place in ("one", "two"):
        folder = tmp_path / place / "assignment"
        shutil.copytree(ROOT / "studies" / "assignment", folder)
        names.add(remembered(folder, False))
        assert remembered(folder / "study.toml", True) == f"{remembered(folder, False)}-sample"
    assert len(names) == 3


@pytest.fixture
def failing(monkeypatch):
    def fail(stages, *_, **__):
        raise StageError(f"{stages[-1].name}: odd", log=stages[-1].name)

    monkeypatch.setattr("report.engine.run.build", fail)


def hint_of(function, *arguments) -> str:
    with pytest.raises(StageError) as caught:
        function(*arguments)
    return caught.value.hint


def test_the_hints_of_predict_and_of_data_check_lead_to_their_logs(tmp_path, failing, monkeypatch):
    the_plan = make_plan(Request(sample=True, cache=tmp_path))
    monkeypatch.setattr(
        cached_results,
        "find_training",
        lambda *_: SimpleNamespace(stage="", outputs={"model.keras": 0, "input.json": 0}),
    )
    monkeypatch.setattr(Store, "checked", lambda *_: tmp_path / "x")
    asked = hint_of(predict.classify, the_plan, "improved", [])
    checked = hint_of(data.examine, ROOT / "templates", None, tmp_path)
    assert asked == f"report log classify --study assignment --sample --cache {tmp_path}"
    assert checked == f"report log check --cache {tmp_path}"
    store = Store(tmp_path)
    for name, hint in (("assignment-sample-classify", asked), (data.CHECK_NAME, checked)):
        store.point(name, {hint.split()[2]: name}, "runs")
        write_atomically(store.log(name), f"what {name} has said".encode())
        assert report(*hint.split()[1:], cache=tmp_path).stdout == f"what {name} has said\n"


def test_the_hint_of_a_failed_stage_is_a_whole_command(tmp_path, failing):
    the_plan = make_plan(Request("studies/assignment/study.toml", sample=True, cache=tmp_path))
    study = "--study studies/assignment/study.toml --sample"
    assert hint_of(build_plan, the_plan, ["results"]) == f"report log pdf {study} --cache {tmp_path}"
