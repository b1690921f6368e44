"""The command: saves that are noticed, signals that end it, and Quarto where it is installed."""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
from pathlib import Path

import pytest

from report.engine.store import Store
from report.errors import OK, RENDER, USAGE, EnvironmentProblem
from report.preview import session
from report.preview.server import HOST
from report.workspace.plan import make_plan
from report.workspace.request import Request
from tests.preview.site import ROOT, SOON_SECONDS, Site, address, digest_in, plain, running, until


def test_saves_are_noticed_also_of_new_files_and_of_editors_that_rename(tmp_path):
    (tmp_path / "sections").mkdir()
    saves = session.watch_saves(tmp_path)
    assert next(saves) == []
    (tmp_path / "discussion.md").write_text("new")
    assert next(saves) == ["discussion.md"]
    (tmp_path / ".discussion.md.swp").write_text("renamed")
    (tmp_path / ".discussion.md.swp").rename(tmp_path / "discussion.md")
    assert next(saves) == ["discussion.md"]
    (tmp_path / "sections" / "data.j2").write_text("deep")
    (tmp_path / "discussion.md").unlink()
    assert next(saves) == ["data.j2", "discussion.md"]


def test_a_folder_that_cannot_be_watched_is_named(tmp_path):
    with pytest.raises(EnvironmentProblem, match=r"cannot watch .*missing"):
        next(session.watch_saves(tmp_path / "missing"))


def test_without_results_it_says_what_builds_them(tmp_path):
    log = tmp_path / "log"
    with running("--sample", "--cache", str(tmp_path / "empty"), log=log) as process:
        assert process.wait(60) == USAGE
    assert "error: assignment-sample: not built yet, sample, read" in log.read_text()
    assert f"hint: report build assignment --sample --cache {tmp_path / 'empty'}" in log.read_text()


def children(process: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_while_a_browser_listens(tmp_path, own, made_up, is_running, number):
    log, temporary = tmp_path / "log", tmp_path / "temporary"
    temporary.mkdir()
    (own / "discussion.md").write_text(
        f"PreviewState until signal {number}.\n"
    )  # so that there is something to make
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        wanted = (str(own), "--sample", "--cache", str(made_up), "--port", str(port), "--no-browser")
        with running(*wanted, log=log, TMPDIR=str(temporary)) as process:
            site = Site(int(address(log).rstrip("/").rpartition(":")[2]))
            assert f"port {port} is taken; the next free one is {site.port}" in log.read_text()
            until(lambda: b"<main" in site.get().read())
            assert plain(site.get().read().decode()).encode() == page_in(made_up, own)
            digest_in(site.get("/changes"))
            there = children(process.pid)
            process.send_signal(number)
            assert process.wait(SOON_SECONDS) == OK
    assert len(there) >= 1
    until(lambda: not any(map(is_running, there)))
    assert not list(temporary.iterdir())
    assert len(log.read_text().splitlines()) == 2


def page_in(cache: Path, study: Path) -> bytes:
    """Return the page as it is kept for a build."""
    store = Store(cache)
    pointers = make_plan(Request(str(study), sample=True, cache=cache)).cache_name
    record = store.find_record(store.latest(pointers)["html"])
    return store.sound_path(record.outputs["report.html"], "html").read_bytes()


QUARTO = """#!/bin/sh
echo "$PWD $*, cache $REPORT_CACHE, python $(command -v python)" >> "$CALLED"
[ "$ENDS" = never ] || exit $ENDS
sleep 600 &
wait
"""


@pytest.fixture
def quarto(tmp_path: Path) -> dict[str, str]:
    """Put a Quarto on the path that only writes down how it was called; as Quarto's own it leaves its server behind."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "quarto").write_text(QUARTO)
    (tmp_path / "bin" / "quarto").chmod(0o755)
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return {"PATH": path, "CALLED": str(tmp_path / "called")}


@pytest.mark.parametrize(("ends", "code"), [("0", OK), ("1", RENDER)])
def test_quartos_preview_runs_when_it_is_asked_for(tmp_path, made_up, quarto, ends, code):
    log, source = tmp_path / "log", ROOT / "document" / "assignment-sample" / "report.qmd"
    wanted = ("--sample", "--cache", str(made_up), "--port", "4321", "--quarto", "--no-browser")
    with running(*wanted, log=log, ENDS=ends, **quarto) as process:
        assert process.wait(60) == code
    python = Path(sys.executable).with_name("python")
    called = re.fullmatch(r"(.*) --port (\d+), (.*)\n", (tmp_path / "called").read_text())
    assert called[1] == f"{ROOT} preview . --no-browser"
    assert called[3] == f"cache {made_up}, python {python}"
    assert f"http://localhost:{called[2]}/document/assignment-sample/report.html" in log.read_text()
    assert source.is_file()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_quarto_and_what_it_has_started(tmp_path, made_up, quarto, is_running, number):
    wanted = ("--sample", "--cache", str(made_up), "--quarto", "--no-browser")
    with running(*wanted, log=tmp_path / "log", ENDS="never", **quarto) as process:
        until((tmp_path / "called").exists)
        launchers = until(lambda: [c for c in children(process.pid) if children(c)])
        there = [*launchers, *(server for launcher in launchers for server in children(launcher))]
        process.send_signal(number)
        assert process.wait(SOON_SECONDS) == OK
    until(lambda: not any(map(is_running, there)))


@pytest.mark.parametrize("wanted", [(), ("--set", "study.course=A")])
def test_quarto_is_refused_for_what_it_cannot_show(tmp_path, own, made_up, quarto, wanted):
    study = "assignment" if wanted else str(own)
    arguments = (study, "--sample", "--cache", str(made_up), *wanted, "--quarto")
    with running(*arguments, log=tmp_path / "log", ENDS="0", **quarto) as process:
        assert process.wait(60) == USAGE
    assert "Quarto shows the studies in studies/ only" in (tmp_path / "log").read_text()
    assert not (tmp_path / "called").exists()


def test_without_the_option_the_preview_is_ours_also_where_quarto_is(tmp_path, own, made_up, quarto):
    log = tmp_path / "log"
    with running(str(own), "--sample", "--cache", str(made_up), "--no-browser", log=log, ENDS="0", **quarto):
        address(log)
    assert not (tmp_path / "called").exists()
