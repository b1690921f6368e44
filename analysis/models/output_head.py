"""How a network tells its classes: a softmax, one sigmoid for two classes, or logits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import keras
import numpy as np
import numpy.typing as npt

from analysis.errors import ArchitectureError

Head = Literal["softmax", "sigmoid", "logits"]
Array = npt.NDArray[np.float32]
HEADS = {
    keras.activations.softmax: "softmax",
    keras.activations.sigmoid: "sigmoid",
    keras.activations.linear: "logits",
}
CHANGES: Mapping[str, Callable[[Any], Any]] = {"horizontal_flip": lambda images: images[:, :, ::-1]}
HINT = "end it with Dense(classes, activation='softmax')"


def find_head(model: keras.Model, classes: int) -> Head:
    """Return what a network ends in.

    Raises
    ------
    ArchitectureError
        It has neither one output per class nor, for two classes, one sigmoid.
    """
    last = _last_layer(model)
    found: Any = HEADS.get(_activation(last))
    shapes = [tuple(output.shape) for output in model.outputs]
    units = 1 if found == "sigmoid" else classes
    if found is None or shapes != [(None, units)] or (units == 1 and classes != 2):
        raise ArchitectureError(
            f"{model.name} does not end in a softmax or logits of {classes} units, nor in one sigmoid for two classes:"
            f" its last layer is {last.name} ({type(last).__name__}), its output {' and '.join(map(_describe_shape, shapes))}",
            hint=HINT,
        )
    return found  # type: ignore[no-any-return]


def _last_layer(model: keras.Model) -> keras.Operation:
    """Return the layer that the output comes from, of networks inside a network the innermost."""
    layer = model.outputs[0]._keras_history.operation
    return _last_layer(layer) if isinstance(layer, keras.Model) else layer


def _activation(layer: keras.Operation) -> Any:
    """Return the function that makes a layer's outputs, also of a function called as a layer; None without one."""
    match type(layer).__name__:
        case "Softmax":
            return keras.activations.softmax if layer.axis in (-1, 1) else None
        case "Sigmoid":
            return keras.activations.sigmoid
    return getattr(layer, "activation", None)


def _describe_shape(shape: tuple[int | None, ...]) -> str:
    return " x ".join("n" if side is None else str(side) for side in shape)


def choose_loss(head: Head, label_smoothing: float = 0.0) -> keras.losses.Loss:
    """Return the cross-entropy that fits the head."""
    if head == "sigmoid":
        return keras.losses.BinaryCrossentropy(label_smoothing=label_smoothing)
    return keras.losses.CategoricalCrossentropy(from_logits=head == "logits", label_smoothing=label_smoothing)


def predict(model: keras.Model, head: Head, images: Any, averaged_over: Sequence[str]) -> Array:
    """Return a probability for each class, float32 of shape (n, classes), of images as the network sees them.

    Parameters
    ----------
    images : tensor of shape (n, size, size, channels)
        A batch.
    averaged_over : sequence of {"horizontal_flip"}
        Changes of the images: the probabilities are the mean of those of the images and of the changed ones.
    """
    views = [images, *(CHANGES[change](images) for change in averaged_over)]
    y_score = [to_probabilities(head, model.predict_on_batch(view)) for view in views]
    mean: Array = np.mean(y_score, axis=0, dtype=np.float32)
    return mean


def to_probabilities(head: Head, outputs: Array) -> Array:
    """Return a probability for each class, shape (n, classes), from the outputs of a network, shape (n, units).

    One sigmoid is the probability of the second class.
    """
    if head == "sigmoid":
        return np.concatenate([1 - outputs, outputs], axis=1)
    return np.asarray(keras.ops.softmax(outputs)) if head == "logits" else outputs
