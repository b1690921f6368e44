"""What differs between the layers of networks, kind by kind; the templates have the words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import groupby

Layers = Sequence[Mapping[str, str]]
Runs = tuple[tuple[str, int], ...]
Penalties = tuple[tuple[str, tuple[tuple[str, tuple[int, ...]], ...]], ...]
ORDER = (
    *("Conv2D", "MaxPooling2D", "Dense", "Dropout", "BatchNormalization", "GlobalAveragePooling2D"),
    *("Rescaling", "RandomZoom", "RandomRotation", "RandomContrast", "Functional"),
)
"""The kinds of layers in the order of their rows; others follow."""
PENALTIES, SEQUENCE = "penalties", "sequence"
_PENALTY = re.compile(r", (L[12] [\d.e+-]+)$")
_SHAPES_ONLY = {"InputLayer", "Flatten", "Activation", "ReLU"}
"""Kinds that have nothing to set, or what stands in the order of layers."""


def compare_layers(networks: Sequence[Layers]) -> list[tuple[str, list[tuple[object, ...]]]]:
    """Return for each kind of layer its runs in every network, and ``penalties`` on kernels.

    Where all that is the same and the layers are not, the last row, ``sequence``, has the order of their kinds.
    """
    types = [row["type"] for layers in networks for row in layers]
    rows: list[tuple[str, list[tuple[object, ...]]]] = [
        (kind, [_find_runs(layers, kind) for layers in networks])
        for kind in dict.fromkeys([*ORDER, *types])
        if kind in types and kind not in _SHAPES_ONLY
    ]
    rows.append((PENALTIES, [find_penalties(layers) for layers in networks]))
    if all(len(set(found)) == 1 for _, found in rows):
        rows.append((SEQUENCE, [tuple(row["type"] for row in layers) for layers in networks]))
    return rows


def _find_runs(layers: Layers, kind: str) -> Runs:
    """Return what is set in the layers of a kind, from the first to the last, and how often in a row."""
    found = [tidy_settings(_PENALTY.sub("", row["settings"])) for row in layers if row["type"] == kind]
    return tuple((settings, len(list(same))) for settings, same in groupby(found))


def find_penalties(layers: Layers) -> Penalties:
    """Return which penalty lies on the kernels of which layers: of each kind their numbers."""
    on: dict[str, dict[str, list[int]]] = {}
    for kind in dict.fromkeys(row["type"] for row in layers):
        for number, row in enumerate((r for r in layers if r["type"] == kind), 1):
            if found := _PENALTY.search(row["settings"]):
                on.setdefault(found[1], {}).setdefault(kind, []).append(number)
    return tuple((penalty, tuple((k, tuple(n)) for k, n in kinds.items())) for penalty, kinds in on.items())


def tidy_settings(settings: str) -> str:
    """Return a layer's settings with one unit in the singular, and signs for by and times."""
    return re.sub(r"\b1 (unit|filter)s\b", r"1 \1", settings).replace(" x ", " × ")
