"""How far a training is, as it runs."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

import keras

from analysis.models.callbacks import HISTORY_METRICS
from analysis.progress import Progress

REPORTS_ONLY = True
"""No result depends on this module, so no stage's key does (`report.engine.code`)."""

REPORT_SECONDS = 1.0


class TrainingProgress(keras.callbacks.Callback):  # type: ignore[misc]
    """Reports "batches" about once a second and "epochs" at the end of each.

    Parameters
    ----------
    progress : Progress
        Gets the numbers.
    epochs : int
        Of the whole training.
    steps : int
        Batches of an epoch.
    batch_size : int
        Images of a batch.
    """

    def __init__(self, progress: Progress, epochs: int, steps: int, batch_size: int) -> None:
        super().__init__()
        self._progress, self._epochs, self._steps, self._batch_size = progress, epochs, steps, batch_size
        self._epoch, self._begun, self._reported = 0, 0.0, -math.inf
        self._images_per_second = 0.0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Start the clock of an epoch."""
        self._epoch, self._begun = epoch, time.monotonic()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Report the batches of all epochs, so that their share is the share of the work."""
        now = time.monotonic()
        self._images_per_second = (batch + 1) * self._batch_size / (now - self._begun)
        if now - self._reported >= REPORT_SECONDS:
            self._reported = now
            done, total = self._epoch * self._steps + batch + 1, self._epochs * self._steps
            self._report(done, total, "batches", logs, epoch=self._epoch + 1)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Report the epoch, validation included."""
        self._report(epoch + 1, self._epochs, "epochs", logs, log=True)

    def _report(
        self, done: int, total: int, unit: str, logs: Mapping[str, float], *, log: bool = False, **more: float
    ) -> None:
        metrics = {name: float(logs[name]) for name in HISTORY_METRICS if name in logs}
        speed = self._images_per_second
        self._progress(done, total, unit, log=log, images_per_second=speed, **metrics, **more)
