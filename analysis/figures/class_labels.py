"""Labels of classes where there is little room: on several lines, or cut and numbered with a key in full below."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures import style, typesetting

LINE, SPACING = 3.0, 1.05
WIDTHS = (24.0, 32.0, 40.0, 48.0, 56.0, 64.0)
CUT = 44.0
KEY_ABOVE, KEY_LEFT, KEY_GAP, KEY_NUMBER = 3.0, 1.0, 4.0, 4.5
KEY_WIDTH = (style.FULL_WIDTH_MM - 2 * KEY_LEFT - KEY_GAP) / 2


@dataclass(frozen=True)
class Rows:
    """Names of the rows of a figure, how wide they are, how high a row is, and the key below (0: none), in mm.

    ``size`` is their size of type, ``wider`` how much more room they need than short names;
    ``close`` whether their lines are.
    """

    names: tuple[str, ...]
    width: float
    row: float
    key: float
    size: float = typesetting.SMALL
    wider: float = 0.0
    close: bool = True

    @property
    def type(self) -> dict[str, Any]:
        """How the names are set: small type has its lines closer together."""
        return {"fontsize": self.size, **({"linespacing": SPACING} if self.close else {})}


def arrange_beside_bars(classes: Sequence[style.Class], *, room: float, tallest: float) -> Rows:
    """Return the names beside bars or boxes: on short lines where these fit, else as ``rows`` has them."""
    names = tuple(typesetting.wrap(c["label"], 16) for c in classes)
    row = min(tallest, room / len(classes))
    lines = max(name.count("\n") + 1 for name in names)
    if max(typesetting.text_mm(name, typesetting.BASE) for name in names) <= WIDTHS[0] and 3.5 * lines <= row:
        return Rows(names, WIDTHS[0], row, 0.0, typesetting.BASE, close=False)
    found = arrange_rows(classes, room=room, tallest=tallest)
    return replace(found, wider=max(0.0, found.width - WIDTHS[0]))


def axis_end(counts: Iterable[float], texts: Iterable[str], width: float, beyond: float = 0.0) -> float:
    """Return where an axis ``width`` mm long ends so that each text has room behind its bar or ``beyond`` the axis."""
    rooms = (width + beyond - typesetting.text_mm(text) - 1.5 for text in texts)
    return max((n * width / max(1.0, room) for n, room in zip(counts, rooms, strict=True)), default=0.0)


def draw_key_below(figure: Figure, classes: Sequence[style.Class], found: Rows) -> None:
    """Set the key at the foot of a figure whose rows need one."""
    if found.key:
        draw_key(style.add_sheet(figure), classes, found.key)


def arrange_rows(
    classes: Sequence[style.Class], *, room: float, tallest: float, times: float = 1, numbered: bool = False
) -> Rows:
    """Return how a figure with ``times`` rows for each class calls them in ``room`` mm of height.

    The narrowest column in which all labels fit is taken; where there is none, they are cut and numbered, and the
    figure needs the key (``key``).
    """
    names = [f"{c['label']} ({k})" if numbered else c["label"] for k, c in enumerate(classes, start=1)]
    row = min(tallest, room / (times * len(classes)))
    for width in WIDTHS:
        broken = tuple(typesetting.break_lines(name, width) for name in names)
        if _fit(broken, width, row):
            return Rows(broken, width, row, 0.0)
    below = key_mm(classes)
    row = min(tallest, (room - below) / (times * len(classes)))
    return Rows(number_and_cut(classes, CUT, max(1, int(row / LINE))), CUT, row, below)


def _fit(names: Sequence[str], width: float, row: float) -> bool:
    """Whether names on lines keep within a column of this width and rows of this height."""
    widest = max(typesetting.text_mm(name) for name in names)
    return widest <= width and LINE * max(name.count("\n") + 1 for name in names) <= max(row, LINE)


def number_and_cut(classes: Sequence[style.Class], width: float, lines: int) -> tuple[str, ...]:
    """Return the number and as much of the label of each class as this many lines of ``width`` mm hold."""
    return tuple(cut(f"{k}  {c['label']}", width, lines) for k, c in enumerate(classes, start=1))


def cut(text: str, width: float, lines: int) -> str:
    """Return ``text`` on at most ``lines`` lines, with an ellipsis where some of it is left out."""
    broken = typesetting.break_lines(text, width).split("\n")
    if len(broken) <= lines:
        return "\n".join(broken)
    last = broken[lines - 1]
    while last and typesetting.text_mm(f"{last}…") > width:
        last = last[:-1].rstrip()
    return "\n".join([*broken[: lines - 1], f"{last}…"])


def draw_key(sheet: Axes, classes: Sequence[style.Class], top: float) -> None:
    """Set the numbers of the classes and their labels in full, in two columns that begin ``top`` mm high."""
    for column, part in enumerate(_columns(classes)):
        x, y = KEY_LEFT + column * (KEY_WIDTH + KEY_GAP), top - KEY_ABOVE
        for number, label in part:
            sheet.text(x + KEY_NUMBER - 1, y, f"{number}", ha="right", va="top", size=typesetting.SMALL)
            sheet.text(x + KEY_NUMBER, y, label, va="top", size=typesetting.SMALL, linespacing=SPACING)
            y -= LINE * (label.count("\n") + 1)


def key_mm(classes: Sequence[style.Class]) -> float:
    """Return how high the key is."""
    return KEY_ABOVE + LINE * max(sum(label.count("\n") + 1 for _, label in c) for c in _columns(classes))


def _columns(classes: Sequence[style.Class]) -> list[list[tuple[int, str]]]:
    width = KEY_WIDTH - KEY_NUMBER
    entries = [(k, typesetting.break_lines(c["label"], width)) for k, c in enumerate(classes, start=1)]
    half = math.ceil(len(entries) / 2)
    return [entries[:half], entries[half:]]
