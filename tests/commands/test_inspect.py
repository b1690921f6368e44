"""``report status``, ``why``, ``log`` and ``graph``."""

from __future__ import annotations

from report.errors import WOULD_RUN
from tests.commands.process import run_here


def test_a_status_that_would_run_exits_with_3(tmp_path):
    study = "studies/assignment/study.toml"
    assert run_here("status", study, "--sample", "--check", cache=tmp_path).returncode == WOULD_RUN
