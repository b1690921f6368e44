"""The seven small networks on 84 normal and 1,134 pneumonia images: two of dense layers, five convolutional."""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers, regularizers

from analysis.models.pediatric_layers import dense_network, drop, one_sigmoid

PENALTIES = {"l1": regularizers.L1, "l2": regularizers.L2}


def dense(*, size: int, channels: int, classes: int, units: Sequence[int]) -> keras.Model:
    """Return a network of dense layers of ``units`` on all pixels, ending in one sigmoid.

    Parameters
    ----------
    size : int
        Side of the square images, in pixels.
    channels : int
        Colour channels of an image.
    classes : int
        Two: the output is the probability of the second.
    units : sequence of int
        Of the hidden layers.

    Returns
    -------
    keras.Model
        For images of 64 x 64 x 3, 196,821 parameters with 16, 8 and 6 units, 789,249 with 64, 32, 16 and 8.
    """
    return dense_network(size, channels, classes, units)


def convolutional(
    *,
    size: int,
    channels: int,
    classes: int,
    kernel: int,
    dropout: float = 0.0,
    penalty: str | None = None,
    strength: float = 0.0,
) -> keras.Model:
    """Return the CNN of 8 and 4 filters.

    Parameters
    ----------
    size, channels, classes : int
        As for `dense`.
    kernel : int
        Side of the first convolution's kernels.
    dropout : float
        Share of the activations dropped after the second pooling and after the first dense layer.
    penalty : {"l1", "l2"} or None
        On the kernels of both convolutions and the first dense layer, of this ``strength``.

    Returns
    -------
    keras.Model
        For images of 64 x 64 x 3, 14,117 parameters with kernels of 5 x 5 and 13,901 with 4 x 4.
    """
    penalised = {"kernel_regularizer": PENALTIES[penalty](strength)} if penalty else {}
    inputs = x = keras.Input((size, size, channels), name="picture")
    x = layers.Conv2D(8, kernel, padding="same", activation="relu", **penalised)(x)
    x = layers.MaxPooling2D(2)(x)
    x = layers.Conv2D(4, 5, activation="relu", **penalised)(x)
    x = layers.MaxPooling2D(2)(x)
    x = drop(x, dropout)
    x = layers.Flatten()(x)
    x = layers.Dense(16, activation="relu", **penalised)(x)
    x = drop(x, dropout)
    x = layers.Dense(8, activation="relu")(x)
    return keras.Model(inputs, one_sigmoid(x, classes), name="convolutional")
