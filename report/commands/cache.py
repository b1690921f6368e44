"""``report gc`` and ``report cache check``: what of the cache may go, and whether it is sound."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from report.commands.options import Cache
from report.errors import STAGE, UsageError
from report.terminal import console
from report.terminal.quantities import format_age, format_size

if TYPE_CHECKING:
    from report.engine.upkeep.remove_unused import Removal


def gc(
    keep_days: Annotated[
        int, typer.Option("--keep-days", metavar="N", min=0, help="Keep what was used in the last N days.")
    ] = 30,
    max_size: Annotated[
        str | None,
        typer.Option("--max-size", metavar="SIZE", help="Then remove the least used down to 500M, 5G, ..."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would go; remove nothing.")] = False,
    cache: Cache = None,
) -> None:
    """Remove old results; never what the newest build of a study or a running one needs."""
    from report.engine.upkeep.remove_unused import collect
    from report.workspace.places import find_cache

    most = _parse_size(max_size) if max_size else None
    collected = collect(find_cache(cache), keep_days=keep_days, max_size=most, dry_run=dry_run)
    if dry_run and collected.results:
        rows = [[result.record.stage, format_age(time.time() - result.used)] for result in collected.results]
        console.print_table(["result", "not used for"], rows)
        console.say()
    _print_collected(collected, dry_run=dry_run)
    print_other_versions(cache)


def _parse_size(text: str) -> int:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kMGT]?)B?", text.strip(), re.IGNORECASE)
    if not match:
        raise UsageError(f"--max-size {text}: not a size", hint="such as 500M or 5G")
    return int(float(match[1]) * 1000 ** " kmgt".index(match[2].lower() or " "))


def _print_collected(collected: Removal, *, dry_run: bool) -> None:
    rows = [
        [kind, f"{len(sizes):,}", format_size(sum(sizes))]
        for kind, sizes in collected.by_kind().items()
        if any(sizes)  # not the files of locks, which are empty
    ]
    console.print_table(["would go" if dry_run else "removed", "number", "size"], rows)
    console.say(
        f"{format_size(collected.left)} {'would be' if dry_run else 'are'} left,"
        f" {format_size(collected.needed)} of them needed by the newest builds"
    )


def print_other_versions(cache: Path | None) -> None:
    """Tell what lies in the cache that other versions of this program have made."""
    from report.engine.store import Store
    from report.engine.upkeep.remove_unused import folder_size
    from report.workspace.places import find_cache

    for folder in Store(find_cache(cache)).other_formats():
        console.say(
            f"{console.shorten_path(folder)}: {format_size(folder_size(folder))} of another version of this program,"
            " not used; report gc removes it when it is older than --keep-days"
        )


def check(
    repair: Annotated[
        bool, typer.Option("--repair", help="Remove what is damaged: it is made anew when it is needed.")
    ] = False,
    cache: Cache = None,
) -> None:
    """Read every file and record of the cache through; exit 7 when something is damaged."""
    from report.engine.upkeep.check import check as check_cache
    from report.terminal.progress import display_count
    from report.workspace.places import find_cache

    folder = find_cache(cache)
    with display_count("cache", "files read") as tell:
        checked = check_cache(folder, repair=repair, on_read=tell)
    for damage in checked.damage:
        console.say(f"{damage.what}: {damage.path.relative_to(folder)}: {', '.join(damage.stages)}")
    if checked.strays:
        end = " removed" if repair else ": report gc removes them"
        console.say(f"{len(checked.strays):,} files of no result{end}")
    rows = [[name, format_size(size)] for name, size in checked.sizes.items()]
    console.print_table(["part", "size"], rows)
    console.say(
        f"{checked.files:,} files and {checked.records:,} results read: {len(checked.damage) or 'nothing'} damaged"
    )
    print_other_versions(cache)
    if checked.damage:
        raise typer.Exit(STAGE)
