"""The layers of networks kind by kind, and what differs between those of several, as rows of a table."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import groupby

from report.writing.values import listed

Layers = Sequence[Mapping[str, str]]
KINDS = {
    "Conv2D": "Convolutions",
    "MaxPooling2D": "Max-poolings",
    "Dense": "Dense layers",
    "Dropout": "Dropouts",
    "BatchNormalization": "Batch normalisations",
    "GlobalAveragePooling2D": "Mean over places",
    "Rescaling": "Scaling in the network",
    "RandomZoom": "Zoom in the network",
    "RandomRotation": "Rotation in the network",
    "RandomContrast": "Contrast in the network",
    "Functional": "Base network",
}
_PENALTY = re.compile(r", (L[12] [\d.e+-]+)$")
_SHAPES_ONLY = {"InputLayer", "Flatten", "Activation", "ReLU"}
"""Kinds that have nothing to set, or what stands in the order of layers."""


def compare_layers(networks: Sequence[Layers]) -> list[list[str]]:
    """Return a row for each kind of layer, with what is set in those of each network, and one for penalties.

    Where all that is the same and the layers are not, the last row has the order of their kinds.
    """
    types = [row["type"] for layers in networks for row in layers]
    rows = [
        [KINDS.get(kind, kind), *(_of_kind(layers, kind) for layers in networks)]
        for kind in dict.fromkeys([*KINDS, *types])
        if kind in types and kind not in _SHAPES_ONLY
    ]
    rows.append(["Penalties on kernels", *(describe_penalties(layers) for layers in networks)])
    if all(len(set(row[1:])) == 1 for row in rows):
        rows.append(["Order of layers", *(", ".join(row["type"] for row in layers) for layers in networks)])
    return rows


def _of_kind(layers: Layers, kind: str) -> str:
    """Return what is set in the layers of a kind, from the first to the last; ``none`` without any."""
    found = [tidy_settings(_PENALTY.sub("", row["settings"])) for row in layers if row["type"] == kind]
    if not any(found):
        return str(len(found)) if found else "none"
    runs = [(settings, len(list(same))) for settings, same in groupby(found)]
    return "; ".join(f"{settings}{f' ({n} times)' * (n > 1)}" for settings, n in runs)


def describe_penalties(layers: Layers) -> str:
    """Return which penalty lies on the kernels of which layers."""
    on: dict[str, dict[str, list[str]]] = {}
    for kind in dict.fromkeys(row["type"] for row in layers):
        for number, row in enumerate((r for r in layers if r["type"] == kind), 1):
            if found := _PENALTY.search(row["settings"]):
                on.setdefault(found[1], {}).setdefault(KINDS.get(kind, kind), []).append(str(number))
    said = [
        f"{penalty} on {listed([f'{_singular(words, len(n))} {listed(n)}' for words, n in kinds.items()])}"
        for penalty, kinds in on.items()
    ]
    return "; ".join(said) or "none"


def _singular(kinds: str, number: int) -> str:
    return kinds.lower().removesuffix("s" if number == 1 else "")


def tidy_settings(settings: str) -> str:
    """Return a layer's settings with one unit in the singular, and signs for by and times."""
    return re.sub(r"\b1 (unit|filter)s\b", r"1 \1", settings).replace(" x ", " × ")
