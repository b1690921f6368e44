"""How a network tells its classes: a softmax, one sigmoid for two classes, or logits."""

from __future__ import annotations

from typing import Any, Literal

import keras
import numpy as np
import numpy.typing as npt

from analysis.errors import ArchitectureError

Head = Literal["softmax", "sigmoid", "logits"]
Floats = npt.NDArray[np.float32]
ENDS = {
    keras.activations.softmax: "softmax",
    keras.activations.sigmoid: "sigmoid",
    keras.activations.linear: "logits",
}


def head(model: keras.Model, classes: int) -> Head:
    """Return what a network ends in.

    Raises
    ------
    ArchitectureError
        It has neither one output per class nor, for two classes, one sigmoid.
    """
    found: Any = ENDS.get(getattr(model.layers[-1], "activation", None))
    units = 1 if found == "sigmoid" else classes
    if found is None or model.output_shape != (None, units) or (units == 1 and classes != 2):
        raise ArchitectureError(
            f"{model.name} does not end in a softmax or logits of {classes} units, nor in one sigmoid for two classes",
            hint="end it with Dense(classes, activation='softmax')",
        )
    return found  # type: ignore[no-any-return]


def loss(head: Head) -> keras.losses.Loss | str:
    """Return the cross-entropy that fits the head."""
    if head == "logits":
        return keras.losses.CategoricalCrossentropy(from_logits=True)
    return "binary_crossentropy" if head == "sigmoid" else "categorical_crossentropy"


def probabilities(head: Head, outputs: Floats) -> Floats:
    """Return a probability for each class, shape (n, classes); a sigmoid is that of the second class."""
    if head == "sigmoid":
        return np.concatenate([1 - outputs, outputs], axis=1)
    return np.asarray(keras.ops.softmax(outputs)) if head == "logits" else outputs
