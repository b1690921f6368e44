"""How many multiplications a network needs for one image, counted from its layers as Keras wrote them down."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import prod
from typing import Any

Layer = Mapping[str, Any]


def all_layers(model: Layer) -> Iterator[Layer]:
    """Yield the layers of a network, those of networks within it too."""
    for layer in model["config"].get("layers", ()):
        if "layers" in layer.get("config", {}):
            yield from all_layers(layer)
        else:
            yield layer


def input_shape(layer: Layer) -> list[int]:
    """Return the shape of what a layer is given, without the images; nothing where it is not known."""
    shape = (layer.get("build_config") or {}).get("input_shape") or []
    known = shape[1:] if all(isinstance(side, (int, type(None))) for side in shape) else []
    return [] if None in known else list(known)


def multiply_adds(model: Layer) -> int | None:
    """Return the multiplications with an addition of all dense and convolutional layers for one image.

    None where a layer's input is not known.
    """
    counts = [_of_layer(layer) for layer in all_layers(model)]
    return None if not counts or None in counts else sum(n for n in counts if n is not None)


def _of_layer(layer: Layer) -> int | None:
    kind, config, shape = layer.get("class_name"), layer.get("config", {}), input_shape(layer)
    if kind not in {"Dense", "Conv2D", "DepthwiseConv2D", "SeparableConv2D"}:
        return 0
    if not shape:
        return None
    if kind == "Dense":
        return int(prod(shape) * config["units"])
    places = prod(_sides(config, shape[:2]))
    window, channels = prod(config["kernel_size"]), shape[2]
    if kind == "Conv2D":
        return int(places * window * channels // config.get("groups", 1) * config["filters"])
    deep = channels * config.get("depth_multiplier", 1)
    return int(places * (window * deep + (deep * config["filters"] if kind == "SeparableConv2D" else 0)))


def _sides(config: Mapping[str, Any], sides: Iterable[int]) -> Iterator[int]:
    """Yield height and width of what a convolution gives."""
    dilation = config.get("dilation_rate", (1, 1))
    for side, kernel, stride, spread in zip(
        sides, config["kernel_size"], config["strides"], dilation, strict=True
    ):
        window = 1 if config["padding"] == "same" else (kernel - 1) * spread + 1
        yield (side - window) // stride + 1
