"""All output to the terminal: errors, the progress of a build, tables of stages.

Results go to standard output, all else to standard error.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from report.engine.events import Failed, Finished, Planned, Progressed, Started, Warned
from report.terminal.time_left import Left, Outlook

if TYPE_CHECKING:
    from rich.table import Table as Grid

    from report.engine.events import Event, How, OnEvent
    from report.engine.run import Built

SILENT_SECONDS = 30.0


def say(text: str = "") -> None:
    """Print a line to standard output."""
    print(text, flush=True)


def note(text: str) -> None:
    """Print a line about the work to standard error."""
    print(text, file=sys.stderr, flush=True)


def complain(message: str, hint: str = "") -> None:
    """Print an error as one line, and its hint as another, to standard error."""
    print(f"error: {' '.join(message.split())}", file=sys.stderr)
    if hint:
        print(f"hint: {hint}", file=sys.stderr)


def duration(seconds: float) -> str:
    """Return ``0.4 s``, ``12 s``, ``3 min 05 s`` or ``1 h 02 min``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def trainings(minutes: Sequence[float | None]) -> str:
    """Return ``about 2 h 04 min on 2 cores, and 1 more of unknown length``."""
    known = [m for m in minutes if m is not None]
    about = [f"about {duration(60 * sum(known))} on 2 cores"] if known else []
    unknown = len(minutes) - len(known)
    more = [f"{unknown} more of unknown length" if known else "of unknown length"] if unknown else []
    return ", and ".join(about + more)


def size(count: int) -> str:
    """Return a size in kB, MB or GB."""
    if count >= 1e9:
        return f"{count / 1e9:.1f} GB"
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"


@contextmanager
def display() -> Iterator[OnEvent]:
    """Show bars on a terminal, plain lines in a log, and at the end what is to be warned of.

    All of it is written to standard error, beside the command's output.
    """
    warnings: list[Warned] = []

    def show(event: Event) -> None:
        if isinstance(event, Warned):
            warnings.append(event)
        else:
            shown(event)

    try:
        with Live() if sys.stderr.isatty() else Lines() as shown:
            yield show
    finally:
        for warned in warnings:
            note(f"warning: {warned.problem.message}; {warned.problem.hint}")


def _figures(figures: Mapping[str, float]) -> str:
    words = [
        f"{name.replace('val_', 'validation ')} {value:.3f}"
        for name, value in figures.items()
        if name not in {"epoch", "pictures_per_second"}
    ]
    if "epoch" in figures:
        words.insert(0, f"epoch {figures['epoch']:.0f}")
    if "pictures_per_second" in figures:
        words.append(f"{figures['pictures_per_second']:.0f} pictures/s")
    return ", ".join(words)


def _so_far(event: Progressed) -> str:
    """Return ``epoch 3 of 10, loss 0.913, 74 pictures/s`` or ``1,200 of 6,504 pictures``."""
    if event.unit == "epochs":
        return f"epoch {event.done} of {event.total}, {_figures(event.figures)}"
    return _figures(event.figures) or f"{event.done:,} of {event.total:,} {event.unit}"


def _plan(event: Planned, outlook: Outlook) -> str:
    """Return how much is to do, and how long it takes; "" if it is nothing."""
    if not event.waiting:
        return ""
    cached = f"{outlook.finished} cached, " if outlook.finished else ""
    left = _left(outlook.build(0.0))
    takes = left.replace(" left", " by earlier runs") if left else ", for the first time"
    return f"{_stages(event.total)}: {cached}{len(event.waiting)} to run{takes}"


def _left(left: Left) -> str:
    """Return ``, about 5 min 10 s left``; "" if nothing is known."""
    if left.seconds < 1:
        return ""
    return f", {'about' if left.complete else 'more than'} {duration(left.seconds)} left"


def summary(built: Mapping[str, Built], seconds: float) -> None:
    """Tell on standard error what ran, what took the time, and what was cached."""
    took: dict[How, dict[str, float]] = {"ran": {}, "same": {}, "cached": {}}
    for name, one in built.items():
        took[one.how][name] = one.record.seconds
    if took["ran"]:
        note(f"{_stages(len(took['ran']))} ran in {duration(seconds)}; longest: {_longest(took['ran'])}")
    if took["same"]:
        note(f"{_stages(len(took['same']))} ran again and gave the same bytes")
    if took["cached"] and len(took["cached"]) < len(built):
        spared = sum(took["cached"].values())
        note(
            f"{_stages(len(took['cached']))} cached, which spared {duration(spared)}: {_longest(took['cached'])}"
        )
    if len(took["cached"]) == len(built):
        note(f"nothing to do: {_stages(len(built))} up to date")


def _stages(count: int) -> str:
    return "1 stage" if count == 1 else f"{count} stages"


def _longest(seconds: Mapping[str, float]) -> str:
    names = sorted(seconds, key=lambda name: -seconds[name])[:3]
    return ", ".join(f"{name} {duration(seconds[name])}" for name in names)


class Lines:
    """Plain lines: a stage that starts or ends, an epoch, and a word from time to time in a long silence."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._outlook: Outlook | None = None
        self._told: dict[str, float] = {}

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def __call__(self, event: Event) -> None:
        """Print a line for ``event`` if it is worth one."""
        now = time.monotonic()
        if isinstance(event, Planned):
            self._outlook = Outlook(event)
        if self._outlook:
            self._outlook.note(event, now)
        line = self._line(event, now)
        if line:
            print(f"{now - self._begun:7.1f} s  {line}", file=sys.stderr, flush=True)

    def _line(self, event: Event, now: float) -> str:
        match event:
            case Planned() if self._outlook:
                return _plan(event, self._outlook)
            case Started():
                self._told[event.stage] = now
                expected = f", about {duration(event.expected_seconds)}" if event.expected_seconds else ""
                return f"{event.stage}: started{expected}"
            case Progressed() if event.unit == "epochs" or self._is_silent(event.stage, now):
                self._told[event.stage] = now
                return f"{event.stage}: {_so_far(event)}{self._stage_left(event.stage, now)}"
            case Finished() if self._outlook:
                count = f"{self._outlook.finished} of {self._outlook.total}"
                return f"{event.stage}: {_ended(event)} ({count}{_left(self._outlook.build(now))})"
            case Failed():
                return f"{event.stage}: failed: {event.error}"
        return ""

    def _is_silent(self, stage: str, now: float) -> bool:
        return now - self._told.get(stage, now if self._outlook else self._begun) >= SILENT_SECONDS

    def _stage_left(self, stage: str, now: float) -> str:
        seconds = self._outlook.stage(stage, now) if self._outlook else None
        return f", {duration(seconds)} left" if seconds else ""


def _ended(event: Finished) -> str:
    match event.how:
        case "cached":
            return "comes out as before"
        case "same":
            return f"the same bytes again in {duration(event.seconds)}"
        case "ran":
            return f"done in {duration(event.seconds)}"


class Live:
    """A bar for each running stage, a line for each finished one, and how far the build is."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live as Screen

        self._begun = time.monotonic()
        self._outlook: Outlook | None = None
        self._running: dict[str, Progressed | None] = {}
        self._epochs: dict[str, Progressed] = {}
        self._lock = Lock()
        console = Console(stderr=True, highlight=False)
        self._screen = Screen(
            console=console, get_renderable=self._picture, refresh_per_second=4, transient=True
        )

    def __enter__(self) -> Live:
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
        if self._outlook:
            self._outlook.note(event, time.monotonic())
        match event:
            case Planned():
                self._outlook = Outlook(event)
                self._running.clear()  # whose files were read to know what is cached
                return _plan(event, self._outlook)
            case Started():
                self._running[event.stage] = None
            case Progressed() if event.stage in self._running or not self._outlook:
                self._running[event.stage] = event
                if event.unit == "epochs":
                    self._epochs[event.stage] = event
            case Finished():
                self._running.pop(event.stage, None)
                return f"[green]done[/]    {event.stage}  {_ended(event).removeprefix('done in ')}"
            case Failed():
                self._running.pop(event.stage, None)
                return f"[red]failed[/]  {event.stage}"
        return ""

    def _picture(self) -> Grid:
        """Draw the running stages, and below them where the build is; called from a thread of rich."""
        from rich.table import Table
        from rich.text import Text

        now = time.monotonic()
        picture = Table.grid(expand=True)
        with self._lock:
            for stage, event in self._running.items():
                picture.add_row(self._bar(stage, event, now))
                if stage in self._epochs:
                    line = f"  {_so_far(self._epochs[stage])}"
                    picture.add_row(Text(line, style="dim", no_wrap=True, overflow="ellipsis"))
            picture.add_row(self._where(now))
        return picture

    def _bar(self, stage: str, event: Progressed | None, now: float) -> Grid:
        from rich.progress_bar import ProgressBar
        from rich.table import Table

        share = event.done / event.total if event and event.total else 0.0
        seconds = self._outlook.stage(stage, now) if self._outlook else None
        row = Table.grid(padding=(0, 2), expand=True)
        row.add_column(width=max(map(len, self._running)), no_wrap=True)
        row.add_column(width=16)
        row.add_column(ratio=1, no_wrap=True)
        row.add_column(justify="right", no_wrap=True)
        row.add_row(
            stage,
            ProgressBar(1.0, share, width=16, pulse=event is None, animation_time=now),
            _so_far(event) if event and event.unit != "epochs" else "",
            f"{duration(seconds)} left" if seconds else "",
        )
        return row

    def _where(self, now: float) -> str:
        so_far = duration(now - self._begun)
        if not self._outlook:
            return f"[dim]looking at what is there, {so_far}[/]"
        look = self._outlook
        counts = f"{look.finished} of {look.total} done, {look.running} running, {look.waiting} waiting"
        return f"[bold]{counts}[/]  {so_far}{_left(look.build(now))}"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Print rows in aligned columns."""
    lines = [list(head), *(list(row) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    for line in lines:
        say("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def relative(path: Path) -> str:
    """Return ``path`` as it is shortest to type from here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
