"""``report studies``, ``new`` and ``models``."""

from __future__ import annotations

import json

import pytest

from report.errors import OK
from tests.commands.process import run_here


@pytest.mark.usefixtures("shared_workers")
def test_models_prints_json_alone_on_standard_output(tmp_path):
    done = run_here("models", "assignment", "--json", cache=tmp_path)
    assert done.returncode == OK, done.stderr
    models = json.loads(done.stdout)
    assert models["baseline"]["parameters"] == 1_615_940
    assert models["improved"]["parameters"] == 780_093
    assert models["baseline"]["input_shape"] == [156, 156, 3]
