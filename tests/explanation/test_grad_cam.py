"""Grad-CAM on networks small enough to work it out by hand, and on those that people write."""

from __future__ import annotations

from functools import partial
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers
from scipy.stats import spearmanr

from analysis.explanation import grad_cam
from analysis.explanation.activations import find_activations
from analysis.explanation.layers import find_last_map, list_convolutions
from analysis.models.assignment import residual

IMAGES = np.arange(-8, 8, dtype=np.float32).reshape(1, 4, 4, 1)


def by_hand(weights: list[list[float]], end: str = "softmax") -> keras.Model:
    """Return a network whose two feature maps are the image and its negative, whose means are weighed, (2, units)."""
    inputs = keras.Input((4, 4, 1))
    x = layers.Conv2D(2, 1, use_bias=False)(inputs)
    x = layers.GlobalAveragePooling2D()(x)
    model = keras.Model(inputs, layers.Dense(len(weights[0]), end, use_bias=False)(x))
    model.set_weights([np.array([[[[1.0, -1.0]]]]), np.array(weights)])
    return model


def expected(weight: float) -> Any:
    """Return the map where the image weighs so much in the score: in the sum of the feature maps it weighs as much."""
    found = np.maximum(weight * IMAGES[..., 0], 0)
    return found / found.max()


def test_a_map_is_the_sum_of_feature_maps_weighed_by_the_mean_slope_of_the_score():
    model = by_hand([[3.0, -1.0], [1.0, 4.0]])
    for k, weight in enumerate((3.0 - 1.0, -1.0 - 4.0)):
        maps = grad_cam.explain(model, "softmax", IMAGES, np.array([k]))
        np.testing.assert_allclose(maps, expected(weight), rtol=1e-5)


@pytest.mark.parametrize("times", [1, 1e4])
def test_the_score_is_that_before_the_softmax_so_a_sure_network_has_a_map_too(times):
    model = by_hand([[times, 0.0], [0.0, 0.0]])
    shown = IMAGES + 1
    assert (float(model(shown, training=False)[0, 0]) == 1) == (times > 1)
    maps = grad_cam.explain(model, "softmax", shown, np.array([0]))
    np.testing.assert_allclose(maps, np.maximum(shown[..., 0], 0) / shown.max(), rtol=1e-5)
    assert model.layers[-1].activation is keras.activations.softmax


@pytest.mark.parametrize("end", ["sigmoid", "layer", "function"])
def test_one_sigmoid_has_the_score_of_the_second_class_and_its_negative_is_the_first_s(end):
    model = by_hand([[1e4], [0.0]], "sigmoid" if end == "sigmoid" else "linear")
    if end == "layer":
        model = keras.Sequential([model, layers.Activation("sigmoid")])
    elif end == "function":
        model = keras.Model(model.inputs, keras.ops.sigmoid(model.outputs[0]))
    for k, weight in enumerate((-1, 1)):
        maps = grad_cam.explain(model, "sigmoid", IMAGES, np.array([k]))
        np.testing.assert_allclose(maps, expected(weight), rtol=1e-5)


def test_a_map_in_which_no_place_raises_the_score_is_zero_and_not_nan():
    maps = grad_cam.explain(by_hand([[-1.0, 0.0], [0.0, 0.0]]), "softmax", np.abs(IMAGES), np.array([0]))
    assert (maps == 0).all()
    assert np.isnan(grad_cam.share_inside(maps, np.ones(maps.shape, bool))).all()
    assert np.isnan(grad_cam.rank_correlation(maps, expected(1))).all()


def test_images_of_a_batch_have_the_maps_that_each_has_alone():
    model = residual(size=32, channels=1, classes=3, width=4, stages=2)
    images = np.random.default_rng(0).random((3, 32, 32, 1), np.float32)
    said = np.array([2, 0, 1])
    together = grad_cam.explain(model, "softmax", images, said)
    apart = [grad_cam.explain(model, "softmax", images[i : i + 1], said[i : i + 1]) for i in range(3)]
    np.testing.assert_allclose(together, np.concatenate(apart), atol=1e-5)


def test_predictions_averaged_over_mirror_images_have_the_mean_of_both_maps():
    keras.utils.set_random_seed(1)
    model = residual(size=32, channels=1, classes=3, width=4, stages=2)
    image, said = np.random.default_rng(0).random((1, 32, 32, 1), np.float32), np.array([1])
    maps, of_mirror = (
        grad_cam.explain(model, "softmax", shown, said, ["horizontal_flip"])
        for shown in (image, image[:, :, ::-1])
    )
    assert maps.any()
    np.testing.assert_allclose(maps, of_mirror[:, :, ::-1], atol=1e-5)
    assert not np.allclose(maps, grad_cam.explain(model, "softmax", image, said), atol=1e-3)


def test_a_residual_block_ends_in_the_sum_of_both_ways():
    model = residual(size=32, channels=1, classes=3, width=4, stages=2)
    last = find_last_map(model)
    assert isinstance(last, layers.Activation)
    [node] = last._inbound_nodes
    assert isinstance(node.parent_nodes[0].operation, layers.Add)


def test_a_backbone_is_looked_into_also_where_it_is_frozen():
    base = keras.Sequential(
        [keras.Input((8, 8, 1)), layers.Conv2D(3, 3, activation="relu"), layers.MaxPooling2D(2)]
    )
    base.trainable = False
    inputs = keras.Input((8, 8, 1))
    model = keras.Model(inputs, layers.Dense(2, "softmax")(layers.Flatten()(base(inputs))))
    assert isinstance(find_last_map(model), layers.Conv2D)
    images = np.random.default_rng(0).random((2, 8, 8, 1), np.float32)
    assert grad_cam.explain(model, "softmax", images, np.array([0, 1])).any()


@pytest.mark.parametrize(
    "make", [layers.Flatten, partial(layers.Conv2D, 3, 8)], ids=["no convolution", "one place"]
)
def test_a_network_without_places_has_no_map(make):
    model = keras.Sequential([keras.Input((8, 8, 1)), make(), layers.Flatten(), layers.Dense(2, "softmax")])
    assert find_last_map(model) is None
    assert list_convolutions(model) == []
    with pytest.raises(ValueError, match="has no convolution"):
        grad_cam.explain(model, "softmax", np.zeros((1, 8, 8, 1), np.float32), np.array([0]))


def test_fresh_weights_are_others_and_the_same_for_a_seed():
    model = residual(size=32, channels=1, classes=3, width=4, stages=2)
    first, again, other = (grad_cam.randomise(model, seed).get_weights() for seed in (1, 1, 2))
    assert all(map(np.array_equal, first, again))
    kernels = [i for i, w in enumerate(first) if w.ndim == 4]
    assert not any(
        np.array_equal(first[i], other[i]) or np.array_equal(first[i], model.get_weights()[i])
        for i in kernels
    )


def test_rank_correlation_is_spearman_s_of_each_image():
    a, b = np.random.default_rng(0).integers(0, 9, (2, 5, 6, 6)).astype(np.float32)
    found = grad_cam.rank_correlation(a, b)
    assert found == pytest.approx(
        [spearmanr(x.ravel(), y.ravel()).statistic for x, y in zip(a, b, strict=True)]
    )
    assert grad_cam.rank_correlation(a, a) == pytest.approx(np.ones(5), abs=1e-12)
    assert grad_cam.rank_correlation(a, -a) == pytest.approx(-np.ones(5), abs=1e-12)


def test_the_share_inside_is_of_the_sum_of_the_map():
    maps = np.array([[[3.0, 1.0], [0.0, 0.0]]], np.float32)
    assert grad_cam.share_inside(maps, np.array([[[True, False], [True, False]]])) == pytest.approx([0.75])


def test_feature_maps_are_those_of_the_first_convolutions_from_lowest_to_highest():
    model = by_hand([[1.0, 0.0], [0.0, 1.0]])
    [(name, maps)] = find_activations(model, IMAGES[0]).items()
    assert name == model.layers[1].name
    grey = np.rint((IMAGES[0, ..., 0] + 8) / 15 * 255)
    np.testing.assert_array_equal(maps, [grey, 255 - grey])
    deeper = residual(size=32, channels=1, classes=3, width=4, stages=2)
    assert [*find_activations(deeper, np.zeros((32, 32, 1), np.float32))] == [
        c.name for c in list_convolutions(deeper)[:3]
    ]
