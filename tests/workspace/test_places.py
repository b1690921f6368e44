from __future__ import annotations

import sys

import pytest

from report.commands.execution import local_options
from report.engine.code import Project
from report.engine.executors import choose
from report.errors import EnvironmentProblem, UsageError
from report.workspace.places import find_engine, find_remote

ADDRESS, MODE = "REPORT_CACHE_REMOTE", "REPORT_CACHE_REMOTE_MODE"


@pytest.mark.parametrize(
    ("environment", "found"),
    [
        ({}, ("", True)),
        ({ADDRESS: "s3://bucket/reports"}, ("s3://bucket/reports", True)),
        ({ADDRESS: "s3://bucket/reports", MODE: "write"}, ("s3://bucket/reports", True)),
        ({ADDRESS: "s3://bucket/reports", MODE: "read"}, ("s3://bucket/reports", False)),
        ({ADDRESS: "s3://bucket/reports", MODE: ""}, ("s3://bucket/reports", True)),
    ],
)
def test_the_shared_cache_is_what_the_environment_names(monkeypatch, environment, found):
    for name in (ADDRESS, MODE):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert find_remote() == found
    options = local_options("plan")
    assert (options.remote, options.remote_writes) == found


def test_a_mode_that_is_none_is_refused(monkeypatch):
    monkeypatch.setenv(MODE, "readonly")
    with pytest.raises(UsageError, match="REPORT_CACHE_REMOTE_MODE is 'readonly'") as caught:
        find_remote()
    assert caught.value.hint == "it may be read or write"


@pytest.mark.parametrize(
    ("asked", "environment", "found"),
    [
        ((None, None), {}, ("local", "")),
        (("dask", None), {}, ("dask", "")),
        ((None, "tcp://a:8786"), {}, ("dask", "tcp://a:8786")),
        ((None, None), {"REPORT_ENGINE": "slurm", "REPORT_SCHEDULER": ""}, ("slurm", "")),
        ((None, None), {"REPORT_ENGINE": "dask", "REPORT_SCHEDULER": "tcp://b:1"}, ("dask", "tcp://b:1")),
        (("local", None), {"REPORT_ENGINE": "dask"}, ("local", "")),
    ],
)
def test_the_engine_is_what_is_asked_for_or_what_the_environment_names(
    monkeypatch, asked, environment, found
):
    for name in ("REPORT_ENGINE", "REPORT_SCHEDULER"):
        monkeypatch.setenv(name, environment.get(name, ""))
    assert find_engine(*asked) == found


@pytest.mark.parametrize(
    ("asked", "hint"), [(("spark", None), "local, dask, slurm"), (("slurm", "tcp://a:1"), "")]
)
def test_an_engine_that_is_none_and_a_scheduler_of_another_are_refused(asked, hint):
    with pytest.raises(UsageError) as caught:
        find_engine(*asked)
    assert hint in caught.value.hint


@pytest.mark.parametrize("engine", ["dask", "slurm"])
def test_an_engine_whose_package_is_missing_says_what_to_install(monkeypatch, engine, tmp_path):
    for module in ("distributed", "submitit", "report.engine.dask_workers", "report.engine.slurm_jobs"):
        monkeypatch.setitem(sys.modules, module, None)
    start = choose(engine, "", lambda names, how: False)
    with pytest.raises(EnvironmentProblem, match=f"--engine {engine} needs a package") as caught:
        start(Project(tmp_path, ()), tmp_path)
    assert f"xray-report[{engine}]" in caught.value.hint
