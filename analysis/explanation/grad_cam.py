"""Grad-CAM: from which places of an image a network's score of a class comes, and a check with randomised weights.

Such a map shows where a score comes from, and not why. A method whose maps look alike for a network that has learnt
nothing says nothing of what was learnt; so the maps of the same network with fresh weights stand beside.

References
----------
Selvaraju, Cogswell, Das, Vedantam, Parikh and Batra (2017), Grad-CAM: visual explanations from deep networks via
gradient-based localization, doi:10.1109/ICCV.2017.74. Adebayo, Gilmer, Muelly, Goodfellow, Hardt and Kim (2018), Sanity
checks for saliency maps, Advances in Neural Information Processing Systems 31.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from scipy.stats import rankdata

from analysis.arrays import Floats, Indices, Mask
from analysis.explanation.layers import find_last_map, outputs_seen, scores_as_outputs
from analysis.models.output_head import CHANGES, Head

Maps = npt.NDArray[np.float32]
"""Of shape (n, height, width)."""


def explain(
    model: keras.Model, head: Head, images: Any, y_pred: Indices, averaged_over: Sequence[str] = ()
) -> Maps:
    """Return for each image where the score of a class comes from, (n, height, width), from 0 to 1 at the most.

    A map is a weighted sum of the last feature maps, negative places being 0, interpolated to the size of the image. A
    feature map weighs as much as the score rises with it, averaged over places. The score is that before softmax or
    sigmoid: a probability near 1 hardly rises with anything. Each map is divided by its largest value; one that is 0
    everywhere stays so.

    Parameters
    ----------
    head : {"softmax", "sigmoid", "logits"}
        What the network ends in, as `analysis.models.output_head.find_head` tells it.
    images : tensor of shape (n, height, width, channels)
        As the network sees them.
    y_pred : (n,) array of int
        The class of each image whose score is explained.
    averaged_over : sequence of {"horizontal_flip"}
        As in `analysis.models.output_head.predict`: the maps of changed images, changed back, are averaged with the others.

    Raises
    ------
    ValueError
        The network has no convolution.
    """
    images = tf.convert_to_tensor(images)
    changes = [CHANGES[name] for name in averaged_over]
    views = [_explain(model, head, images, y_pred)]
    views += [change(_explain(model, head, change(images), y_pred)) for change in changes]
    return _normalise(np.mean(views, axis=0, dtype=np.float32))


def _explain(model: keras.Model, head: Head, images: tf.Tensor, y_pred: Indices) -> Maps:
    """Return the maps as they are, not yet normalised."""
    layer = find_last_map(model)
    if layer is None:
        raise ValueError(f"{model.name} has no convolution, so no map")
    seen: list[tf.Tensor] = []
    tape = tf.GradientTape(watch_accessed_variables=False)

    def watch(outputs: tf.Tensor) -> tf.Tensor:
        tape.watch(outputs)
        seen.append(outputs)
        return outputs

    with tape, outputs_seen(layer, watch), scores_as_outputs(model):
        score = _select_scores(head, tf.cast(model(images, training=False), tf.float32), y_pred)
    features, slopes = (tf.cast(t, tf.float32) for t in (seen[-1], tape.gradient(score, seen[-1])))
    weights = tf.reduce_mean(slopes, axis=(1, 2))
    maps = tf.nn.relu(tf.einsum("nhwc,nc->nhw", features, weights))
    resized: Maps = tf.image.resize(maps[..., None], images.shape[1:3])[..., 0].numpy()
    return resized


def _select_scores(head: Head, outputs: tf.Tensor, y_pred: Indices) -> tf.Tensor:
    """Return the score of each image's class, (n,); one sigmoid has that of the second class, and its negative is the first's."""
    if head == "sigmoid":
        return outputs[:, 0] * tf.where(tf.constant(y_pred) == 1, 1.0, -1.0)
    return tf.gather(outputs, tf.constant(y_pred), batch_dims=1)


def _normalise(maps: Maps) -> Maps:
    highest = maps.max(axis=(1, 2), keepdims=True)
    normalised: Maps = np.divide(maps, highest, out=np.zeros_like(maps), where=highest > 0)
    return normalised


def randomise(model: keras.Model, seed: int) -> keras.Model:
    """Return the same network with fresh weights, as it would begin a training with; the same for the same ``seed``."""
    keras.utils.set_random_seed(seed)
    return keras.models.clone_model(model)


def rank_correlation(a: Maps, b: Maps) -> Floats:
    """Return Spearman's rank correlation of two maps of each image, (n,), -1 to 1; NaN where one is the same everywhere."""
    first, second = (_centred_ranks(maps) for maps in (a, b))
    size = np.sqrt((first**2).sum(axis=1) * (second**2).sum(axis=1))
    product = (first * second).sum(axis=1)
    return _divide(product, size)


def _centred_ranks(maps: Maps) -> Floats:
    ranks = rankdata(maps.reshape(len(maps), -1), axis=1)
    return np.asarray(ranks - ranks.mean(axis=1, keepdims=True), dtype=np.float64)


def share_inside(maps: Maps, masks: Mask) -> Floats:
    """Return how much of each map's sum lies where its mask is true, (n,), 0 to 1; NaN of a map that is 0 everywhere.

    Parameters
    ----------
    maps : (n, height, width) array of float
    masks : (n, height, width) array of bool
    """
    whole = maps.sum(axis=(1, 2), dtype=np.float64)
    inside = np.where(masks, maps, 0).sum(axis=(1, 2), dtype=np.float64)
    return _divide(inside, whole)


def _divide(part: Floats, whole: Floats) -> Floats:
    shares: Floats = np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)
    return shares
