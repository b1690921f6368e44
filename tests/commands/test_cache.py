"""``report gc`` and ``report cache check``."""

from __future__ import annotations

import pytest

from report.errors import OK, STAGE
from tests.commands.process import run_here


def test_a_check_of_the_cache_exits_with_7_when_something_is_damaged(tmp_path):
    damaged = tmp_path / "v2" / "actions" / "ab" / "abc.json"
    damaged.parent.mkdir(parents=True)
    damaged.write_text("{}")
    done = run_here("cache", "check", "--repair", cache=tmp_path)
    assert done.returncode == STAGE
    assert done.stdout.startswith("damaged record: v2/actions/ab/abc.json: an older result\n")
    done = run_here("cache", "check", cache=tmp_path)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (
        OK,
        "0 files and 0 results read: nothing damaged",
    )


def test_a_dry_run_of_gc_removes_nothing(tmp_path):
    stray = tmp_path / "v2" / "blobs" / "ab" / "abc"
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"0" * 5000)
    done = run_here("gc", "--dry-run", cache=tmp_path)
    assert "bytes     1       5 kB" in done.stdout
    assert stray.exists()
    assert run_here("gc", cache=tmp_path).stdout.splitlines()[-1].startswith("0 kB are left")
    assert not stray.exists()


@pytest.mark.parametrize("command", [("status", "--sample"), ("gc",), ("cache", "check")])
def test_results_in_another_format_are_told(tmp_path, command):
    (tmp_path / "v0").mkdir()
    (tmp_path / "v0" / "x").write_bytes(b"0" * 5000)
    (tmp_path / "v2" / "locks").mkdir(parents=True)
    (tmp_path / "v2" / "locks" / "a").touch()
    done = run_here(*command, cache=tmp_path)
    told = f"{tmp_path}/v0: 5 kB of another version of this program, not used; report gc removes it"
    assert done.stdout.splitlines()[-1].startswith(told)
    assert "locks" not in done.stdout
