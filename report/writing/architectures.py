"""Networks side by side: what each does to an image, block by block, as rows of one table."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

from report.writing.layers import tidy_settings
from report.writing.values import count

Layers = Sequence[Mapping[str, str]]
CONVOLVING = {"Conv2D", "DepthwiseConv2D", "SeparableConv2D", "Functional"}
"""Kinds of layers with which a block begins."""
_TWICE = re.compile(r"^(\d+ x \d+), stride \1$")


@dataclass(frozen=True)
class Layer:
    """A layer: its kind, its size (units, filters, rate), and what else is set in it."""

    kind: str
    size: str
    others: tuple[str, ...] = ()


@dataclass
class Network:
    """A network in parts: what it does to the input, its convolutional blocks, and its layers behind them.

    ``flattens`` is the kind of layer that makes a vector of the last block's output, "" without one, and ``features``
    the size of that vector.
    """

    input: str
    before: list[Layer] = field(default_factory=list)
    blocks: list[list[Layer]] = field(default_factory=list)
    flattens: str = ""
    features: str = ""
    head: list[Layer] = field(default_factory=list)


def read_network(layers: Layers) -> Network:
    """Return the parts of a network."""
    network = Network(next((row["output_shape"] for row in layers if row["type"] == "InputLayer"), ""))
    rest = [row for row in layers if row["type"] != "InputLayer"]
    end = next((i for i, row in enumerate(rest) if _is_flat(row["type"])), len(rest))
    for row in rest[:end]:
        _add_to_trunk(network, row)
    head = rest[end:]
    if head and head[0]["type"] != "Dense":
        network.flattens, network.features = head[0]["type"], _counted(head[0]["output_shape"])
        head = head[1:]
    network.head = [_read(row) for row in head]
    return network


def _counted(shape: str) -> str:
    """Return the length of a vector with its thousands set apart."""
    return count(int(shape)) if shape.isdecimal() else shape


def _is_flat(kind: str) -> bool:
    return kind in ("Flatten", "Dense") or kind.startswith("Global")


def _add_to_trunk(network: Network, row: Mapping[str, str]) -> None:
    layer = _read(row)
    begins = layer.kind in CONVOLVING
    if not network.blocks and not begins:
        network.before.append(layer)
    elif begins and (not network.blocks or any("Pooling" in of.kind for of in network.blocks[-1])):
        network.blocks.append([layer])
    else:
        network.blocks[-1].append(layer)


def _read(row: Mapping[str, str]) -> Layer:
    size, *others = _TWICE.sub(r"\1", tidy_settings(row["settings"]).replace(" × ", " x ")).split(", ")
    return Layer(row["type"], size.replace(" x ", " × "), tuple(o.replace(" x ", " × ") for o in others))


def _hidden(network: Network) -> list[Layer]:
    """Return all layers but the last."""
    return [*(layer for block in network.blocks for layer in block), *network.head[:-1]]


def find_shared(networks: Sequence[Network]) -> dict[str, list[str]]:
    """Return by kind of layer what is set alike in all of them but the last of each network, so that it is said once."""
    alike: dict[str, list[str]] = {}
    hidden = [layer for network in networks for layer in _hidden(network)]
    plain = {layer.kind for layer in hidden if not layer.others}
    for layer in hidden:
        if layer.kind not in plain:
            found = alike.setdefault(layer.kind, [*layer.others])
            alike[layer.kind] = [setting for setting in found if setting in layer.others]
    return {kind: settings for kind, settings in alike.items() if settings}


def tell_apart(network: Network, shared: Mapping[str, Sequence[str]]) -> Network:
    """Return a network without the settings that are ``shared``."""

    def bare(layers: Sequence[Layer], end: int | None = None) -> list[Layer]:
        return [
            Layer(of.kind, of.size, tuple(o for o in of.others if o not in shared.get(of.kind, ())))
            for of in layers[:end]
        ] + list(layers[end:] if end is not None else [])

    return Network(
        network.input,
        network.before,
        [bare(block) for block in network.blocks],
        network.flattens,
        network.features,
        bare(network.head, -1),
    )


def place_side_by_side(networks: Sequence[Network]) -> list[list[Any]]:
    """Return for each block its layers in every network, none where a network has fewer blocks."""
    return [list(blocks) for blocks in zip_longest(*(n.blocks for n in networks), fillvalue=[])]
