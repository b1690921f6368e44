"""The twelve networks on the pooled and newly split pediatric set: from one dense layer to frozen backbones."""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers, regularizers

from analysis.models.pediatric_layers import dense_network, drop, one_sigmoid
from analysis.models.transfer import make_base, preprocess


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
        For images of 128 x 128 x 3, 393,233 parameters with 8 units and 6,302,261 with 128, 64, 32 and 10.
    """
    return dense_network(size, channels, classes, units)


def small(*, size: int, channels: int, classes: int) -> keras.Model:
    """Return the baseline CNN: one convolution of 8 filters; 254,257 parameters for 128 x 128 x 3."""
    inputs = x = keras.Input((size, size, channels), name="picture")
    x = layers.Conv2D(8, 3, activation="relu")(x)
    x = layers.MaxPooling2D(2)(x)
    x = layers.Flatten()(x)
    x = layers.Dense(8, activation="relu")(x)
    return keras.Model(inputs, one_sigmoid(x, classes), name="small")


def deep(
    *,
    size: int,
    channels: int,
    classes: int,
    dropout: Sequence[float] = (0.0, 0.0),
    l2: Sequence[float] = (0.0, 0.0, 0.0, 0.0, 0.0),
) -> keras.Model:
    """Return the deeper CNN: 32, 64 and 128 filters, two dense layers.

    Parameters
    ----------
    size, channels, classes : int
        As for `dense`.
    dropout : sequence of two floats
        Share of the activations dropped after each pooling, and after each hidden dense layer.
    l2 : sequence of five floats
        L2 penalty on the kernels of the three convolutions and the two hidden dense layers.

    Returns
    -------
    keras.Model
        3,312,961 parameters for images of 128 x 128 x 3.
    """
    penalties = iter(l2)
    inputs = x = keras.Input((size, size, channels), name="picture")
    for filters in (32, 64, 128):
        x = layers.Conv2D(filters, 3, activation="relu", kernel_regularizer=_l2(next(penalties)))(x)
        x = layers.MaxPooling2D(2)(x)
        x = drop(x, dropout[0])
    x = layers.Flatten()(x)
    for units in (128, 64):
        x = layers.Dense(units, activation="relu", kernel_regularizer=_l2(next(penalties)))(x)
        x = drop(x, dropout[1])
    return keras.Model(inputs, one_sigmoid(x, classes), name="deep")


def vgg19(
    *, size: int, channels: int, classes: int, backbone: str, preprocessed: bool = False
) -> keras.Model:
    """Return VGG19, frozen, under two dense layers with dropout.

    21,081,409 parameters for 128 x 128 x 3, 1,057,025 of them trainable. Of images from 0 to 1: as published it sees
    them so, ``preprocessed`` as in its own training. Another ``backbone`` may stand in its place.
    """
    inputs = keras.Input((size, size, channels), name="picture")
    seen = preprocess(inputs, backbone, highest=1.0) if preprocessed else inputs
    x = layers.Flatten()(make_base(backbone, size, channels)(seen, training=False))
    for units in (128, 64):
        x = layers.Dense(units, activation="relu")(x)
        x = layers.Dropout(0.4)(x)
    return keras.Model(inputs, one_sigmoid(x, classes), name=f"{backbone}_head")


def resnet50v2(
    *, size: int, channels: int, classes: int, backbone: str, preprocessed: bool = False
) -> keras.Model:
    """Return ResNet50V2, frozen and averaged over places, under one sigmoid; see `vgg19`.

    23,566,849 parameters, 2,049 of them trainable.
    """
    inputs = keras.Input((size, size, channels), name="picture")
    seen = preprocess(inputs, backbone, highest=1.0) if preprocessed else inputs
    base = make_base(backbone, size, channels, pooling="avg")
    return keras.Model(inputs, one_sigmoid(base(seen, training=False), classes), name=f"{backbone}_head")


def _l2(penalty: float) -> keras.Regularizer | None:
    return regularizers.L2(penalty) if penalty else None
