"""What a build looks like: in a log, on a terminal, and at its end."""

from __future__ import annotations

import io
import re
from types import SimpleNamespace

import pytest
from rich.console import Console

from report.engine.events import Failed, Finished, Planned, Progressed, Started, Waiting, Warned
from report.errors import StageError
from report.terminal import progress, progress_bars, progress_lines
from report.terminal.signals import Stopped

FIGURES = {"images_per_second": 74.2, "loss": 0.9, "accuracy": 0.5, "val_loss": 1.1, "val_accuracy": 0.4}
PLAN = Planned(
    4,
    {
        "train": Waiting(40.0, 2, frozenset({"read"})),
        "html": Waiting(2.0, 1, frozenset({"train"})),
        "pdf": Waiting(4.0, 1, frozenset({"train"})),
    },
    2,
    2,
)
COURSE = [
    (0, PLAN),
    (0, Started("train", 40.0)),
    (10, Progressed("train", 50, 500, "batches", {**FIGURES, "epoch": 1.0})),
    (15, Progressed("train", 2, 10, "epochs", FIGURES)),
    (50, Progressed("train", 450, 500, "batches", {**FIGURES, "epoch": 9.0})),
    (60, Finished("train", "ran", 60.0)),
    (60, Finished("html", "cached", 2.0)),
    (60, Started("pdf", 4.0)),
    (61, Failed("pdf", ValueError("no font"))),
]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    clock = SimpleNamespace(now=0.0)
    clock.monotonic = lambda: clock.now
    for module in (progress_bars, progress_lines):
        monkeypatch.setattr(module, "time", clock)
    return clock


def test_a_log_has_a_line_for_what_matters(clock, capsys):
    show = progress_lines.ProgressLines()
    for clock.now, event in COURSE:
        show(event)
    output = capsys.readouterr()
    assert output.out == ""
    assert [re.sub(r"^ +[\d.]+ s  ", "", line) for line in output.err.splitlines()] == [
        "4 stages: 1 cached, 3 to run, about 44 s by earlier runs",
        "train: started, about 40 s",
        "train: epoch 2 of 10, loss 0.900, accuracy 0.500, validation loss 1.100, validation accuracy 0.400, "
        "74 images/s, 40 s left",
        "train: epoch 9, loss 0.900, accuracy 0.500, validation loss 1.100, validation accuracy 0.400, "
        "74 images/s, 5.0 s left",
        "train: done in 1 min 00 s (2 of 4, about 4.0 s left)",
        "html: comes out as before (3 of 4, about 4.0 s left)",
        "pdf: started, about 4.0 s",
        "pdf: failed: no font",
    ]


def test_a_first_build_says_that_more_is_to_come(clock, capsys):
    show = progress_lines.ProgressLines()
    show(Planned(2, {"a": Waiting(None, 1, frozenset()), "b": Waiting(30.0, 1, frozenset({"a"}))}, 2, 2))
    show(Planned(1, {"a": Waiting(None, 1, frozenset())}, 2, 2))
    show(Planned(3, {}, 2, 2))
    told = [line.split("  ")[-1] for line in capsys.readouterr().err.splitlines()]
    assert told == [
        "2 stages: 2 to run, more than 30 s by earlier runs",
        "1 stage: 1 to run, for the first time",
    ]


def picture(show: progress_bars.ProgressBars, width: int) -> list[str]:
    screen = Console(file=io.StringIO(), width=width)
    screen.print(show._draw())
    return [line.strip() for line in screen.file.getvalue().splitlines()]


def test_a_terminal_shows_what_runs_and_where_the_build_is(clock):
    show = progress_bars.ProgressBars()
    assert picture(show, 100) == ["looking at what is there, 0.0 s"]
    for clock.now, event in COURSE[:5]:
        show(event)
    bar, epoch, where = picture(show, 100)
    assert re.fullmatch(r"train +━+.* epoch 9, loss 0\.900, accuracy 0\.500.*  5\.0 s left", bar)
    assert epoch.startswith("epoch 2 of 10, loss 0.900, accuracy 0.500, validation loss 1.100, validation")
    assert where == "1 of 4 done, 1 running, 2 waiting  50 s, about 9.0 s left"
    assert len(picture(show, 60)) == 3, "lines are cut, not wrapped"
    for clock.now, event in COURSE[5:]:
        show(event)
    assert picture(show, 100) == ["3 of 4 done, 0 running, 0 waiting  1 min 01 s"]


def built(**how: tuple[str, float]) -> dict[str, SimpleNamespace]:
    return {
        name: SimpleNamespace(outcome=h, record=SimpleNamespace(seconds=s)) for name, (h, s) in how.items()
    }


def test_warnings_come_last_whatever_happens(capsys):
    problem = StageError("a: reads x", hint="name it")
    with pytest.raises(ValueError, match="odd"), progress.display() as show:
        show(Warned("a", problem))
        show(Started("b", None))
        raise ValueError("odd")
    *_, started, warning = capsys.readouterr().err.splitlines()
    assert started.endswith("b: started")
    assert warning == "warning: a: reads x; name it"


@pytest.mark.parametrize(
    ("stages", "told"),
    [
        ({"a": ("cached", 1.0)}, ["nothing to do: 1 stage up to date"]),
        (
            {"a": ("ran", 1.0), "b": ("ran", 30.0), "c": ("cached", 90.0)},
            [
                "2 stages ran in 32 s; longest: b 30 s, a 1.0 s",
                "1 stage cached, which spared 1 min 30 s: c 1 min 30 s",
            ],
        ),
        (
            {"a": ("fetched", 120.0), "b": ("cached", 60.0)},
            [
                "1 stage from the shared cache, which spared 2 min 00 s: a 2 min 00 s",
                "1 stage cached, which spared 1 min 00 s: b 1 min 00 s",
            ],
        ),
        (
            {"a": ("same", 1.0), "b": ("same", 2.0)},
            ["2 stages ran again and gave the same bytes"],
        ),
    ],
)
def test_the_summary_says_what_ran_and_what_was_cached(capsys, stages, told):
    progress.print_summary(built(**stages), 32.0)
    output = capsys.readouterr()
    assert (output.out, output.err.splitlines()) == ("", told)


@pytest.mark.parametrize(
    ("terminal", "answer", "shall"),
    [
        (False, "n", True),
        (True, "n", False),
        (True, "", True),
        (True, EOFError(), True),
        (True, Stopped(2), True),
    ],
)
def test_what_runs_elsewhere_goes_on_unless_it_is_answered_no(monkeypatch, capsys, terminal, answer, shall):
    def ask(question: str) -> str:
        if isinstance(answer, BaseException):
            raise answer
        return answer

    monkeypatch.setattr(progress, "ask", ask)
    for stream in (progress.sys.stdin, progress.sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: terminal, raising=False)
    assert progress.ask_to_go_on(["train.a", "train.b"], "scancel 7 8") is shall
    told = capsys.readouterr().err
    assert "running elsewhere: train.a, train.b" in told
    assert ("To end them: scancel 7 8" in told) == shall
