"""A backbone of two convolutions in the place of those that Keras brings."""

from __future__ import annotations

import keras
from keras import layers


def build(backbone: str, size: int, channels: int, *, pooling: str | None = None) -> keras.Model:
    """Return it under the name of ``backbone``."""
    inputs = x = keras.Input((size, size, channels))
    x = layers.Conv2D(4, 3, strides=2, name="first")(x)
    x = layers.BatchNormalization()(x)
    x = layers.Dropout(0.5)(x)
    x = layers.Conv2D(6, 3, strides=2, activation="relu", name="second")(x)
    x = layers.BatchNormalization()(x)
    if pooling:
        x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, x, name=backbone)
