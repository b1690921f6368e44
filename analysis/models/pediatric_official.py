"""The three networks on the pediatric set's official test set; each ends in one logit per class."""

from __future__ import annotations

import keras
from keras import layers

from analysis.models.transfer import make_base


def plain(*, size: int, channels: int, classes: int) -> keras.Model:
    """Return CNN I: one convolution and one hidden dense layer.

    Parameters
    ----------
    size : int
        Side of the square images, in pixels.
    channels : int
        Colour channels of an image.
    classes : int
        Outputs, one logit each.

    Returns
    -------
    keras.Model
        8,389,442 parameters for images of 256 x 256 x 3 and two classes.
    """
    inputs = x = keras.Input((size, size, channels), name="picture")
    x = layers.Conv2D(16, 3, strides=2, padding="same", activation="relu")(x)
    x = layers.MaxPooling2D(2, strides=2)(x)
    x = layers.Flatten()(x)
    x = layers.Dense(128, activation="relu")(x)
    return keras.Model(inputs, layers.Dense(classes)(x), name="plain")


def augmented(*, size: int, channels: int, classes: int) -> keras.Model:
    """Return CNN II, which zooms, turns and changes the contrast of its images itself while it is trained.

    1,027,346 parameters for images of 256 x 256 x 3 and two classes.
    """
    inputs = x = keras.Input((size, size, channels), name="picture")
    x = layers.RandomZoom(0.1, fill_mode="reflect")(x)
    x = layers.RandomRotation(0.2)(x)
    x = layers.RandomContrast((0.2, 0.2))(x)  # a single 0.2 once meant 0.8 to 1.2, and means 1 to 1.2 now
    for pool in (2, (3, 2)):
        x = layers.Conv2D(16, 3, strides=2, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D(pool, strides=2)(x)
    x = layers.Flatten()(x)
    for units in (256, 128, 64):
        x = layers.Dense(units, activation="relu")(x)
        x = layers.Dropout(0.5)(x)
    return keras.Model(inputs, layers.Dense(classes)(x), name="augmented")


def resnet50v2(*, size: int, channels: int, classes: int, backbone: str, trainable: int = 0) -> keras.Model:
    """Return ResNet50V2 with its last ``trainable`` layers trained, under three dense layers.

    As it was built: the preprocessing and augmentation that were meant are not in it. Batch normalisation stays as it
    was learnt. 24,683,746 parameters, 1,118,946 of them trainable with the whole base frozen. Another ``backbone`` may
    stand in its place.
    """
    base = make_base(backbone, size, channels, trainable=trainable)
    inputs = keras.Input((size, size, channels), name="picture")
    x = layers.GlobalAveragePooling2D()(base(inputs, training=False))
    for units in (512, 128, 32):
        x = layers.Dense(units, activation="relu")(x)
    return keras.Model(inputs, layers.Dense(classes)(x), name=f"{backbone}_head")
