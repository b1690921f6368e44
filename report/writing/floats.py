"""What templates write numbered figures and tables with: pipe tables of markdown, and figures around their captions.

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

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

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
