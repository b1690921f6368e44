"""Whether a network can be saved, loaded by a process that knows only its file, and answers with probabilities."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

from analysis.errors import ArchitectureError
from analysis.models.output_head import Head, to_probabilities
from analysis.models.saving import save_model

KERAS_ONLY = "a trained network is kept as a file of Keras, which has no code: build it from layers and functions of Keras"
TOLERANCE = 1e-3
"""How far from one the sum of probabilities in 32 bits may be."""


def require_saveable(model: keras.Model, head: Head, architecture: str, scratch: Path) -> None:
    """Refuse a network before it is trained that could not be saved and loaded after it, or gives no probabilities.

    Parameters
    ----------
    architecture : str
        The function that has made it, for the message.

    Raises
    ------
    ArchitectureError
        It has code of its own, does not come back from its file, or answers with what is no probability.
    """
    text = model.to_json()
    for what in sorted(set(_own_code(json.loads(text)))):
        raise ArchitectureError(f"{architecture}: {what} cannot be saved with the network", hint=KERAS_ONLY)
    try:
        again = _reload(model, text, scratch)
    except (TypeError, ValueError, AttributeError, KeyError, NotImplementedError) as error:
        first = str(error).partition("\n")[0]
        raise ArchitectureError(
            f"{architecture}: its network cannot be saved and loaded: {first}", hint=KERAS_ONLY
        ) from error
    _require_probabilities(again, head, architecture)


def _own_code(config: Any) -> Iterator[str]:
    """Yield what in a network's JSON only the author's own code can make again."""
    if isinstance(config, list):
        for item in config:
            yield from _own_code(item)
    if not isinstance(config, dict):
        return
    if config.get("class_name") == "Lambda":
        yield f"the layer {config['config']['name']} (Lambda)"
    elif config.get("class_name") == "function":
        yield f"the function {config['config']}"
    elif config.get("registered_name") and not str(config["module"]).startswith("keras"):
        name = config["config"].get("name") if isinstance(config.get("config"), dict) else None
        yield f"the layer {name} ({config['class_name']})" if name else f"{config['class_name']}"
    else:
        for item in config.values():
            yield from _own_code(item)


def _reload(model: keras.Model, text: str, scratch: Path) -> keras.Model:
    """Return the network as it comes back from its file."""
    file = scratch / "untrained.keras"
    save_model(model, text, file, scratch)
    try:
        again = keras.models.load_model(file)
    finally:
        file.unlink()
    for ours, loaded in zip(model.get_weights(), again.get_weights(), strict=True):
        if not np.array_equal(ours, loaded):
            raise ValueError("its weights come back as others")
    return again


def _require_probabilities(model: keras.Model, head: Head, architecture: str) -> None:
    """Refuse a network whose answer about a grey image is no probabilities."""
    image = np.full((1, *model.input_shape[1:]), 0.5, np.float32)
    outputs = model.predict_on_batch(image)
    if not isinstance(outputs, np.ndarray):
        raise ArchitectureError(
            f"{architecture}: its network answers with a {type(outputs).__name__} of outputs, not with one",
            hint="return keras.Model(inputs, outputs) with one tensor as outputs",
        )
    answer = to_probabilities(head, outputs)
    if not np.isfinite(answer).all() or answer.min() < 0 or abs(float(answer.sum()) - 1) > TOLERANCE:
        raise ArchitectureError(
            f"{architecture}: what its network answers are no probabilities: {answer[0].round(3).tolist()}",
            hint="look for a division or logarithm of 0 in its layers",
        )
