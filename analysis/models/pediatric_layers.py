"""What the networks of both studies of the pediatric set have in common."""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers


def dense_network(size: int, channels: int, classes: int, units: Sequence[int]) -> keras.Model:
    """Return a network of hidden dense layers of ``units`` on all pixels, ending in one sigmoid.

    Parameters
    ----------
    size, channels : int
        Side of the square images in pixels, and their colour channels.
    classes : int
        Two: the output is the probability of the second.
    units : sequence of int
        Of the hidden layers.
    """
    inputs = x = keras.Input((size, size, channels), name="picture")
    x = layers.Flatten()(x)
    for width in units:
        x = layers.Dense(width, activation="relu")(x)
    return keras.Model(inputs, one_sigmoid(x, classes), name="dense")


def one_sigmoid(x: keras.KerasTensor, classes: int) -> keras.KerasTensor:
    """Return the probability of the second of two classes.

    Raises
    ------
    ValueError
        There are not two classes.
    """
    if classes != 2:
        raise ValueError(f"one sigmoid tells two classes apart, not {classes}")
    return layers.Dense(1, activation="sigmoid")(x)


def drop(x: keras.KerasTensor, rate: float) -> keras.KerasTensor:
    """Return the activations with this share of them dropped; without a rate there is no layer."""
    return layers.Dropout(rate)(x) if rate else x
