"""Small networks for two classes with each kind of head, and networks as people write them, described."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras

from analysis.models import architecture
from analysis.progress import silent

ENDS = {"softmax": (2, "softmax"), "sigmoid": (1, "sigmoid"), "logits": (2, None)}


CALLBACKS = [
    {"kind": "reduce_learning_rate", "monitor": "val_loss", "factor": 0.5, "patience": 1, "min_delta": 0.2},
    {"kind": "checkpoint", "monitor": "val_accuracy"},
    {"kind": "early_stopping", "monitor": "val_loss", "patience": 3, "restore_best": True},
]


def write_network(folder: Path, head: str, *, dropout: float = 0.0, augmented: bool = False) -> None:
    keras.utils.clear_session()
    units, activation = ENDS[head]
    layers = [keras.Input((32, 32, 3))]
    if augmented:
        layers += [keras.layers.RandomZoom(0.1, fill_mode="reflect"), keras.layers.RandomRotation(0.2)]
        layers += [keras.layers.RandomContrast(0.2)]
    layers += [keras.layers.AveragePooling2D(4), keras.layers.Flatten(), keras.layers.Dropout(dropout)]
    layers += [keras.layers.BatchNormalization(), keras.layers.Dense(units, activation)]
    (folder / "architecture.json").write_text(keras.Sequential(layers).to_json(), encoding="utf-8")


def describe_own(name: str, folder: Path, **inputs: Path) -> dict[str, Any]:
    """Run the stage ``architecture`` on one of ``own_networks.py`` and return its summary."""
    own = {"architecture": f"own_networks:{name}", "params": {}, "size": 32, "channels": 3, "classes": 3}
    folder.mkdir(exist_ok=True)
    architecture.describe(inputs, folder, scratch=folder, progress=silent, **own)
    summary: dict[str, Any] = json.loads((folder / "summary.json").read_text())
    return summary
