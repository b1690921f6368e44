"""The assignment's residual network as a backbone: what it has learnt elsewhere, under a head of its own."""

from __future__ import annotations

import keras
from keras import layers

from analysis.models.assignment import residual


def network(
    *,
    size: int,
    channels: int,
    classes: int,
    trainable: bool = False,
    batch_norm: str = "inference",
    width: int = 24,
    stages: int = 4,
    dropout: float = 0.3,
) -> keras.Model:
    """Return the layers of `analysis.models.assignment.residual` up to its head as one, averaged over places, under a softmax.

    Parameters
    ----------
    size, channels, classes, width, stages, dropout
        As for `analysis.models.assignment.residual`, whose parameters it has, one for one.
    trainable : bool
        Whether the layers below the head are trained too; else they are frozen.
    batch_norm : {"inference", "training"}
        Whether the batch normalisation of layers that are trained keeps the means and variances that it has learnt.
    """
    whole = residual(size=size, channels=channels, classes=classes, width=width, stages=stages)
    pooling = next(layer for layer in whole.layers if isinstance(layer, layers.GlobalAveragePooling2D))
    base = keras.Model(whole.inputs[0], pooling.input, name="residual")
    for layer in base.layers:
        layer.trainable = trainable
    inputs = keras.Input((size, size, channels), name="picture")
    x = base(inputs) if batch_norm == "training" else base(inputs, training=False)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(dropout)(x)
    outputs = layers.Dense(classes, activation="softmax")(x)
    return keras.Model(inputs, outputs, name="residual_transfer")
