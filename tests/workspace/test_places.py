from __future__ import annotations

import pytest

from report.commands.execution import local_options
from report.errors import UsageError
from report.workspace.places import find_remote

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
