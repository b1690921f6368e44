"""Build stages for a command: show how it goes, and tell what went wrong with the next command to type."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from report.engine.events import silent
from report.errors import DamagedError, StageError
from report.terminal import console

if TYPE_CHECKING:
    from report.engine.events import Event, OnEvent
    from report.engine.run import Built
    from report.engine.stage import Stage

T = TypeVar("T")


def run(
    stages: Sequence[Stage],
    cache: Path,
    plan_name: str,
    *,
    log_command: Callable[[str], str],
    hear: OnEvent = silent,
    strict: bool = False,
    **options: Any,
) -> Mapping[str, Built]:
    """Return what ``report.engine.run:build`` does with these ``options``.

    ``log_command`` returns the command that prints the log of a stage; ``hear`` is told what the display is.
    """
    from report.engine.executors import local_processes
    from report.engine.run import Options, build
    from report.pipeline.stages import PROGRAM

    try:
        with console.display() as show:

            def tell(event: Event) -> None:
                show(event)
                hear(event)

            project = replace(PROGRAM, strict=is_strict(strict))
            chosen = Options(project, local_processes, plan_name, on_event=tell, **options)
            return build(stages, cache, chosen)
    except StageError as error:
        if error.log:  # a stage knows its name alone
            error.hint = log_command(error.log)
        raise


def whole(make: Callable[[], T]) -> T:
    """Return what ``make`` builds and reads; once more for each result that it finds damaged in the cache."""
    found: set[str] = set()
    while True:
        try:
            return make()
        except DamagedError as damaged:
            if damaged.message in found:  # though it was made anew
                raise
            found.add(damaged.message)
            console.note(f"warning: {damaged.message}; it is made anew")


def is_strict(asked: bool) -> bool:
    """Tell whether a build lets nothing pass: where it is asked for, and in continuous integration."""
    return asked or os.environ.get("CI") == "true"
