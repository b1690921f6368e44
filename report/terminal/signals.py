"""Ctrl-C and the end of the system: both end a command in the same way."""

from __future__ import annotations

import signal

STOPPING = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}


class Stopped(BaseException):
    """Somebody wants this program to end: Ctrl-C, or a system that shuts down."""

    def __init__(self, number: int) -> None:
        super().__init__(STOPPING[signal.Signals(number)])
        self.number = number


def raise_on_signals() -> None:
    """Raise `Stopped` from now on when a signal asks to end; what the caller ignores stays ignored."""
    for number in STOPPING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stop)


def ignore_signals() -> None:
    """Ignore them from now on: the program ends already."""
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)


def raise_again() -> None:
    """Raise again what a library took for a request to itself."""
    for stop in _raised:
        raise stop


_raised: list[Stopped] = []


def _stop(number: int, frame: object) -> None:
    _raised[:] = [Stopped(number)]
    raise_again()
