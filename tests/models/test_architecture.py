from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import pandas as pd
import pytest

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
