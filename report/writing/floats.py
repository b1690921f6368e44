"""What templates write numbered figures and tables with: tables of markdown, and figures around their captions.

.. code-block:: jinja

    << row("Class", "Images") >>
    << rule("lr") >>
    <% for item in facts.data.counts() %>
    << row(item.label, item.count) >>
    <% endfor %>

    : Number of images of each class. {#tbl-counts}

    <% call figure("counts") %>
    Number of images of each class.
    <% endcall %>
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any

from rich.cells import cell_len

from report.document.markdown import escape_attribute, join_lines
from report.errors import RenderError
from report.writing.values import listed, slug


def row(*cells: str | Iterable[str]) -> str:
    """Return a row of a pipe table; cells, one by one or in lists, are markdown already."""
    return f"| {' | '.join(_flat(cells))} |"


def bold_row(*cells: str | Iterable[str]) -> str:
    """Return a row of a pipe table with all that stands in it in bold type."""
    return row(f"**{cell}**" if cell else "" for cell in _flat(cells))


def _flat(cells: Iterable[str | Iterable[str]]) -> Iterator[str]:
    for cell in cells:
        yield from [cell] if isinstance(cell, str) else cell


def rule(align: str, widths: Sequence[int] = ()) -> str:
    """Return the line below the head of a pipe table.

    Parameters
    ----------
    align : str
        A letter for each column: ``l``, ``c`` or ``r``.
    widths : sequence of int
        Relative widths of columns, for tables whose cells are longer than a line.
    """
    return row(_dashes(a, w) for a, w in zip(align, widths or [0] * len(align), strict=True))


def _dashes(align: str, width: int) -> str:
    left, right = (":" if align in side else "" for side in ("lc", "rc"))
    return f"{left}{'-' * max(3, width)}{right}"


def grid(align: str, heads: int = 1, *, caller: Callable[[], str]) -> str:
    """Return rows, written as those of a pipe table, as a grid table, whose cells may span several columns and rows.

    Parameters
    ----------
    align : str
        A letter for each column: ``l``, ``c`` or ``r``.
    heads : int
        How many of the rows are the head.
    caller
        Writes the rows. A cell ``<`` belongs to the one before it, ``^`` to the one above.
    """
    lines = [line.strip() for line in caller().split("\n") if line.strip()]
    rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    widths = _measure_columns(rows, len(align))
    drawn = [_draw_border(align, widths, [""] * len(align))]
    for index, row in enumerate(rows, 1):
        below = rows[index] if index < len(rows) else [""] * len(align)
        drawn += [_draw_row(row, widths), _draw_border(align, widths, below, is_head=index == heads)]
    return "\n".join(drawn)


def _measure_columns(rows: Sequence[Sequence[str]], columns: int) -> list[int]:
    cells = [(_reach(row, first), first, cell_len(row[first])) for row in rows for first in _firsts(row)]
    widths = [3] * columns
    # A cell over several columns comes behind those of one, and widens its last where it has to.
    for reach, first, letters in sorted(cells):
        last = first + reach - 1
        widths[last] = max(widths[last], letters - _add(widths[first:last]) - (3 if reach > 1 else 0))
    return widths


def _draw_row(row: Sequence[str], widths: Sequence[int]) -> str:
    texts = {first: "" if row[first] == "^" else row[first] for first in _firsts(row)}
    room = {first: _add(widths[first : first + _reach(row, first)]) for first in texts}
    return f"| {' | '.join(text + ' ' * (room[first] - cell_len(text)) for first, text in texts.items())} |"


def _draw_border(align: str, widths: Sequence[int], below: Sequence[str], *, is_head: bool = False) -> str:
    signs = [" " if cell == "^" else "=" if is_head else "-" for cell in below]
    lines = [sign * (width + 2) for sign, width in zip(signs, widths, strict=True)]
    if is_head:
        sides = [(":" if a in "lc" else "=", ":" if a in "rc" else "=") for a in align]
        lines = [left + line[1:-1] + right for line, (left, right) in zip(lines, sides, strict=True)]
    return f"+{'+'.join(lines)}+"


def _firsts(row: Sequence[str]) -> list[int]:
    """Return the columns in which the cells of a row begin."""
    return [column for column, cell in enumerate(row) if cell != "<"]


def _reach(row: Sequence[str], first: int) -> int:
    return 1 + len([*takewhile(lambda cell: cell == "<", row[first + 1 :])])


def _add(widths: Sequence[int]) -> int:
    """Return the width of several columns with what is between them."""
    return sum(widths) + 3 * max(0, len(widths) - 1)


def references(table: str, models: Iterable[str]) -> str:
    """Return references to the tables that are called ``table`` and one of the models."""
    return listed([f"@tbl-{table}-{slug(model)}" for model in models])


def figure_writer(figures: Mapping[str, Mapping[str, Any]]) -> Callable[..., str]:
    """Return what writes one of ``figures``, which have their alternative text, around its caption."""

    def figure(name: str, *, caller: Callable[[], str]) -> str:
        if name not in figures:
            raise RenderError(f"no figure is called {name!r}", hint=f"there are: {', '.join(figures)}")
        alt = escape_attribute(str(figures[name]["alt"]))
        return f'![{join_lines(caller())}](figures/{name}.svg){{#fig-{slug(name)} fig-alt="{alt}"}}\n'

    return figure
