"""The three networks on the COVID-19 Radiography Database; each scales its images itself."""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers, regularizers

from analysis.models.transfer import make_base


def simple(*, size: int, channels: int, classes: int) -> keras.Model:
    """Return three blocks of convolution, batch normalisation and pooling, averaged over places.

    Parameters
    ----------
    size : int
        Side of the square images, in pixels.
    channels : int
        Colour channels of an image, of grey levels from 0 to 255.
    classes : int
        Outputs, one probability each.

    Returns
    -------
    keras.Model
        For images of 224 x 224 x 3 and four classes 110,948 parameters, 110,500 of them trainable.
    """
    inputs = keras.Input((size, size, channels), name="picture")
    x = _blocks(inputs, (32, 64, 128))
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dense(128, activation="relu")(x)
    return keras.Model(inputs, layers.Dense(classes, activation="softmax")(x), name="simple")


def deeper(*, size: int, channels: int, classes: int) -> keras.Model:
    """Return four such blocks, flattened, with a wider dense layer.

    13,236,196 parameters for 224 x 224 x 3 and four classes, 13,235,236 of them trainable.
    """
    inputs = keras.Input((size, size, channels), name="picture")
    x = _blocks(inputs, (32, 64, 128, 256))
    x = layers.Flatten()(x)
    x = layers.Dense(256, activation="relu")(x)
    return keras.Model(inputs, layers.Dense(classes, activation="softmax")(x), name="deeper")


def resnet50v2(*, size: int, channels: int, classes: int, backbone: str, trainable: int = 30) -> keras.Model:
    """Return ResNet50V2 with the last ``trainable`` of its 190 layers trained, under one dense layer.

    24,099,332 parameters for four classes. The published summary, before freezing, has 24,049,284 of them trainable.
    As published the batch normalisation of layers that are trained learns new means and variances. Another ``backbone``
    may stand in its place.
    """
    base = make_base(backbone, size, channels, trainable=trainable)
    inputs = x = keras.Input((size, size, channels), name="picture")
    x = layers.Rescaling(1 / 127.5, offset=-1)(x)
    x = layers.GlobalAveragePooling2D()(base(x))
    x = layers.BatchNormalization()(x)
    x = layers.Dropout(0.25)(x)
    x = layers.Dense(256, use_bias=False, kernel_regularizer=regularizers.L2(1e-4))(x)
    x = layers.BatchNormalization()(x)
    x = layers.ReLU()(x)
    x = layers.Dropout(0.4)(x)
    return keras.Model(inputs, layers.Dense(classes, activation="softmax")(x), name=f"{backbone}_head")


def _blocks(inputs: keras.KerasTensor, filters: Sequence[int]) -> keras.KerasTensor:
    x = layers.Rescaling(1 / 255)(inputs)
    for number in filters:
        x = layers.Conv2D(number, 3, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization()(x)
        x = layers.ReLU()(x)
        x = layers.MaxPooling2D(2)(x)
    return x
