"""Numbers and lists in the words of alternative texts and on figures."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

MOST_SAID = 8  # of how many classes the alternative text has each


def three_digits(value: float) -> str:
    """Return a value of 0 to 1 with three digits, as tables have it."""
    return "undefined" if math.isnan(value) else f"{value:.3f}"


def interval(low: float, high: float) -> str:
    """Return `` (low–high)`` of values of 0 to 1, or nothing where there is none."""
    return "" if math.isnan(low) or math.isnan(high) else f" ({low:.3f}–{high:.3f})"


def signed(value: float, digits: int = 3) -> str:
    """Return ``value`` with its sign, minus being a minus and not a hyphen."""
    text = f"{value:+.{digits}f}"
    return text.replace("-", "−") if float(text) else f"{0:.{digits}f}"


def percent(share: float) -> str:
    """Return a share of 0 to 1 as whole percent."""
    return f"{100 * share:.0f} %"


def by_class(values: Mapping[str, float], written: Callable[[float], str]) -> str:
    """Return each label with its value in words; of many the lowest and the highest; nothing of nothing."""
    if len(values) <= MOST_SAID:
        return join([f"{label} {written(value)}" for label, value in values.items()])
    known = {label: value for label, value in values.items() if not math.isnan(value)}
    if not known:
        return "undefined"
    ends = (min(known, key=lambda label: known[label]), max(known, key=lambda label: known[label]))
    low, high = (f"{label} {written(known[label])}" for label in ends)
    return f"of {len(values)} classes from {low} to {high}"


def join(words: Sequence[str]) -> str:
    """Return ``a, b and c``, or nothing of nothing."""
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))
