"""The callbacks of a training: early stopping, best weights, learning rate, and a loss that is no number any more."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras

from analysis.errors import AnalysisError

HISTORY_METRICS = ("loss", "accuracy", "val_loss", "val_accuracy")


def build(callback: Mapping[str, Any]) -> keras.callbacks.Callback:
    """Return Keras' callback for one of the study file, a mapping with ``kind``, ``monitor`` and more."""
    monitored = {
        "monitor": callback["monitor"],
        "mode": "max" if callback["monitor"].endswith("accuracy") else "min",
    }
    match callback["kind"]:
        case "early_stopping":
            return keras.callbacks.EarlyStopping(
                **monitored, patience=callback["patience"], restore_best_weights=callback["restore_best"]
            )
        case "checkpoint":  # the best weights, however long the training goes on
            return keras.callbacks.EarlyStopping(**monitored, patience=math.inf, restore_best_weights=True)
        case "reduce_learning_rate":
            settings = {name: callback[name] for name in ("factor", "patience", "min_delta")}
            return keras.callbacks.ReduceLROnPlateau(**monitored, **settings)
        case kind:
            raise ValueError(f"no callback is called {kind!r}")


def restore_best(model: keras.Model, stateful: Sequence[keras.callbacks.Callback]) -> int | None:
    """Put the best weights into the model and return their epoch from 1; None when the last ones stay.

    Keras does it at the end of ``fit``, which a training taken up after its last epoch never enters.
    """
    epoch = None
    for callback in stateful:
        if getattr(callback, "best_weights", None) is not None:
            model.set_weights(callback.best_weights)
            epoch = int(callback.best_epoch) + 1
    return epoch


class ScheduledRate(keras.callbacks.Callback):  # type: ignore[misc]
    """Notes the learning rate that a schedule has reached at the end of each epoch."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Add it to the metrics of the epoch."""
        logs["learning_rate"] = float(self.model.optimizer.learning_rate)


class FiniteLoss(keras.callbacks.Callback):  # type: ignore[misc]
    """Ends a training whose loss is no number any more.

    Raises
    ------
    AnalysisError
        The loss of a batch, or that of an epoch in training or validation, is not finite.
    """

    def __init__(self) -> None:
        super().__init__()
        self._epoch = 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Note the epoch, for the message."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Check the loss so far."""
        _require_finite(logs, self._epoch)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Check the loss of the epoch, validation included."""
        _require_finite(logs, epoch)


def _require_finite(logs: Mapping[str, float], epoch: int) -> None:
    for name in ("loss", "val_loss"):
        if not math.isfinite(logs.get(name, 0.0)):
            raise AnalysisError(
                f"{name} is no longer a finite number in epoch {epoch + 1}",
                hint="try a smaller learning_rate",
            )
