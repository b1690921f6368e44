"""The two networks of the assignment: the baseline it gives and the published improvement."""

from __future__ import annotations

import keras
from keras import layers


def baseline(*, size: int, channels: int, classes: int) -> keras.Model:
    """Return the network that the assignment gives: two blocks of two convolutions, two dense layers.

    Parameters
    ----------
    size : int
        Side of the square images, in pixels.
    channels : int
        Colour channels of an image.
    classes : int
        Outputs, one probability each.

    Returns
    -------
    keras.Model
        1,615,940 parameters for images of 156 x 156 x 3 and four classes.
    """
    inputs = x = keras.Input((size, size, channels), name="picture")
    for _ in range(2):
        x = layers.Conv2D(64, 3, padding="same", activation="relu")(x)
        x = layers.Conv2D(32, 3, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D(2)(x)
    x = layers.Flatten()(x)
    x = layers.Dense(32, activation="relu")(x)
    x = layers.Dense(32, activation="relu")(x)
    outputs = layers.Dense(classes, activation="softmax")(x)
    return keras.Model(inputs, outputs, name="baseline")


def improved(*, size: int, channels: int, classes: int, dropout: float = 0.4) -> keras.Model:
    """Return the published improvement: deeper, from few filters to many, with dropout.

    Parameters
    ----------
    size, channels, classes : int
        As for `baseline`.
    dropout : float
        Share of the activations dropped after each hidden dense layer.

    Returns
    -------
    keras.Model
        780,093 parameters for images of 156 x 156 x 3 and four classes.
    """
    inputs = x = keras.Input((size, size, channels), name="picture")
    for filters, side in ((35, 5), (50, 3), (65, 3), (90, 3), (130, 3)):
        x = layers.Conv2D(filters, side, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D(2)(x)
    x = layers.Flatten()(x)
    for units in (256, 128, 64):
        x = layers.Dense(units, activation="relu")(x)
        x = layers.Dropout(dropout)(x)
    outputs = layers.Dense(classes, activation="softmax")(x)
    return keras.Model(inputs, outputs, name="improved")
