"""The tags of a PDF as PDF/UA-1 asks for them, where WeasyPrint leaves something to add."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Tags = Mapping[bytes, Any]


def finisher(spoken: frozenset[str]) -> Callable[[Any, Any], None]:
    """Return what completes the tags: equations are marked as such, cells of tables know their heads.

    Parameters
    ----------
    spoken : frozenset of str
        The alternative texts of equations.
    """

    def finish(_: Any, pdf: Any) -> None:
        tags: Tags = {o.reference: o for o in pdf.objects if _is_tag(o)}
        for tag in tags.values():
            if tag["S"] == "/Figure" and "Alt" in tag and tag["Alt"].string in spoken:
                tag["S"] = "/Formula"
            elif tag["S"] == "/Table":
                _link_heads(tag, tags)

    return finish


def _link_heads(table: Any, tags: Tags) -> None:
    """Link each cell to the heads of its rows and columns, which WeasyPrint 70 does only where no cell spans several."""
    columns: dict[int, list[Any]] = defaultdict(list)
    rows: list[tuple[Any, int]] = []
    below: dict[int, int] = defaultdict(int)  # how far cells reach down in each column
    for is_head, row in _rows(table, tags):
        column, rows = 0, [(head, more - 1) for head, more in rows if more > 1]
        for cell in (tags[cell] for cell in row["K"]):
            column = _pass(column, below)
            about = cell["A"]
            covered = range(column, column + about.get("ColSpan", 1))
            if cell["S"] == "/TH":
                about["Scope"] = "/Column" if is_head else "/Row"
                for each in covered if is_head else ():
                    columns[each].append(cell["ID"])
                rows += [] if is_head else [(cell["ID"], about.get("RowSpan", 1))]
            else:
                above = {head.string: head for each in covered for head in columns[each]}
                about["Headers"][:] = [*(head for head, _ in rows), *above.values()]
            below |= dict.fromkeys(covered, about.get("RowSpan", 1) - 1)
            column = covered.stop
        _pass(column, below)


def _pass(column: int, below: dict[int, int]) -> int:
    """Return the first column from ``column`` on into which no cell of the rows above reaches."""
    while below[column]:
        below[column] -= 1
        column += 1
    return column


def _rows(table: Any, tags: Tags) -> Iterator[tuple[bool, Any]]:
    """Yield the rows of a table, each with whether it is of the head."""
    for group in (tags[child] for child in table["K"] if child in tags):
        for row in (tags[child] for child in group["K"] if child in tags):
            if row["S"] == "/TR":
                yield group["S"] == "/THead", row


def _is_tag(item: Any) -> bool:
    return isinstance(item, dict) and {"S", "P"} <= item.keys()
