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
from tests.models.small_networks import describe_own


def network(name: str, **params: Any) -> dict[str, Any]:
    return {
        "architecture": f"analysis.models.assignment:{name}",
        "params": params,
        "size": 156,
        "channels": 3,
        "classes": 4,
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
        (layers.Dense(2, kernel_regularizer=keras.regularizers.L2(0.005)), "2 units, L2 0.005"),
        (
            layers.Conv2D(8, 5, kernel_regularizer=keras.regularizers.L1(0.005)),
            "8 filters 5 x 5, valid padding, L1 0.005",
        ),
        (layers.Rescaling(1 / 127.5, offset=-1), "x 0.00784314, -1"),
        (layers.RandomZoom(0.1, fill_mode="reflect"), "-10 to +10 %, edges filled (reflect)"),
        (layers.RandomRotation(0.2), "-72 to +72 degrees, edges filled (reflect)"),
        (layers.RandomContrast((0.2, 0.2)), "times 0.8 to 1.2"),
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


@pytest.fixture
def own_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parent)


of_own = pytest.mark.usefixtures("own_networks")


@of_own
def test_weights_to_begin_with_fit_before_anything_is_trained(tmp_path: Path) -> None:
    describe_own("softmax_layer", tmp_path / "first")
    describe_own("activation_layer", tmp_path / "same", initial=tmp_path / "first")
    with pytest.raises(ArchitectureError, match="weights of another architecture"):
        describe_own("leaky_penalised", tmp_path / "other", initial=tmp_path / "first")
