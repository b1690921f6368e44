"""Layers of a trained network while it looks at images: which are convolutions, and what they answer with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras

CONVOLUTIONS = (
    keras.layers.Conv2D,
    keras.layers.Conv2DTranspose,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv2D,
)


def list_convolutions(model: keras.Model) -> list[keras.Layer]:
    """Return the convolutions whose outputs have places (more than one), the first one first."""
    return [layer for layer in _list_layers(model) if isinstance(layer, CONVOLUTIONS) and _find_sides(layer)]


def find_last_map(model: keras.Model) -> keras.Operation | None:
    """Return the layer with the last feature maps before the head; None without a convolution.

    It is the last layer with as many places as the last convolution: that itself, or what normalises, adds and
    activates its outputs, as at the end of a residual block.
    """
    convolutions = list_convolutions(model)
    if not convolutions:
        return None
    sides = _find_sides(convolutions[-1])
    return [layer for layer in _list_layers(model) if _find_sides(layer) == sides][-1]


def find_last(model: keras.Model) -> keras.Operation:
    """Return the layer that the output comes from, of networks inside a network the innermost."""
    layer = model.outputs[0]._keras_history.operation
    return find_last(layer) if isinstance(layer, keras.Model) else layer


def _list_layers(model: keras.Model) -> Iterator[keras.Operation]:
    """Yield the layers and functions of a network as data pass through them, those of networks inside it too."""
    for layer in model.operations if hasattr(model, "operations") else model.layers:
        if isinstance(layer, keras.Model):
            yield from _list_layers(layer)
        else:
            yield layer


def _find_sides(layer: keras.Operation) -> tuple[int, int] | None:
    """Return height and width of a layer's feature maps; None where its output has no places, or one alone."""
    shape = getattr(layer.output, "shape", ()) if layer._inbound_nodes else ()
    sides = tuple(shape[1:3])
    return sides if len(shape) == 4 and sides != (1, 1) else None


@contextmanager
def outputs_seen(layer: keras.Operation, see: Callable[[Any], Any]) -> Iterator[None]:
    """Give the outputs of a layer to ``see`` whenever it is called within the block; what that returns takes their place."""
    call = layer.call

    def seen(*inputs: Any, **named: Any) -> Any:
        return see(call(*inputs, **named))

    with _replaced(layer, "call", seen):
        yield


@contextmanager
def scores_as_outputs(model: keras.Model) -> Iterator[None]:
    """Let a network answer within the block with what its softmax or sigmoid is computed from."""
    last = find_last(model)
    if hasattr(last, "activation"):
        with _replaced(last, "activation", keras.activations.linear):
            yield
    elif type(last).__name__ in {"Softmax", "Sigmoid"}:
        with _replaced(last, "call", lambda inputs, *_, **__: inputs):
            yield
    else:
        yield


@contextmanager
def _replaced(of: Any, name: str, other: Any) -> Iterator[None]:
    is_own, before = name in vars(of), getattr(of, name)
    setattr(of, name, other)
    try:
        yield
    finally:
        if is_own:
            setattr(of, name, before)
        else:
            delattr(of, name)
