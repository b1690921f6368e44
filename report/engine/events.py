"""What a build reports while it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from report.errors import ReportError

Outcome = Literal["cached", "fetched", "ran", "same"]
"""How a stage has got its result; ``fetched``: from a cache that machines share; ``same``: cached, run again for a check,
and the bytes were equal."""


@dataclass(frozen=True)
class Waiting:
    """A stage that may have to run.

    ``seconds`` is what its last run took, if there was one; ``needs`` are the stages that it reads.
    """

    seconds: float | None
    threads: int
    needs: frozenset[str]


@dataclass(frozen=True)
class Planned:
    """The build knows its stages, and none has started; those found cached by then get no event of their own.

    ``waiting`` is the most that will run, in the order of the plan; ``jobs`` run at once on ``cores``.
    """

    total: int
    waiting: Mapping[str, Waiting]
    jobs: int
    cores: int


@dataclass(frozen=True)
class Started:
    """A stage begins; ``expected_seconds`` is what its last run took, if there was one."""

    stage: str
    expected_seconds: float | None


@dataclass(frozen=True)
class Progressed:
    """A stage is so far."""

    stage: str
    done: int
    total: int
    unit: str
    figures: Mapping[str, float]


@dataclass(frozen=True)
class Finished:
    """A stage has its result, and its run took ``seconds``, now or when it was cached."""

    stage: str
    outcome: Outcome
    seconds: float


@dataclass(frozen=True)
class Failed:
    """A stage has no result; the stages ``lost`` do not run for it, all others go on."""

    stage: str
    error: Exception
    lost: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Warned:
    """A stage read what its key does not cover, which a strict build refuses, or the shared cache failed it."""

    stage: str
    problem: ReportError


Event = Planned | Started | Progressed | Finished | Failed | Warned
OnEvent = Callable[[Event], None]


def silent(event: Event) -> None:
    """Take what a build reports and show it nowhere."""
