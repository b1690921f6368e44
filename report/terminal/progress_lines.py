"""The progress of a build in a log: plain lines."""

from __future__ import annotations

import time

from report.engine.events import Event, Failed, Finished, Planned, Progressed, Started
from report.terminal.console import note
from report.terminal.forecast import Forecast
from report.terminal.progress_words import describe_end, describe_plan, describe_progress, describe_time_left
from report.terminal.quantities import format_duration

SILENT_SECONDS = 30.0
"""A stage that counts anything but epochs is heard of again after so long."""


class ProgressLines:
    """A line for a stage that starts or ends, for an epoch, and from time to time in a long silence."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._forecast: Forecast | None = None
        self._last_line: dict[str, float] = {}

    def __enter__(self) -> ProgressLines:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def __call__(self, event: Event) -> None:
        """Print a line for ``event`` if it is worth one."""
        now = time.monotonic()
        if isinstance(event, Planned):
            self._forecast = Forecast(event)
        if self._forecast:
            self._forecast.note(event, now)
        line = self._describe(event, now)
        if line:
            note(f"{now - self._start:7.1f} s  {line}")

    def _describe(self, event: Event, now: float) -> str:
        match event:
            case Planned() if self._forecast:
                return describe_plan(event, self._forecast)
            case Started():
                self._last_line[event.stage] = now
                expected = event.expected_seconds
                return f"{event.stage}: started{f', about {format_duration(expected)}' if expected else ''}"
            case Progressed() if event.unit == "epochs" or self._is_silent(event.stage, now):
                self._last_line[event.stage] = now
                return (
                    f"{event.stage}: {describe_progress(event)}{self._describe_stage_left(event.stage, now)}"
                )
            case Finished() if self._forecast:
                count = f"{self._forecast.finished} of {self._forecast.total}"
                left = describe_time_left(self._forecast.predict_build(now))
                done = "done in " if event.outcome == "ran" else ""
                return f"{event.stage}: {done}{describe_end(event)} ({count}{left})"
            case Failed():
                return f"{event.stage}: failed: {event.error}"
        return ""

    def _is_silent(self, stage: str, now: float) -> bool:
        return now - self._last_line.get(stage, now if self._forecast else self._start) >= SILENT_SECONDS

    def _describe_stage_left(self, stage: str, now: float) -> str:
        seconds = self._forecast.predict_stage(stage, now) if self._forecast else None
        return f", {format_duration(seconds)} left" if seconds else ""
