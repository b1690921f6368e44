"""The residual network as a backbone: its layers are those of the network that is pretrained, one for one."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from analysis.models.assignment import residual
from analysis.models.assignment_transfer import network
from analysis.models.pretrained import load_network

SMALL = {"size": 32, "channels": 3, "width": 8, "stages": 2}


def set_anew(model: keras.Model) -> None:
    """Give a network weights that no other begins with, means and variances too."""
    rng = np.random.default_rng(3)
    model.set_weights([rng.uniform(0.1, 0.5, w.shape) for w in model.get_weights()])


def test_it_has_the_parameters_of_the_network_from_scratch():
    whole, head = (network(size=156, channels=3, classes=4, trainable=t) for t in (True, False))
    plain = residual(size=156, channels=3, classes=4)
    assert whole.count_params() == head.count_params() == plain.count_params() == 694_636
    shapes = [[tuple(v.shape) for v in model.trainable_variables] for model in (whole, plain, head)]
    assert shapes[0] == shapes[1]
    assert shapes[2] == [(192, 4), (4,)]


def test_what_was_learnt_on_other_classes_is_taken_over_up_to_the_head(tmp_path: Path):
    learnt, model = residual(classes=3, **SMALL), network(classes=4, **SMALL)
    set_anew(learnt)
    learnt.save(tmp_path / "learnt.keras")
    before = model.layers[-1].get_weights()[0]
    load_network(model, tmp_path / "learnt.keras", tmp_path)
    np.testing.assert_array_equal(model.layers[-1].get_weights()[0], before)
    images = np.random.default_rng(1).random((2, 32, 32, 3)).astype(np.float32)
    pooled = [
        keras.Model(
            m.inputs[0],
            next(x.output for x in m.layers if isinstance(x, keras.layers.GlobalAveragePooling2D)),
        )
        for m in (learnt, model)
    ]
    np.testing.assert_allclose(*(p.predict(images, verbose=0) for p in pooled), rtol=1e-5)


@pytest.mark.parametrize(("batch_norm", "kept"), [("inference", True), ("training", False)])
def test_batch_normalisation_keeps_what_it_has_learnt_unless_it_is_said(batch_norm: str, kept: bool):
    config = network(classes=4, trainable=True, batch_norm=batch_norm, **SMALL).get_config()
    (base,) = [layer for layer in config["layers"] if layer["class_name"] == "Functional"]
    assert (base["inbound_nodes"][0]["kwargs"].get("training") is False) is kept
