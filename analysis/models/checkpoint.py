"""Everything that an interrupted training needs to go on as if nothing had happened."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

Arrays = dict[str, npt.NDArray[Any]]
CALLBACK_STATE = ("wait", "best", "best_epoch", "stopped_epoch", "cooldown_counter")
DIGEST_BYTES = 32

log = logging.getLogger(__name__)


class Checkpoint(keras.callbacks.Callback):  # type: ignore[misc]
    """Saves the state of a training at the end of each epoch, and puts it back when training begins.

    The state is all variables of the model (those of its random generators too) and of the optimizer, the
    stateful callbacks with their best weights, and the history.

    Parameters
    ----------
    path : Path
        The file; what an earlier training left there is taken up.
    callbacks : sequence of keras.callbacks.Callback
        Callbacks with a state of their own. They must come before this one in the list that ``fit`` gets.
    """

    def __init__(self, path: Path, callbacks: Sequence[keras.callbacks.Callback]) -> None:
        super().__init__()
        self._path = path
        self._callbacks = callbacks
        self._arrays, facts = _read(path)
        self.history: list[dict[str, float]] = facts["history"]
        self.stopped: bool = facts["stopped"]
        self._callback_states: list[dict[str, Any]] = facts["callbacks"]

    @property
    def epochs_done(self) -> int:
        """The epochs finished so far, in this process or before."""
        return len(self.history)

    def complete(self, epochs: int) -> bool:
        """Tell whether a training of at most ``epochs`` has ended."""
        return self.stopped or self.epochs_done == epochs

    def on_train_begin(self, logs: Any = None) -> None:
        """Put back the state of an earlier training: after the other callbacks, which begin by forgetting."""
        self.restore()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Save the state."""
        self.history.append({name: float(value) for name, value in (logs or {}).items()})
        self.stopped = bool(self.model.stop_training)
        self._callback_states = [
            {name: getattr(c, name) for name in CALLBACK_STATE if hasattr(c, name)} for c in self._callbacks
        ]
        facts = {"history": self.history, "stopped": self.stopped, "callbacks": self._callback_states}
        _write(self._path, self._state(), facts)

    def restore(self) -> None:
        """Put the saved state, if there is one, into the model, its optimizer and the callbacks."""
        if not self.epochs_done:
            return
        for name, variable in self._variables().items():
            variable.assign(self._arrays[name])
        states = zip(self._callbacks, self._callback_states, strict=True)
        for i, (callback, state) in enumerate(states):
            for name, value in state.items():
                setattr(callback, name, value)
            best = [name for name in self._arrays if name.startswith(f"callback{i}/")]
            if best:
                callback.best_weights = [self._arrays[name] for name in best]
        self._arrays = {}

    def _variables(self) -> dict[str, keras.Variable]:
        model = {f"model/{i}": v for i, v in enumerate(self.model.variables)}
        return model | {f"optimizer/{i}": v for i, v in enumerate(self.model.optimizer.variables)}

    def _state(self) -> Arrays:
        arrays = {name: np.asarray(variable) for name, variable in self._variables().items()}
        for i, callback in enumerate(self._callbacks):
            arrays |= {
                f"callback{i}/{j}": w for j, w in enumerate(getattr(callback, "best_weights", None) or ())
            }
        return arrays


def _write(path: Path, arrays: Arrays, facts: dict[str, Any]) -> None:
    """Write a file that is there completely or not at all, its digest first."""
    buffer = io.BytesIO()
    np.savez(buffer, facts=np.array(json.dumps(facts)), **arrays)  # type: ignore[arg-type]
    content = buffer.getbuffer()
    unfinished = path.with_suffix(".unfinished")
    with unfinished.open("wb") as file:
        file.write(hashlib.sha256(content).digest())
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def _read(path: Path) -> tuple[Arrays, dict[str, Any]]:
    nothing: dict[str, Any] = {"history": [], "stopped": False, "callbacks": []}
    if not path.exists():
        return {}, nothing
    content = path.read_bytes()
    if hashlib.sha256(content[DIGEST_BYTES:]).digest() != content[:DIGEST_BYTES]:
        log.warning("the checkpoint is damaged, training starts again from the first epoch")
        return {}, nothing
    with np.load(io.BytesIO(content[DIGEST_BYTES:])) as file:
        arrays = {name: file[name] for name in file.files if name != "facts"}
        return arrays, json.loads(str(file["facts"]))
