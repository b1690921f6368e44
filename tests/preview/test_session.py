"""The command: saves that are noticed, signals that end it, and Quarto where it is installed."""

from __future__ import annotations

import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from report.engine.store import Store
from report.errors import ENVIRONMENT, USAGE, EnvironmentProblem, RenderError, UsageError
from report.preview import session
from report.preview.page import PreviewState
from report.preview.server import HOST
from report.workspace.plan import Plan, make_plan
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


def test_names_that_editors_use_for_a_while_are_not_told(tmp_path):
    saves = session.watch_saves(tmp_path)
    assert next(saves) == []
    for name in (
        "4913",
        "#a.md#",
        ".#b.md",
        "c.md~",
        ".d.md.swp",
        "sedX1y2Z3",
        "e.md.tmp",
        "f.md___jb_tmp___",
    ):
        (tmp_path / name).write_text("x")
    (tmp_path / "own.SVG").write_text("new")
    assert next(saves) == ["own.SVG"]


def test_only_what_changes_the_report_is_told(capsys):
    page, wrong = PreviewState("new"), PreviewState("old", "wrong", "mend it")
    for state, before, names in (
        (page, PreviewState("old"), ["a.md"]),
        (page, page, ["README.md"]),
        (page, PreviewState("old"), []),
        (wrong, wrong, []),
        (wrong, wrong, ["b.md"]),
        (PreviewState("old"), wrong, ["c.md"]),
    ):
        session._print_state(state, before, names, 1.0)
    told = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in told] == ["a.md", "error", "hint", "c.md"]


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


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGINT,
        pytest.param(signal.SIGTERM, marks=pytest.mark.slow),  # by it `report try` is ended every time
    ],
)
def test_a_signal_ends_it_while_a_browser_listens(tmp_path, own, made_up, is_running, number):
    log, temporary = tmp_path / "log", tmp_path / "temporary"
    temporary.mkdir()
    (own / "discussion.md").write_text(
        f"PreviewState until signal {number}.\n"
    )  # so that there is something to make
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    wanted = (str(own), "--sample", "--cache", str(made_up), "--port", str(port), "--no-browser")
    with running(*wanted, log=log, TMPDIR=str(temporary)) as process:
        assert address(log) == f"http://{HOST}:{port}/"
        site = Site(port)
        until(lambda: b"<main" in site.get().read())
        assert plain(site.get().read().decode()).encode() == page_in(made_up, own)
        digest_in(site.get("/changes"))
        there = children(process.pid)
        with running(*wanted, log=tmp_path / "other") as other:
            assert other.wait(SOON_SECONDS) == ENVIRONMENT
        process.send_signal(number)
        assert process.wait(SOON_SECONDS) == 128 + number
    assert f"error: port {port}: address already in use" in (tmp_path / "other").read_text()
    assert len(there) >= 1
    until(lambda: not any(map(is_running, there)))
    assert not list(temporary.iterdir())
    assert len(log.read_text().splitlines()) == 1


def page_in(cache: Path, study: Path) -> bytes:
    """Return the page as it is kept for a build."""
    store = Store(cache)
    pointers = make_plan(Request(str(study), sample=True, cache=cache)).cache_name
    record = store.find_record(store.latest(pointers)["html"])
    return store.sound_path(record.outputs["report.html"], "html").read_bytes()


QUARTO = """#!/bin/sh
echo "$$ $PWD $*, cache $REPORT_CACHE, python $(command -v python)" >> "$CALLED"
[ "$ENDS" = never ] || exit $ENDS
sleep 600 &
wait
"""


@pytest.fixture
def quarto(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a Quarto that only writes down how it was called; as Quarto's own it leaves its server to itself."""
    launcher = tmp_path / "bin" / "quarto"
    launcher.parent.mkdir()
    launcher.write_text(QUARTO)
    launcher.chmod(0o755)
    monkeypatch.setenv("PATH", f"{launcher.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("CALLED", str(tmp_path / "called"))
    monkeypatch.setenv("ENDS", "0")
    return launcher


def run(quarto: Path, cache: Path) -> None:
    with session.run_quarto(str(quarto), Request("assignment", cache=cache), 4321) as ended:
        assert ended.wait(SOON_SECONDS)


def test_quarto_runs_with_this_python_and_cache(tmp_path, quarto, monkeypatch):
    run(quarto, tmp_path)
    python = Path(sys.executable).with_name("python")
    called = f"{ROOT} preview . --no-browser --port 4321, cache {tmp_path}, python {python}\n"
    assert (tmp_path / "called").read_text().partition(" ")[2] == called
    monkeypatch.setenv("ENDS", "1")
    with pytest.raises(RenderError, match="quarto preview ended with exit code 1"):
        run(quarto, tmp_path)


def test_what_quarto_has_started_ends_with_it(tmp_path, quarto, is_running, monkeypatch):
    monkeypatch.setenv("ENDS", "never")
    with session.run_quarto(str(quarto), Request("assignment", cache=tmp_path), 4321) as ended:
        until((tmp_path / "called").exists)
        pid = int((tmp_path / "called").read_text().split()[0])
        there = [pid, *until(lambda: children(pid))]
        assert not ended.is_set()
    until(lambda: not any(map(is_running, there)))


def test_quarto_is_refused_for_what_it_cannot_show(tmp_path, own, quarto):
    def plan(study: str, *overrides: str) -> Plan:
        return make_plan(Request(study, sample=True, cache=tmp_path, overrides=overrides))

    for one in (plan(str(own)), plan("assignment", "study.course=A")):
        with pytest.raises(UsageError, match=r"studies in studies/ only"):
            session.show(one, session.Wanted(quarto=True))
    quarto.unlink()
    with pytest.raises(EnvironmentProblem, match="Quarto is not on the path"):
        session.show(plan("assignment"), session.Wanted(quarto=True))


def test_without_the_option_the_preview_is_ours_also_where_quarto_is(tmp_path, own, made_up, quarto):
    log = tmp_path / "log"
    with running(str(own), "--sample", "--cache", str(made_up), "--no-browser", log=log):
        address(log)
    assert not (tmp_path / "called").exists()
