"""The progress of a build on a terminal: bars that move."""

from __future__ import annotations

import time
from threading import Lock
from typing import TYPE_CHECKING

from report.engine.events import Failed, Finished, Planned, Progressed, Started
from report.terminal.forecast import Forecast
from report.terminal.progress_words import describe_end, describe_plan, describe_progress, describe_time_left
from report.terminal.quantities import format_duration

if TYPE_CHECKING:
    from rich.table import Table as Grid

    from report.engine.events import Event


class ProgressBars:
    """A bar for each running stage, a line for each finished one, and how far the build is."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live

        self._start = time.monotonic()
        self._forecast: Forecast | None = None
        self._running: dict[str, Progressed | None] = {}
        self._epochs: dict[str, Progressed] = {}
        self._lock = Lock()
        console = Console(stderr=True, highlight=False)
        self._screen = Live(console=console, get_renderable=self._draw, refresh_per_second=4, transient=True)

    def __enter__(self) -> ProgressBars:
        self._screen.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._screen.stop()

    def __call__(self, event: Event) -> None:
        """Show ``event``."""
        with self._lock:
            line = self._take(event)
        if line:
            self._screen.console.print(line)

    def _take(self, event: Event) -> str:
        """Note ``event`` and return the line that stays of it, if any."""
        if self._forecast:
            self._forecast.note(event, time.monotonic())
        match event:
            case Planned():
                self._forecast = Forecast(event)
                self._running.clear()  # whose files were read to know what is cached
                return describe_plan(event, self._forecast)
            case Started():
                self._running[event.stage] = None
            case Progressed() if event.stage in self._running or not self._forecast:
                self._running[event.stage] = event
                if event.unit == "epochs":
                    self._epochs[event.stage] = event
            case Finished():
                self._running.pop(event.stage, None)
                return f"[green]done[/]    {event.stage}  {describe_end(event)}"
            case Failed():
                self._running.pop(event.stage, None)
                return f"[red]failed[/]  {event.stage}"
        return ""

    def _draw(self) -> Grid:
        """Draw the running stages, and below them where the build is; called from a thread of rich."""
        from rich.table import Table
        from rich.text import Text

        now = time.monotonic()
        grid = Table.grid(expand=True)
        with self._lock:
            for stage, event in self._running.items():
                grid.add_row(self._draw_bar(stage, event, now))
                if stage in self._epochs:
                    line = f"  {describe_progress(self._epochs[stage])}"
                    grid.add_row(Text(line, style="dim", no_wrap=True, overflow="ellipsis"))
            grid.add_row(self._describe_build(now))
        return grid

    def _draw_bar(self, stage: str, event: Progressed | None, now: float) -> Grid:
        from rich.progress_bar import ProgressBar
        from rich.table import Table

        share = event.done / event.total if event and event.total else 0.0
        seconds = self._forecast.predict_stage(stage, now) if self._forecast else None
        row = Table.grid(padding=(0, 2), expand=True)
        row.add_column(width=max(map(len, self._running)), no_wrap=True)
        row.add_column(width=16)
        row.add_column(ratio=1, no_wrap=True)
        row.add_column(justify="right", no_wrap=True)
        row.add_row(
            stage,
            ProgressBar(1.0, share, width=16, pulse=event is None, animation_time=now),
            describe_progress(event) if event and event.unit != "epochs" else "",
            f"{format_duration(seconds)} left" if seconds else "",
        )
        return row

    def _describe_build(self, now: float) -> str:
        elapsed = format_duration(now - self._start)
        if not self._forecast:
            return f"[dim]looking at what is there, {elapsed}[/]"
        forecast = self._forecast
        counts = f"{forecast.finished} of {forecast.total} done, {forecast.running} running, {forecast.waiting} waiting"
        return f"[bold]{counts}[/]  {elapsed}{describe_time_left(forecast.predict_build(now))}"
