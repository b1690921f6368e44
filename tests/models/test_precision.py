"""Networks in bfloat16: what computes in it, and what a processor without it gets."""

import json

import keras
import numpy as np
import pytest

from analysis import processor
from analysis.models import architecture
from analysis.models.precision import to_bfloat16

NETWORK = {
    "architecture": "analysis.models.assignment:baseline",
    "params": {},
    "size": 32,
    "channels": 3,
    "classes": 4,
}


def _describe(tmp_path, monkeypatch, has, **more):
    monkeypatch.setattr(architecture, "has_bfloat16", lambda: has)
    out = tmp_path / f"{has}{len(more)}"
    out.mkdir()
    architecture.describe({}, out, scratch=tmp_path, progress=lambda *_: None, **NETWORK, **more)
    return (out / "architecture.json").read_bytes(), json.loads((out / "summary.json").read_text())


def test_without_instructions_the_network_is_that_of_float32_and_says_why(tmp_path, monkeypatch):
    plain, facts = _describe(tmp_path, monkeypatch, False)
    assert "precision" not in facts
    refused, facts = _describe(tmp_path, monkeypatch, False, precision="bfloat16")
    assert refused == plain
    assert facts["precision"] == "unsupported"
    lowered, facts = _describe(tmp_path, monkeypatch, True, precision="bfloat16")
    assert lowered != plain
    assert facts["precision"] == "bfloat16"


def test_hidden_layers_compute_in_bfloat16_weights_and_output_do_not(tmp_path):
    inner = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, activation="relu")])
    x = inputs = keras.Input((8, 8, 3))
    x = keras.layers.GlobalAveragePooling2D()(inner(x))
    logits = keras.layers.Dense(3, name="logits")(x)
    model = keras.Model(inputs, keras.layers.Softmax(name="softmax")(logits))
    to_bfloat16(model)
    saved = tmp_path / "model.keras"
    keras.models.model_from_json(model.to_json()).save(saved)
    read = keras.models.load_model(saved)
    computed = {
        layer.name: layer.compute_dtype
        for layer in read._flatten_layers(include_self=False)
        if not isinstance(layer, keras.Model | keras.layers.InputLayer)
    }
    assert computed.pop("logits") == computed.pop("softmax") == "float32"
    assert set(computed.values()) == {"bfloat16"}
    assert {weight.dtype for weight in read.weights} == {"float32"}
    found = read.predict(np.ones((2, 8, 8, 3), np.float32), verbose=0)
    assert found.dtype == np.float32
    assert found.sum(axis=1) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("fpu avx512f avx512_bf16", True),
        ("fpu amx_bf16", True),
        ("Features : bf16", True),
        ("fpu avx512f", False),
    ],
)
def test_the_processor_says_whether_it_has_bfloat16(tmp_path, flags, expected):
    (tmp_path / "cpuinfo").write_text(f"flags : {flags} sse\n")
    assert processor.has_bfloat16(tmp_path / "cpuinfo") is expected
    assert not processor.has_bfloat16(tmp_path / "none")
