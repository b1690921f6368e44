"""What the cells of a row say about the class of an image."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis.errors import DataError

YES = frozenset(("1", "true", "yes", "y", "x", "positive", "pos"))
NO = frozenset(("", "0", "false", "no", "n", "negative", "neg", "nan", "none"))
UNSURE = frozenset(("-1", "u", "uncertain"))
Cells = Mapping[str, str]
"""The cells of a row by the names of their columns: one with labels, or one for each finding."""


def plain(value: str) -> str:
    """Return a value without what makes no difference: case, underscores, spaces, and ``.0`` after a whole number."""
    text = " ".join(unicodedata.normalize("NFC", value).casefold().replace("_", " ").split())
    return re.sub(r"^(-?\d+)\.0+$", r"\1", text)


def parts(cell: str) -> list[str]:
    """Return the labels in a cell: ``A|B``, ``A;B``, or as PadChest has them, ``['A', 'B']``."""
    listed = re.fullmatch(r"\s*\[(.*)\]\s*", cell)
    split = listed[1].split(",") if listed else re.split(r"[|;]", cell)
    return [name for part in split if (name := part.strip(" '\""))]


def class_ids(classes: Sequence[Mapping[str, str]], values: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return class ids by plain value."""
    ids: dict[str, str] = {}
    for c in classes:
        for value in names(c, values):
            if ids.setdefault(plain(value), c["id"]) != c["id"]:
                raise DataError(
                    f"the value {value!r} would be of class {ids[plain(value)]} and of class {c['id']}",
                    hint="give each class values of its own under [dataset.values] in the study file",
                )
    return ids


def names(c: Mapping[str, str], values: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """Return what a class is called in the table."""
    return values.get(c["id"]) or (c["label"], c["id"])


@dataclass(frozen=True)
class Labels:
    """What the study says about labels: class ids by plain value, which of several comes first, and what -1 is."""

    ids: Mapping[str, str]
    several: str | Sequence[str]
    uncertain: str

    def of(self, cells: Cells) -> tuple[list[str], bool]:
        """Return the class ids, one where the study says which comes first, and whether one is left uncertain.

        Raises
        ------
        DataError
            A cell of a finding's own column says neither yes nor no.
        """
        named, unsure = self._several_columns(cells) if len(cells) > 1 else self._one_column(*cells.values())
        found = list(dict.fromkeys(self.ids[name] for name in named if name in self.ids))
        if len(found) > 1 and not isinstance(self.several, str):
            found = next(([id_] for id_ in self.several if id_ in found), found)
        return found, unsure

    def _one_column(self, cell: str) -> tuple[list[str], bool]:
        value = plain(cell)
        if value in UNSURE and value not in self.ids:
            return [{"positive": "1", "negative": "0"}.get(self.uncertain, "")], self.uncertain == "leave-out"
        return ([value] if value in self.ids else [plain(part) for part in parts(cell)]), False

    def _several_columns(self, cells: Cells) -> tuple[list[str], bool]:
        states = {plain(column): _state(column, cell) for column, cell in cells.items()}
        yes = {1, -1} if self.uncertain == "positive" else {1}
        unsure = any(state == -1 for column, state in states.items() if column in self.ids)
        return [c for c, state in states.items() if state in yes], unsure and self.uncertain == "leave-out"


def _state(column: str, cell: str) -> int:
    """Return 1, 0 or -1 for a cell of a finding's own column."""
    value = plain(cell)
    for state, words in ((1, YES), (0, NO), (-1, UNSURE)):
        if value in words:
            return state
    raise DataError(
        f"{cell!r} in the column {column} is none of 1, 0, -1 and nothing",
        hint="name one column of labels, or those that have 1 for a finding: dataset.columns.label",
    )


def list_labels(cells: Cells) -> list[str]:
    """Return the labels of a row as it has them."""
    if len(cells) == 1:
        return [cell for cell in cells.values() if cell]
    return [f"{column} {cell}" for column, cell in cells.items() if plain(cell) not in NO]
