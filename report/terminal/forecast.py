"""How long a build still takes: from what its stages took before, and from how far the running ones are."""

from __future__ import annotations

from dataclasses import dataclass

from report.engine.events import Event, Failed, Finished, Planned, Progressed, Started

MEASURED_SHARE = 0.02
"""The part of a stage after which its own pace tells more than its last run."""


@dataclass(frozen=True)
class TimeLeft:
    """Seconds to the end; not ``complete`` where a stage never ran before, so that it takes longer."""

    seconds: float
    complete: bool


class _Pace:
    """How fast a running stage goes; a resumed one begins with what was done before."""

    def __init__(self, start: float, expected: float | None) -> None:
        self._start, self._expected = start, expected
        self._first: tuple[float, float] | None = None
        self._last = (start, 0.0)

    def note(self, share: float, now: float) -> None:
        if self._first is None or share < self._last[1]:  # a stage may count one thing after another
            self._first = (now, share)
        self._last = (now, share)

    def left(self, now: float) -> float | None:
        moment, share = self._last
        first = self._first or self._last
        measured = share - first[1]
        if measured > (MEASURED_SHARE if self._expected else 0):
            return max(0.0, (moment - first[0]) / measured * (1 - share) - (now - moment))
        return None if self._expected is None else max(0.0, self._expected - (now - self._start))


class Forecast:
    """What is left of a build; it is told every event, with its time in seconds.

    Attributes
    ----------
    total, finished : int
        How many stages there are, and how many have a result.
    """

    def __init__(self, planned: Planned) -> None:
        self._planned = planned
        self._left = dict(planned.waiting)
        self._running: dict[str, _Pace] = {}
        self.total = planned.total
        self.finished = planned.total - len(planned.waiting)

    @property
    def running(self) -> int:
        """How many stages run."""
        return len(self._running)

    @property
    def waiting(self) -> int:
        """How many stages still wait."""
        return len(self._left) - len(self._running)

    def note(self, event: Event, now: float) -> None:
        """Take an event of the build."""
        match event:
            case Started():
                self._running[event.stage] = _Pace(now, event.expected_seconds)
            case Progressed() if event.stage in self._running and event.total:
                self._running[event.stage].note(event.done / event.total, now)
            case Finished():
                self._drop(event.stage)
                self.finished += 1
            case Failed():
                for name in (event.stage, *event.lost):
                    self._drop(name)

    def _drop(self, stage: str) -> None:
        self._running.pop(stage, None)
        self._left.pop(stage, None)

    def predict_stage(self, name: str, now: float) -> float | None:
        """Return the seconds to the end of a stage; None if nothing is known of it."""
        pace = self._running.get(name)
        return pace.left(now) if pace else self._left[name].seconds

    def predict_build(self, now: float) -> TimeLeft:
        """Return the seconds to the end: of the longest way, or of all work on the cores, if that is more."""
        seconds = {name: self.predict_stage(name, now) for name in self._left}
        ends: dict[str, float] = {}
        work = stages = 0.0
        for name, stage in self._left.items():
            own = seconds[name] or 0.0
            ends[name] = own + max((ends.get(before, 0.0) for before in stage.needs), default=0.0)
            work += own * min(stage.threads, self._planned.cores) / self._planned.cores
            stages += own / self._planned.jobs
        return TimeLeft(max(work, stages, *ends.values(), 0.0), None not in seconds.values())
