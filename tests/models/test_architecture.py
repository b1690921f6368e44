from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import pandas as pd
import pytest
from keras import layers

from analysis.errors import ArchitectureError
from analysis.models import architecture
from analysis.progress import silent


def network(name: str, **params: Any) -> dict[str, Any]:
    return {
        "architecture": f"analysis.models.assignment:{name}",
        "params": params,
        "size": 156,
        "channels": 3,
        "classes": 4,
    }


@pytest.mark.parametrize(("name", "parameters"), [("baseline", 1_615_940), ("improved", 780_093)])
def test_published_parameter_counts(name: str, parameters: int) -> None:
    assert architecture.count(**network(name)) == {
        "parameters": parameters,
        "trainable_parameters": parameters,
        "input_shape": [156, 156, 3],
    }


def test_described_the_same_every_time(tmp_path: Path) -> None:
    written = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        architecture.describe({}, folder, scratch=tmp_path, progress=silent, **network("baseline"))
        written.append({p.name: p.read_text() for p in folder.iterdir()})
    assert written[0] == written[1]
    assert set(written[0]) == {"architecture.json", "layers.csv", "summary.json"}
    table = pd.read_csv(tmp_path / "a/layers.csv", keep_default_na=False)
    convolution, pooling, dense, output = (table.iloc[i] for i in (1, 3, -2, -1))
    assert (convolution["settings"], convolution["output_shape"]) == (
        "64 filters 3 x 3, same padding, ReLU",
        "156 x 156 x 64",
    )
    assert pooling["settings"] == "2 x 2, stride 2 x 2"
    assert (dense["settings"], output["settings"]) == ("32 units, ReLU", "4 units, softmax")
    counts = [1792, 18464, 18496, 18464, 1_557_536, 1056, 132]
    assert [n for n in table["parameters"] if n] == counts
    model = keras.models.model_from_json(written[0]["architecture.json"])
    assert [layer.name for layer in model.layers] == list(table["name"])
    assert json.loads(written[0]["summary.json"])["parameters"] == sum(counts)


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (
            layers.Conv2D(8, (3, 5), strides=2, use_bias=False),
            "8 filters 3 x 5, stride 2 x 2, valid padding, no bias",
        ),
        (layers.MaxPooling2D((3, 2), strides=2), "3 x 2, stride 2 x 2"),
        (layers.Dense(2), "2 units"),
        (layers.Dropout(0.25), "rate 0.25"),
        (layers.Flatten(), ""),
    ],
)
def test_settings_in_words(layer: keras.Layer, words: str) -> None:
    assert architecture.settings(layer) == words


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"architecture": "analysis.models.assignment:missing"}, "missing"),
        ({"architecture": "analysis.models.nowhere:baseline"}, "nowhere"),
        ({"params": {"depth": 3}}, "depth"),
        ({"architecture": "builtins:dict"}, "dict"),
    ],
)
def test_wrong_architecture_is_explained(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ArchitectureError, match=complaint):
        architecture.count(**{**network("baseline"), **change})
