"""Whether a network can be kept: written into files, and taken up again by a process that knows only these."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

from analysis.errors import ArchitectureError
from analysis.models import saved
from analysis.models.heads import Head, probabilities

OF_KERAS = "a trained network is kept as a file of Keras, which has no code: build it from layers and functions of Keras"
CLOSE = 1e-3
"""So far from one may the sum of probabilities in 32 bits be."""


def require(model: keras.Model, head: Head, architecture: str, scratch: Path) -> None:
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
    for what in sorted(set(_own(json.loads(text)))):
        raise ArchitectureError(f"{architecture}: {what} cannot be saved with the network", hint=OF_KERAS)
    try:
        again = _reloaded(model, text, scratch)
    except (TypeError, ValueError, AttributeError, KeyError, NotImplementedError) as error:
        first = str(error).partition("\n")[0]
        raise ArchitectureError(
            f"{architecture}: its network cannot be saved and loaded: {first}", hint=OF_KERAS
        ) from error
    _answer(again, head, architecture)


def _own(config: Any) -> Iterator[str]:
    """Yield what in a network's JSON only the author's own code can make again."""
    if isinstance(config, list):
        for item in config:
            yield from _own(item)
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
            yield from _own(item)


def _reloaded(model: keras.Model, text: str, scratch: Path) -> keras.Model:
    """Return the network as it comes back from its file."""
    file = scratch / "untrained.keras"
    saved.save(model, text, file, scratch)
    try:
        again = keras.models.load_model(file)
    finally:
        file.unlink()
    for mine, kept in zip(model.get_weights(), again.get_weights(), strict=True):
        if not np.array_equal(mine, kept):
            raise ValueError("its weights come back as others")
    return again


def _answer(model: keras.Model, head: Head, architecture: str) -> None:
    """Refuse a network whose answer about a grey picture is no probabilities."""
    picture = np.full((1, *model.input_shape[1:]), 0.5, np.float32)
    outputs = model.predict_on_batch(picture)
    if not isinstance(outputs, np.ndarray):
        raise ArchitectureError(
            f"{architecture}: its network answers with a {type(outputs).__name__} of outputs, not with one",
            hint="return keras.Model(inputs, outputs) with one tensor as outputs",
        )
    answer = probabilities(head, outputs)
    if not np.isfinite(answer).all() or answer.min() < 0 or abs(float(answer.sum()) - 1) > CLOSE:
        raise ArchitectureError(
            f"{architecture}: what its network answers are no probabilities: {answer[0].round(3).tolist()}",
            hint="look for a division or logarithm of 0 in its layers",
        )
