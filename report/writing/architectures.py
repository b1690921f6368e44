"""Networks side by side: what each does to an image, block by block, as rows of one table."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Any

from report.writing.layers import tidy_settings
from report.writing.values import count

Layers = Sequence[Mapping[str, str]]
INSIDE = "Functional"
"""The kind of a network inside another."""
CONVOLVING = {"Conv2D", "DepthwiseConv2D", "SeparableConv2D", INSIDE}
"""Kinds of layers with which a block begins, beside those that join branches."""
JOINING, NORMALISING, ACTIVATING = "Add", "BatchNormalization", ("Activation", "ReLU")
_TWICE = re.compile(r"^(\d+ x \d+), stride \1$")


@dataclass(frozen=True)
class Layer:
    """A layer: its kind, its size (units, filters, rate), and what else is set in it.

    What adds branches up has their layers in ``branches``, that of most convolutions first; one without layers passes what it
    gets.
    """

    kind: str
    size: str
    others: tuple[str, ...] = ()
    branches: tuple[tuple[Layer, ...], ...] = ()


@dataclass(frozen=True)
class Node:
    """A layer among others: its name, and the names of those whose output it gets."""

    name: str
    layer: Layer
    inputs: tuple[str, ...]


@dataclass
class Network:
    """A network in parts: what it does to the input, its convolutional blocks, and its layers behind them.

    ``flattens`` is the kind of layer that makes a vector of the last block's output, "" without one, and ``features``
    the size of that vector. Where every convolution is ``normalised`` over the batch it is not said of each.
    """

    input: str
    normalised: bool = False
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
    head = rest[end:]
    nodes = [Node(row["name"], _read(row), tuple(row["inputs"].split())) for row in rest[:end]]
    nodes, network.normalised = _fold_normalisation(nodes)
    for node in _join_branches(_fold_activations(nodes)):
        _add_to_trunk(network, node.layer)
    if head and head[0]["type"] != "Dense":
        network.flattens, network.features = head[0]["type"], _counted(head[0]["output_shape"])
        head = head[1:]
    network.head = [_read(row) for row in head]
    return network


def _fold_normalisation(nodes: list[Node]) -> tuple[list[Node], bool]:
    """Return the layers without those that normalise, if there is one behind each convolution, and whether that is so."""
    normalised = {node.inputs for node in nodes if node.layer.kind == NORMALISING}
    convolutions = {(node.name,) for node in nodes if node.layer.kind in CONVOLVING}
    if not convolutions or normalised != convolutions:
        return nodes, False
    for name in [node.name for node in nodes if node.layer.kind == NORMALISING]:
        nodes = _fold(nodes, name, lambda before, _: tuple(o for o in before.others if o != "no bias"))
    return nodes, True


def _fold_activations(nodes: list[Node]) -> list[Node]:
    """Return the layers with each activation told of the layer that it follows."""
    for name in [node.name for node in nodes if node.layer.kind in ACTIVATING]:
        nodes = _fold(nodes, name, lambda before, gone: (*before.others, gone.size or gone.kind))
    return nodes


def _fold(nodes: list[Node], name: str, change: Callable[[Layer, Layer], tuple[str, ...]]) -> list[Node]:
    """Return the layers without one, told of in the settings of that before it; all if others get its input too."""
    gone = next(node for node in nodes if node.name == name)
    before = next((node for node in nodes if (node.name,) == gone.inputs), None)
    if before is None or sum(before.name in node.inputs for node in nodes) > 1:
        return nodes
    told = replace(before, layer=replace(before.layer, others=change(before.layer, gone.layer)))
    return [
        replace(
            told if node is before else node,
            inputs=tuple(before.name if n == name else n for n in node.inputs),
        )
        for node in nodes
        if node is not gone
    ]


def _join_branches(nodes: list[Node]) -> list[Node]:
    """Return the layers one behind the other, with branches in the layer that adds them up."""
    for join in [node for node in nodes if node.layer.kind == JOINING]:
        behind = [_find_ancestors(nodes, name) for name in join.inputs]
        common = set.intersection(*behind)
        branches = [[node for node in nodes if node.name in names - common] for names in behind]
        told = sorted(
            (tuple(node.layer for node in branch) for branch in branches),
            key=_count_convolutions,
            reverse=True,
        )
        inside = {node.name for branch in branches for node in branch}
        nodes = [
            replace(node, layer=replace(node.layer, branches=tuple(told)), inputs=())
            if node.name == join.name
            else node
            for node in nodes
            if node.name not in inside
        ]
    return nodes


def _count_convolutions(branch: Sequence[Layer]) -> int:
    return sum(layer.kind in CONVOLVING for layer in branch)


def _find_ancestors(nodes: list[Node], name: str) -> set[str]:
    """Return a layer and all whose output reaches it, by name."""
    inputs = {node.name: node.inputs for node in nodes}
    found: set[str] = set()
    open_ = [name]
    while open_:
        last = open_.pop()
        found.add(last)
        open_ += inputs.get(last, ())
    return found


def _counted(shape: str) -> str:
    """Return the length of a vector with its thousands set apart."""
    return count(int(shape)) if shape.isdecimal() else shape


def _is_flat(kind: str) -> bool:
    return kind in ("Flatten", "Dense") or kind.startswith("Global")


def _add_to_trunk(network: Network, layer: Layer) -> None:
    begins = layer.kind in CONVOLVING or layer.kind == JOINING
    if not network.blocks and not begins:
        network.before.append(layer)
    elif begins and (not network.blocks or any(_ends_block(of) for of in network.blocks[-1])):
        network.blocks.append([layer])
    else:
        network.blocks[-1].append(layer)


def _ends_block(layer: Layer) -> bool:
    return "Pooling" in layer.kind or layer.kind == JOINING


def _read(row: Mapping[str, str]) -> Layer:
    size, *others = _TWICE.sub(r"\1", tidy_settings(row["settings"]).replace(" × ", " x ")).split(", ")
    return Layer(row["type"], size.replace(" x ", " × "), tuple(o.replace(" x ", " × ") for o in others))


def _hidden(network: Network) -> list[Layer]:
    """Return all layers but the last, those of branches too."""
    trunk = [layer for block in network.blocks for layer in block]
    inside = [layer for joined in trunk for branch in joined.branches for layer in branch]
    return [*trunk, *inside, *network.head[:-1]]


def find_shared(networks: Sequence[Network]) -> dict[str, list[str]]:
    """Return by kind of layer what is set alike in all of them but the last of each network, so that it is said once."""
    alike: dict[str, list[str]] = {}
    hidden = [layer for network in networks for layer in _hidden(network)]
    plain = {INSIDE, *(layer.kind for layer in hidden if not layer.others)}
    for layer in hidden:
        if layer.kind not in plain:
            found = alike.setdefault(layer.kind, [*layer.others])
            alike[layer.kind] = [setting for setting in found if setting in layer.others]
    return {kind: settings for kind, settings in alike.items() if settings}


def tell_apart(network: Network, shared: Mapping[str, Sequence[str]]) -> Network:
    """Return a network without the settings that are ``shared``."""

    def bare(layers: Sequence[Layer]) -> list[Layer]:
        return [
            replace(
                of,
                others=tuple(o for o in of.others if o not in shared.get(of.kind, ())),
                branches=tuple(tuple(bare(branch)) for branch in of.branches),
            )
            for of in layers
        ]

    blocks = [bare(block) for block in network.blocks]
    return replace(network, blocks=blocks, head=[*bare(network.head[:-1]), *network.head[-1:]])


def place_side_by_side(networks: Sequence[Network]) -> list[list[Any]]:
    """Return for each block its layers in every network, none where a network has fewer blocks."""
    return [list(blocks) for blocks in zip_longest(*(n.blocks for n in networks), fillvalue=[])]
