"""How a stage says how far it is."""

from __future__ import annotations

from typing import Protocol

REPORTS_ONLY = True
"""No result depends on this module, so no stage's key does (`report.engine.code`)."""


class Progress(Protocol):
    """Receives the state of a running stage; never part of a result."""

    def __call__(self, done: int, total: int, unit: str, *, log: bool = False, **figures: float) -> None:
        """Report that ``done`` of ``total`` ``unit`` ("pictures", "epochs", ...) are finished.

        ``figures`` are numbers worth showing beside it, such as ``loss`` or ``accuracy``; with ``log`` it
        stays in the log of the stage.
        """


def silent(done: int, total: int, unit: str, *, log: bool = False, **figures: float) -> None:
    """Take the progress of a stage and show it nowhere."""
