"""Networks on a backbone: what it sees of an image, which of its layers are trained, and a head."""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers

from analysis.models.backbones import BACKBONES, ONE, ZERO

EFFICIENTNET = {"mean": (0.485, 0.456, 0.406), "variance": (0.229**3, 0.224**3, 0.225**3)}
"""Of the channels from 0 to 1: Keras divides by the deviation and, with ImageNet's weights alone, by its root once more."""


def network(
    *,
    size: int,
    channels: int,
    classes: int,
    backbone: str,
    trainable: int = 0,
    units: Sequence[int] = (),
    dropout: float = 0.0,
    batch_norm: str = "inference",
) -> keras.Model:
    """Return a backbone that sees images as in its own training, averaged over places, under a softmax.

    Parameters
    ----------
    size : int
        Side of the square images, in pixels.
    channels : int
        Colour channels of an image, of grey levels from 0 to 255.
    classes : int
        Outputs, one probability each.
    backbone : str
        A name in `analysis.models.backbones.BACKBONES`.
    trainable : int
        So many of its last layers are trained; the others are frozen.
    units : sequence of int
        Of the hidden dense layers between backbone and output.
    dropout : float
        Share of the activations dropped before each dense layer.
    batch_norm : {"inference", "training"}
        Whether the batch normalisation of layers that are trained keeps the means and variances that it has learnt.
    """
    base = make_base(backbone, size, channels, trainable=trainable)
    inputs = keras.Input((size, size, channels), name="picture")
    x = preprocess(inputs, backbone)
    x = base(x) if batch_norm == "training" else base(x, training=False)
    x = layers.GlobalAveragePooling2D()(x)
    for width in units:
        x = layers.Dense(width, activation="relu")(_drop(x, dropout))
    outputs = layers.Dense(classes, activation="softmax")(_drop(x, dropout))
    return keras.Model(inputs, outputs, name=f"{backbone}_head")


def make_base(
    backbone: str, size: int, channels: int, *, trainable: int = 0, pooling: str | None = None
) -> keras.Model:
    """Return the layers of a backbone up to its head, with random weights, all but the last ``trainable`` frozen.

    Raises
    ------
    ValueError
        There is no such backbone, or it cannot be built for images of this size.
    """
    if backbone not in BACKBONES:
        raise ValueError(f"no backbone is called {backbone!r}; there are {', '.join(BACKBONES)}")
    base = build_whole(backbone, size, channels, pooling=pooling)
    if backbone == "efficientnetb0":
        base = keras.models.clone_model(base, clone_function=_scale_as_learnt)
    for layer in base.layers[: len(base.layers) - trainable]:
        layer.trainable = False
    return base


def build_whole(backbone: str, size: int, channels: int, *, pooling: str | None = None) -> keras.Model:
    """Return a backbone as Keras builds it, and as the files of its weights have its layers."""
    build = getattr(keras.applications, BACKBONES[backbone].builder)
    shape = (size, size, channels)
    return build(include_top=False, weights=None, input_shape=shape, pooling=pooling, name=backbone)


def _scale_as_learnt(layer: keras.Layer) -> keras.Layer:
    """Return a copy of a layer; that which scales the images has its numbers as settings, not as weights to be set."""
    if isinstance(layer, layers.Normalization):
        return layers.Normalization(name=layer.name, **EFFICIENTNET)
    return type(layer).from_config(layer.get_config())


def preprocess(x: keras.KerasTensor, backbone: str, *, highest: float = 255.0) -> keras.KerasTensor:
    """Return images as a backbone saw them in its own training, of grey levels from 0 to ``highest``."""
    known, unit = BACKBONES[backbone], highest / 255
    if (known.mean, known.deviation, unit) == (ZERO, ONE, 1.0):
        return x
    mean, variance = [unit * m for m in known.mean], [(unit * d) ** 2 for d in known.deviation]
    return layers.Normalization(mean=mean, variance=variance)(x)


def _drop(x: keras.KerasTensor, rate: float) -> keras.KerasTensor:
    return layers.Dropout(rate)(x) if rate else x
