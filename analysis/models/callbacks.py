"""What watches a training: early stopping, the learning rate, progress, and a loss that is no number any more."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

import keras

from analysis.errors import AnalysisError
from analysis.progress import Progress

FIGURES = ("loss", "accuracy", "val_loss", "val_accuracy")
TELL_SECONDS = 1.0


def make(callback: Mapping[str, Any]) -> keras.callbacks.Callback:
    """Return Keras' callback for one of the study file, a mapping with ``kind``, ``monitor`` and more."""
    watched = {
        "monitor": callback["monitor"],
        "mode": "max" if callback["monitor"].endswith("accuracy") else "min",
    }
    match callback["kind"]:
        case "early_stopping":
            return keras.callbacks.EarlyStopping(
                **watched, patience=callback["patience"], restore_best_weights=callback["restore_best"]
            )
        case "checkpoint":  # the best weights, however long the training goes on
            return keras.callbacks.EarlyStopping(**watched, patience=math.inf, restore_best_weights=True)
        case "reduce_learning_rate":
            settings = {name: callback[name] for name in ("factor", "patience", "min_delta")}
            return keras.callbacks.ReduceLROnPlateau(**watched, **settings)
        case kind:
            raise ValueError(f"no callback is called {kind!r}")


def restore_best(model: keras.Model, remembering: Sequence[keras.callbacks.Callback]) -> int | None:
    """Put the best weights into the model and return their epoch from 1; None when the last ones stay.

    Keras does it at the end of ``fit``, which a training taken up after its last epoch never enters.
    """
    epoch = None
    for callback in remembering:
        if getattr(callback, "best_weights", None) is not None:
            model.set_weights(callback.best_weights)
            epoch = int(callback.best_epoch) + 1
    return epoch


class Watch(keras.callbacks.Callback):  # type: ignore[misc]
    """Tells the progress, in "batches" about once a second and in "epochs" at the end of each.

    Raises
    ------
    AnalysisError
        The loss is not finite.
    """

    def __init__(self, progress: Progress, epochs: int, steps: int, batch_size: int) -> None:
        super().__init__()
        self._progress, self._epochs, self._steps, self._batch_size = progress, epochs, steps, batch_size
        self._epoch, self._begun, self._told = 0, 0.0, -math.inf
        self._speed = 0.0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Start the clock of an epoch."""
        self._epoch, self._begun = epoch, time.monotonic()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Tell about the batches of all epochs, so that their share is the share of the work."""
        _check_finite(logs, self._epoch)
        now = time.monotonic()
        self._speed = (batch + 1) * self._batch_size / (now - self._begun)
        if now - self._told >= TELL_SECONDS:
            self._told = now
            done, total = self._epoch * self._steps + batch + 1, self._epochs * self._steps
            self._tell(done, total, "batches", logs, epoch=self._epoch + 1)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Tell about the epoch, validation included."""
        _check_finite(logs, epoch)
        self._tell(epoch + 1, self._epochs, "epochs", logs)

    def _tell(self, done: int, total: int, unit: str, logs: Mapping[str, float], **more: float) -> None:
        known = {name: float(logs[name]) for name in FIGURES if name in logs}
        self._progress(done, total, unit, images_per_second=self._speed, **known, **more)


def _check_finite(logs: Mapping[str, float], epoch: int) -> None:
    for name in ("loss", "val_loss"):
        if not math.isfinite(logs.get(name, 0.0)):
            raise AnalysisError(
                f"{name} is no longer a finite number in epoch {epoch + 1}",
                hint="try a smaller learning_rate",
            )
