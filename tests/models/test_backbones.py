"""The table of backbones, held against Keras."""

from __future__ import annotations

import inspect

import keras
import numpy as np
import pytest
from keras.src import applications

from analysis.models import transfer
from analysis.models.backbones import BACKBONES

MODULES = {"resnet50v2": "resnet_v2", "mobilenetv2": "mobilenet_v2", "efficientnetb0": "efficientnet"}
MODULES |= {"densenet121": "densenet"}


def module_of(name: str) -> str:
    return MODULES.get(name, name)


@pytest.mark.parametrize("name", BACKBONES)
def test_what_a_backbone_sees_is_what_keras_makes_of_a_grey_image(name: str) -> None:
    levels = np.arange(0, 256, 5, dtype=np.float32).reshape(1, 4, 13, 1).repeat(3, axis=-1)
    expected = getattr(keras.applications, module_of(name)).preprocess_input(levels.copy())
    for highest in (255.0, 1.0):
        inputs = keras.Input(levels.shape[1:])
        model = keras.Model(inputs, transfer.preprocess(inputs, name, highest=highest))
        np.testing.assert_allclose(model(levels * highest / 255), expected, atol=2e-4)


@pytest.mark.parametrize("name", BACKBONES)
def test_files_and_digests_are_those_of_keras(name: str) -> None:
    known = BACKBONES[name]
    module = getattr(applications, module_of(name))
    source = inspect.getsource(module) + inspect.getsource(applications.resnet) * (name == "resnet50v2")
    assert callable(getattr(keras.applications, known.builder))
    assert known.md5 in source
    assert bool(known.md5) == (name != "mobilenetv2")  # of which Keras tells none
    assert known.url.rsplit("/", 2)[0].removesuffix("/keras-applications") in source
    parts = {"resnet50v2": "_weights_tf_dim_ordering_tf_kernels_notop.h5", "efficientnetb0": "_notop.h5"}
    parts |= {"mobilenetv2": "_no_top.h5"}
    ending = parts.get(name, known.file)
    assert known.file.endswith(ending)
    assert ending in source


def test_a_backbone_that_is_none() -> None:
    with pytest.raises(ValueError, match="no backbone is called 'vgg'; there are vgg16"):
        transfer.make_base("vgg", 32, 3)


@pytest.mark.parametrize("batch_norm", ["inference", "training"])
def test_a_network_on_a_backbone(batch_norm: str, small_backbone: None) -> None:
    model = transfer.network(
        size=16, channels=3, classes=3, backbone="vgg16", trainable=2, units=[5], dropout=0.5, batch_norm=batch_norm
    )  # fmt: skip
    names = [type(layer).__name__ for layer in model.layers]
    assert names == ["InputLayer", "Normalization", "Functional", "GlobalAveragePooling2D", "Dropout", "Dense", "Dropout", "Dense"]  # fmt: skip
    base = model.get_layer("vgg16")
    assert [layer.trainable for layer in base.layers] == [False] * 4 + [True] * 2
    called = next(la for la in model.get_config()["layers"] if la["config"]["name"] == "vgg16")[
        "inbound_nodes"
    ]
    assert [node["kwargs"].get("training") for node in called] == [
        None if batch_norm == "training" else False
    ]
