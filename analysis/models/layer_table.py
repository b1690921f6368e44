"""The layers of a network as a table: what each is, what is set in it, what it gives, how many parameters it has."""

from __future__ import annotations

from typing import Any

import keras
import pandas as pd

ACTIVATIONS = {"relu": "ReLU", "softmax": "softmax", "sigmoid": "sigmoid", "tanh": "tanh"}


def layer_table(model: keras.Model) -> pd.DataFrame:
    """Return a row for each layer: name, type, settings (in words), output_shape, parameters and inputs.

    ``inputs`` are the names of the layers whose output a layer gets, with spaces between.
    """
    told = {each["config"]["name"]: each.get("inbound_nodes") for each in model.get_config()["layers"]}
    before = [[], *([layer.name] for layer in model.layers)]  # of a Sequential, which tells no inputs
    return pd.DataFrame(
        [
            {
                **_row(layer),
                "inputs": " ".join(last if told[layer.name] is None else _names(told[layer.name])),
            }
            for layer, last in zip(model.layers, before, strict=False)
        ]
    )


def _names(node: Any) -> list[str]:
    """Return the layers that an ``inbound_nodes`` of Keras names, in order."""
    if isinstance(node, dict):
        history = node.get("config", {}).get("keras_history")
        return [history[0]] if history else _names([*node.values()])
    if isinstance(node, list | tuple):
        return [name for each in node for name in _names(each)]
    return []


def _row(layer: keras.Layer) -> dict[str, Any]:
    shape = layer.batch_shape if isinstance(layer, keras.layers.InputLayer) else layer.output.shape
    return {
        "name": layer.name,
        "type": type(layer).__name__,
        "settings": describe_settings(layer),
        "output_shape": " x ".join(map(str, shape[1:])),
        "parameters": layer.count_params(),
    }


def describe_settings(layer: keras.Layer) -> str:
    """Return what is set in a layer in words, such as ``64 filters 3 x 3, same padding, ReLU``."""
    config = layer.get_config()
    words = []
    match layer:
        case keras.Model():
            frozen = sum(not inner.trainable for inner in layer.layers)
            words.append(f"{layer.name}: {len(layer.layers)} layers, {frozen} of them frozen")
        case keras.layers.Rescaling():
            words.append(f"x {config['scale']:.6g}, {config['offset']:+g}")
        case keras.layers.RandomZoom() | keras.layers.RandomRotation() | keras.layers.RandomContrast():
            words.append(_random(layer))
        case keras.layers.Conv2D():
            words.append(f"{config['filters']} filters {_by(config['kernel_size'])}")
            if set(config["strides"]) != {1}:
                words.append(f"stride {_by(config['strides'])}")
            words.append(f"{config['padding']} padding")
        case keras.layers.MaxPooling2D():
            words.append(f"{_by(config['pool_size'])}, stride {_by(config['strides'])}")
        case keras.layers.Dense():
            words.append(f"{config['units']} units")
        case keras.layers.Dropout():
            words.append(f"rate {config['rate']:g}")
    if config.get("use_bias") is False:
        words.append("no bias")
    activation = config.get("activation", "linear")
    if activation != "linear":
        name = activation["class_name"] if isinstance(activation, dict) else str(activation)
        words.append(ACTIVATIONS.get(name, name))
    penalty = getattr(layer, "kernel_regularizer", None)
    if penalty is not None:
        words += [f"{kind.upper()} {_strength(value)}" for kind, value in penalty.get_config().items()]
    return ", ".join(words)


def _strength(value: Any) -> str:
    return f"{value:g}" if isinstance(value, (int, float)) else str(value)


def _random(layer: keras.Layer) -> str:
    """Return what a layer that changes its images at random does."""
    if isinstance(layer, keras.layers.RandomContrast):
        return f"times {1 - layer.factor[0]:g} to {1 + layer.factor[1]:g}"
    if isinstance(layer, keras.layers.RandomZoom):
        ends, unit = (100 * layer.height_lower, 100 * layer.height_upper), "%"
    else:
        ends, unit = (360 * layer.factor[0], 360 * layer.factor[1]), "degrees"
    return f"{ends[0]:+g} to {ends[1]:+g} {unit}, edges filled ({layer.fill_mode})"


def _by(sides: tuple[int, int]) -> str:
    return f"{sides[0]} x {sides[1]}"
