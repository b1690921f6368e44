"""All output to the terminal: errors, the progress of a build, tables of stages."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from report.engine.events import Failed, Finished, Progressed, Started

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from report.engine.events import Event


class Display(Protocol):
    """Shows the events of a build; used as a context."""

    def __call__(self, event: Event) -> None:
        """Show one event."""

    def __enter__(self) -> Display:
        """Begin to show."""

    def __exit__(self, *error: object) -> None:
        """Leave the terminal as it was."""


def say(text: str = "") -> None:
    """Print a line to standard output."""
    print(text, flush=True)


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


def size(count: int) -> str:
    """Return a file's size in kB or MB."""
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"


def display() -> Display:
    """Return bars for a terminal, plain lines for a log; both on standard error, beside the command's output."""
    return Live() if sys.stderr.isatty() else Lines()


def _figures(figures: Mapping[str, float]) -> str:
    words: list[str] = []
    for name, value in figures.items():
        if name == "epoch":
            words.insert(0, f"epoch {value:.0f}")
        elif name == "pictures_per_second":
            words.append(f"{value:.0f} pictures/s")
        else:
            words.append(f"{name.replace('val_', 'validation ')} {value:.3f}")
    return ", ".join(words)


class Lines:
    """Plain lines, one for each stage that starts or ends and for each finished epoch."""

    def __init__(self) -> None:
        self._begun = time.monotonic()

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def __call__(self, event: Event) -> None:
        """Print a line for ``event`` if it is worth one."""
        line = self._line(event)
        if line:
            print(f"{time.monotonic() - self._begun:7.1f} s  {line}", file=sys.stderr, flush=True)

    def _line(self, event: Event) -> str:
        match event:
            case Started():
                expected = f" (about {duration(event.expected_seconds)})" if event.expected_seconds else ""
                return f"{event.stage}: started{expected}"
            case Progressed(unit="epochs"):
                return f"{event.stage}: epoch {event.done} of {event.total}, {_figures(event.figures)}"
            case Finished(how="ran"):
                return f"{event.stage}: done in {duration(event.seconds)}"
            case Failed():
                return f"{event.stage}: failed: {event.error}"
        return ""


class Live:
    """Bars for the running stages, a line for each finished one."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        self._bars: Bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[figures]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Live:
        self._bars.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bars.stop()

    def __call__(self, event: Event) -> None:
        """Show ``event``."""
        match event:
            case Started():
                self._tasks[event.stage] = self._bars.add_task(event.stage, total=None, figures="")
            case Progressed() if event.stage in self._tasks:
                self._progress(event)
            case Finished(how="ran"):
                self._end(event.stage, f"[green]done[/]    {event.stage}  {duration(event.seconds)}")
            case Failed():
                self._end(event.stage, f"[red]failed[/]  {event.stage}")

    def _progress(self, event: Progressed) -> None:
        task = self._tasks[event.stage]
        if event.unit == "epochs":
            figures = f"epoch {event.done} of {event.total}, {_figures(event.figures)}"
            self._bars.update(task, figures=figures)
        else:
            figures = _figures(event.figures) or f"{event.done:,} of {event.total:,} {event.unit}"
            self._bars.update(task, completed=event.done, total=event.total, figures=figures)

    def _end(self, stage: str, line: str) -> None:
        if stage in self._tasks:
            self._bars.remove_task(self._tasks.pop(stage))
        self._bars.console.print(line, highlight=False)


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
