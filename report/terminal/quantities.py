"""Times and sizes as a terminal shows them."""

from __future__ import annotations

from collections.abc import Sequence


def format_duration(seconds: float) -> str:
    """Return ``0.4 s``, ``12 s``, ``3 min 05 s`` or ``1 h 02 min``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def format_age(seconds: float) -> str:
    """Return an age in days, or as a duration if it is less than two days."""
    days = round(seconds / 86_400)
    return format_duration(seconds) if days < 2 else f"{days} days"


def format_training_time(minutes: Sequence[float | None]) -> str:
    """Return ``about 2 h 04 min on 2 cores, and 1 more of unknown length``.

    ``minutes`` are those of each training; None where nobody knows them.
    """
    known = [m for m in minutes if m is not None]
    about = [f"about {format_duration(60 * sum(known))} on 2 cores"] if known else []
    unknown = len(minutes) - len(known)
    more = [f"{unknown} more of unknown length" if known else "of unknown length"] if unknown else []
    return ", and ".join(about + more)


def format_size(count: int) -> str:
    """Return so many bytes in kB, MB or GB."""
    if count >= 1e9:
        return f"{count / 1e9:.1f} GB"
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"
