"""What is left of a build, and how long it takes."""

from __future__ import annotations

import pytest

from report.engine.events import Failed, Finished, Planned, Progressed, Started, Waiting
from report.terminal.forecast import Forecast, TimeLeft


def planned(seconds: dict[str, float | None], *, jobs: int = 2) -> Planned:
    """Return a plan of ``read -> train (2 threads) -> draw``, with ``other`` beside them; one more is cached."""
    graph = {"read": ((), 1), "train": (("read",), 2), "draw": (("train",), 1), "other": ((), 1)}
    waiting = {
        name: Waiting(seconds[name], threads, frozenset(before))
        for name, (before, threads) in graph.items()
        if name in seconds
    }
    return Planned(len(waiting) + 1, waiting, jobs, 2)


@pytest.mark.parametrize(
    ("seconds", "jobs", "left"),
    [
        ({"read": 1.0, "train": 10.0, "draw": 2.0, "other": 3.0}, 2, TimeLeft(13.0, True)),  # the longest way
        ({"read": 1.0, "train": 10.0, "draw": 2.0, "other": 30.0}, 2, TimeLeft(30.0, True)),
        ({"read": 8.0, "train": 10.0, "draw": 8.0, "other": 20.0}, 2, TimeLeft(28.0, True)),  # all the work
        ({"read": 8.0, "train": 10.0, "draw": 8.0, "other": 20.0}, 1, TimeLeft(46.0, True)),
        ({"read": 1.0, "train": None, "draw": 2.0}, 2, TimeLeft(3.0, False)),
        ({}, 2, TimeLeft(0.0, True)),
    ],
)
def test_before_anything_runs(seconds, jobs, left):
    assert Forecast(planned(seconds, jobs=jobs)).predict_build(0.0) == left


def test_a_running_stage_is_judged_by_its_own_pace():
    forecast = Forecast(planned({"train": 100.0, "draw": 5.0}))
    forecast.note(Started("train", 100.0), 0.0)
    assert forecast.predict_stage("train", 10.0) == 90.0
    forecast.note(Progressed("train", 1, 100, "batches", {}), 10.0)
    assert forecast.predict_stage("train", 10.0) == 90.0, "too early to tell"
    forecast.note(Progressed("train", 21, 100, "batches", {}), 20.0)
    assert forecast.predict_stage("train", 20.0) == pytest.approx(39.5)
    assert forecast.predict_stage("train", 21.0) == pytest.approx(38.5), "time goes on between two events"
    assert forecast.predict_build(20.0) == TimeLeft(pytest.approx(44.5), True)


def test_a_resumed_stage_is_not_credited_with_what_was_done_before():
    forecast = Forecast(planned({"train": None}))
    forecast.note(Started("train", None), 0.0)
    assert forecast.predict_stage("train", 1.0) is None
    forecast.note(Progressed("train", 8, 10, "epochs", {}), 60.0)
    forecast.note(Progressed("train", 9, 10, "epochs", {}), 90.0)
    assert forecast.predict_stage("train", 90.0) == pytest.approx(30.0)


def test_a_stage_that_counts_anew_is_measured_anew():
    forecast = Forecast(planned({"read": None}))
    forecast.note(Started("read", None), 0.0)
    forecast.note(Progressed("read", 1, 2, "files", {}), 1.0)
    forecast.note(Progressed("read", 2, 2, "files", {}), 2.0)
    forecast.note(Progressed("read", 1, 10, "pictures", {}), 3.0)
    forecast.note(Progressed("read", 2, 10, "pictures", {}), 4.0)
    assert forecast.predict_stage("read", 4.0) == pytest.approx(8.0)


def test_stages_are_counted():
    forecast = Forecast(planned({"read": 1.0, "train": 1.0, "draw": 1.0, "other": 1.0}))
    assert (forecast.finished, forecast.running, forecast.waiting) == (1, 0, 4)
    forecast.note(Started("read", 1.0), 0.0)
    forecast.note(Started("other", 1.0), 0.0)
    assert (forecast.finished, forecast.running, forecast.waiting) == (1, 2, 2)
    forecast.note(Finished("other", "ran", 1.0), 1.0)
    forecast.note(Failed("read", ValueError(), frozenset({"train", "draw"})), 1.0)
    assert (forecast.finished, forecast.running, forecast.waiting) == (2, 0, 0), "what reads it will not run"
    assert forecast.predict_build(1.0) == TimeLeft(0.0, True)
