"""Networks whose hidden layers compute in bfloat16."""

from __future__ import annotations

import keras


def to_bfloat16(model: keras.Model) -> None:
    """Let all layers compute in bfloat16 but the last ones, from the last that has weights on.

    Weights, output and so the loss stay in float32.

    References
    ----------
    Kalamkar et al. (2019), A study of bfloat16 for deep learning training, arXiv:1905.12322.
    """
    found = model._flatten_layers(include_self=False)
    layers = [layer for layer in found if not isinstance(layer, keras.Model | keras.layers.InputLayer)]
    head = max(i for i, layer in enumerate(layers) if layer.weights)
    for layer in layers[:head]:
        layer.dtype_policy = keras.DTypePolicy("mixed_bfloat16")
