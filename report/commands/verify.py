"""``report verify``: the reader's check of a report against its predictions."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from analysis.errors import DataError
from report.terminal import console
from report.terminal.quantities import format_duration

MOST_LINES = 20
"""So many disagreements are printed; of more only the number."""


def verify(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A build folder, such as build/assignment.")],
) -> None:
    """Recompute every number of a report from its predictions; exit 5 when something does not agree."""
    from report.delivery.verify import verify as check
    from report.terminal.progress import display_count

    start = time.monotonic()
    with display_count("verify", "stages") as tell:
        checked = check(folder, tell)
    rows = [[part, count, checked.verdict(part)] for part, count in checked.counts.items()]
    console.print_table(["part", "checked", "disagreements"], rows)
    for difference in checked.differences[:MOST_LINES]:
        console.say(str(difference))
    for remark in checked.remarks:
        console.say(f"note: {remark}")
    if count := len(checked.differences):
        excess = f", of which {MOST_LINES} are told" if count > MOST_LINES else ""
        raise DataError(
            f"{folder}: {count:,} things do not agree with the predictions{excess}",
            hint=f"{checked.cause}; report build makes the report anew",
        )
    agree = "what was checked agrees" if checked.is_partial else "everything agrees"
    console.say(f"{agree}; checked in {format_duration(time.monotonic() - start)}")
