"""Numbers of ``results.json`` as text: the only way by which a number gets into the document; and lists as text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from analysis.vocabulary.pretraining import is_difference, is_percentage
from report.errors import RenderError, did_you_mean, nearest

MISSING, NO_BREAK = "–", "\u00a0"


def count(value: int) -> str:
    """Return a whole number with its thousands set apart, as in ``1,615,940``."""
    return f"{value:,}".replace("-", "−")


def decimal(value: float, digits: int = 3, *, signed: bool = False) -> str:
    """Return ``value`` with ``digits`` decimals, a true minus sign and, if asked, a plus sign."""
    text = f"{value:+.{digits}f}" if signed else f"{value:.{digits}f}"
    if float(text) == 0:
        text = f"{0:.{digits}f}"
    return text.replace("-", "−")


def day(text: str) -> str:
    """Return a date as a reader writes it: ``29 November 2026`` of ``2026-11-29``."""
    found = date.fromisoformat(text)
    return f"{found.day}\u00a0{found:%B} {found.year}"


def percent(share: float, digits: int = 6) -> str:
    """Return a share in per cent with as many decimals as it has: ``20 %``, ``12.5 %``; not more than ``digits`` in all."""
    return f"{100 * share:.{digits}g}\u00a0%"


def hundredths(share: float) -> str:
    """Return a share in per cent without the sign: ``20``, ``12.5``."""
    return f"{100 * share:g}"


def whole_percent(share: float) -> str:
    """Return a share in per cent without decimals: ``12 %``; what rounding would make all or none is ``> 99 %``, ``< 1 %``."""
    whole = round(100 * share)
    if 0 < share < 1 and whole in (0, 100):
        return f"{'>' if whole else '<'}\u00a0{99 if whole else 1}\u00a0%"
    return f"{whole}\u00a0%"


@dataclass(frozen=True)
class Values:
    """Looks results up by name and formats them.

    Parameters
    ----------
    results : mapping of str to entry
        The ``results`` of ``results.json``; an entry has at least ``value``.
    """

    results: Mapping[str, Mapping[str, Any]]

    def entry(self, name: str) -> Mapping[str, Any]:
        """Return the whole entry of a result.

        Raises
        ------
        RenderError
            There is no such result; the hint names the nearest ones.
        """
        if name not in self.results:
            hint = did_you_mean(nearest(name, self.results), "results.json has every name")
            raise RenderError(f"no result is called {name!r}", hint=hint)
        return self.results[name]

    def value(self, name: str) -> Any:
        """Return the bare value of a result, None where it does not exist."""
        return self.entry(name)["value"]

    def text(self, name: str) -> str:
        """Return a result as text: counts whole, shares in per cent, all else with three decimals."""
        value = self.value(name)
        if value is None:
            return MISSING
        if isinstance(value, int):
            return count(value)
        if is_percentage(name):
            return f"{decimal(100 * value, 1)}\u00a0%"
        return decimal(value, signed=is_difference(name))

    def interval(self, name: str, *, to: str = " to ") -> str:
        """Return the interval of a result as ``0.764 to 0.812``; nothing where there is none."""
        item = self.entry(name)
        if item["value"] is None or item["low"] is None:
            return ""
        return to.join(decimal(item[end], signed=is_difference(name)) for end in ("low", "high"))

    def bounded(self, name: str) -> str:
        """Return a result with its interval, for prose: ``0.788 (95 % interval 0.764 to 0.812)``."""
        found = self.interval(name)
        if not found:
            return self(name)
        level = 100 * self.entry(name)["level"]
        return f"{self(name)} ({level:.4g}\u00a0% interval {found})"

    def aside(self, name: str) -> str:
        """Return a result with its interval, for brackets: ``−0.214, −0.342 to −0.095``."""
        found = self.interval(name)
        return f"{self.text(name)}, {found}" if found else self.text(name)

    def cell(self, name: str) -> str:
        """Return a result with its interval, for a table: ``0.788 (0.764–0.812)``, ``+0.030 (−0.010 to +0.070)``."""
        found = self.interval(name, to=unbroken(" to ") if is_difference(name) else "–")
        return f"{self.text(name)} ({found})" if found else self.text(name)

    def __call__(self, name: str) -> str:
        """Return a result as text, for prose; a result that does not exist says so."""
        return "not defined" if self.value(name) is None else self.text(name)


def spelled(value: int) -> str:
    """Return a small number as a word, as it is written within a sentence, others in digits."""
    words = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    return words[value] if value < len(words) else count(value)


def counted(value: float, noun: str) -> str:
    """Return ``1 file``, ``2 files``; a mean over trainings that is not whole has one decimal, ``2.3 files``."""
    number = count(int(value)) if value == int(value) else decimal(value, 1)
    return f"{number} {noun}{'' if value == 1 else 's'}"


def listed(words: list[str]) -> str:
    """Return ``a, b and c``."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def highlight(cell: str) -> str:
    """Return a value with its interval, the value in bold."""
    return re.sub(r"^\S+", r"**\g<0>**", cell)


def unbroken(text: str) -> str:
    """Return ``text`` with spaces at which no line ends."""
    return text.replace(" ", "\u00a0")


def sentence_case(text: str) -> str:
    """Return ``text`` as a sentence begins: with a capital, and a small number before a word spelled."""
    first, space, rest = text.partition(" ")
    begun = spelled(int(first)) + space + rest if first.isdecimal() and rest[:1].isalpha() else text
    return begun[:1].upper() + begun[1:]


def slug(name: str) -> str:
    """Return the name of a model or figure as ids of figures, tables and sections have it."""
    return name.replace("_", "-")
