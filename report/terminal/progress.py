"""How a build goes, and what it has done at its end; all of it on standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from report.engine.events import Progressed, Warned
from report.terminal.console import ask, note, warn
from report.terminal.progress_bars import ProgressBars
from report.terminal.progress_lines import ProgressLines
from report.terminal.progress_words import count_stages
from report.terminal.quantities import format_duration
from report.terminal.signals import Stopped

if TYPE_CHECKING:
    from collections.abc import Callable

    from report.engine.events import Event, OnEvent, Outcome
    from report.engine.run import Built


@contextmanager
def display() -> Iterator[OnEvent]:
    """Show bars on a terminal, plain lines in a log, and at the end what is to be warned of."""
    warnings: list[Warned] = []

    def show(event: Event) -> None:
        if isinstance(event, Warned):
            warnings.append(event)
        else:
            screen(event)

    try:
        with ProgressBars() if sys.stderr.isatty() else ProgressLines() as screen:
            _screens[:] = [screen]
            yield show
    finally:
        for warned in warnings:
            warn(f"{warned.problem.message}; {warned.problem.hint}")


@contextmanager
def display_count(name: str, unit: str) -> Iterator[Callable[[int, int], None]]:
    """Show how far work goes that is no build: the context is a function of what is done and the total."""
    with display() as show:
        yield lambda done, total: show(Progressed(name, done, total, unit, {}))


_screens: list[ProgressBars | ProgressLines] = []
"""What shows how the build goes, if one does."""


def ask_to_go_on(stages: Sequence[str], how_to_end: str) -> bool:
    """Ask whether stages that run on other machines shall go on; without a terminal, or without an answer, they do."""
    for screen in _screens:
        screen.__exit__()  # bars would be drawn over the question
    note(f"running elsewhere: {', '.join(stages)}")
    if sys.stdin.isatty() and sys.stderr.isatty():
        with suppress(EOFError, Stopped):
            if ask("shall they go on? [Y/n] ").strip().lower().startswith("n"):
                return False
    note(f"they go on; the next build takes what they make. To end them: {how_to_end}")
    return True


def print_summary(built: Mapping[str, Built], seconds: float) -> None:
    """Tell what ran, what took the time, and what was cached."""
    runs: dict[Outcome, dict[str, float]] = {"ran": {}, "same": {}, "fetched": {}, "cached": {}}
    for name, one in built.items():
        runs[one.outcome][name] = one.record.seconds
    ran, same, fetched, cached = (runs[how] for how in ("ran", "same", "fetched", "cached"))
    if ran:
        note(f"{count_stages(len(ran))} ran in {format_duration(seconds)}; longest: {_list_longest(ran)}")
    if same:
        note(f"{count_stages(len(same))} ran again and gave the same bytes")
    if fetched:
        note(_describe_spared(fetched, "from the shared cache"))
    if len(cached) == len(built):
        note(f"nothing to do: {count_stages(len(built))} up to date")
    elif cached:
        note(_describe_spared(cached, "cached"))


def _describe_spared(seconds: Mapping[str, float], how: str) -> str:
    spared = format_duration(sum(seconds.values()))
    return f"{count_stages(len(seconds))} {how}, which spared {spared}: {_list_longest(seconds)}"


def _list_longest(seconds: Mapping[str, float]) -> str:
    names = sorted(seconds, key=lambda name: -seconds[name])[:3]
    return ", ".join(f"{name} {format_duration(seconds[name])}" for name in names)
