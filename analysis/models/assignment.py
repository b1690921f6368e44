"""The networks of the assignment: the baseline it gives, the published improvement, and one of this project."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import keras
from keras import layers


def baseline(*, size: int, channels: int, classes: int, pooled: bool = False) -> keras.Model:
    """Return the network that the assignment gives: two blocks of two convolutions, two dense layers.

    Parameters
    ----------
    size : int
        Side of the square images, in pixels.
    channels : int
        Colour channels of an image.
    classes : int
        Outputs, one probability each.
    pooled : bool
        Whether each feature map is averaged before the dense layers, and not flattened: not as the assignment has it.

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
    x = layers.GlobalAveragePooling2D()(x) if pooled else layers.Flatten()(x)
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


def residual(
    *,
    size: int,
    channels: int,
    classes: int,
    width: int = 24,
    stages: int = 4,
    dropout: float = 0.3,
    normalised: bool = True,
    pooled: bool = True,
) -> keras.Model:
    """Return a small residual network (He et al. 2016) with batch normalisation and global average pooling.

    Parameters
    ----------
    size, channels, classes : int
        As for `baseline`.
    width : int
        Filters of the first stage; each further one has twice as many on half the side.
    stages : int
        Residual blocks, one a stage.
    dropout : float
        Share of the pooled activations dropped before the last layer.
    normalised : bool
        Whether each convolution is normalised over the batch; else it has a bias.
    pooled : bool
        Whether each feature map is averaged before the last layer; else they are flattened.

    Returns
    -------
    keras.Model
        694,636 parameters for images of 156 x 156 x 3 and four classes.
    """
    convolve = partial(_convolve, normalised=normalised)
    inputs = x = keras.Input((size, size, channels), name="picture")
    x = convolve(x, width, 5, strides=2)
    x = layers.MaxPooling2D(3, 2, padding="same")(x)
    for stage in range(stages):
        x = _residual_block(x, width * 2**stage, strides=2 if stage else 1, convolve=convolve)
    x = layers.GlobalAveragePooling2D()(x) if pooled else layers.Flatten()(x)
    x = layers.Dropout(dropout)(x)
    outputs = layers.Dense(classes, activation="softmax")(x)
    return keras.Model(inputs, outputs, name="residual")


def _residual_block(
    x: keras.KerasTensor, filters: int, strides: int, convolve: Callable[..., keras.KerasTensor]
) -> keras.KerasTensor:
    """Return two convolutions of ``x`` with what they change of it added; its sides become shorter by the strides."""
    y = convolve(x, filters, 3, strides)
    y = convolve(y, filters, 3, activation=None)
    if strides > 1:
        x = layers.AveragePooling2D(strides, padding="same")(x)
    if x.shape[-1] != filters:
        x = convolve(x, filters, 1, activation=None)
    return layers.Activation("relu")(layers.Add()([x, y]))


def _convolve(
    x: keras.KerasTensor,
    filters: int,
    side: int,
    strides: int = 1,
    activation: str | None = "relu",
    *,
    normalised: bool,
) -> keras.KerasTensor:
    """Return a convolution of ``x``, normalised over the batch or not, then the activation."""
    x = layers.Conv2D(
        filters, side, strides, padding="same", use_bias=not normalised, kernel_initializer="he_normal"
    )(x)
    if normalised:
        x = layers.BatchNormalization(momentum=0.9)(x)
    return layers.Activation(activation)(x) if activation else x
