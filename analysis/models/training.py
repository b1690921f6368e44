"""Training of a network: from its JSON and the pictures to a saved network and its history."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from analysis.errors import ArchitectureError, DataError
from analysis.models import batches, callbacks, class_weights, heads, runtime, saved
from analysis.models.checkpoint import Checkpoint
from analysis.models.pictures import Array, Pictures, Scaling, plain, read
from analysis.progress import Progress


@dataclass(frozen=True)
class Recipe:
    """How a network is trained: the part of the study file that the stage depends on.

    ``fit`` and ``resample`` are how the pictures were made into squares; they are passed on to prediction and export.
    """

    classes: Sequence[str]
    seed: int
    fit: str
    resample: str
    input: Mapping[str, Any]
    class_balance: str
    class_weights: str | Mapping[str, float]
    augmentation: Sequence[Mapping[str, Any]]
    augmented: str
    optimizer: str
    learning_rate: float
    epochs: int
    batch_size: int
    callbacks: Sequence[Mapping[str, Any]]

    @property
    def plan(self) -> batches.Plan:
        """How the pictures of an epoch are drawn."""
        return batches.Plan(
            self.seed, self.epochs, self.batch_size, self.class_balance, self.augmentation, self.augmented
        )

    def scaling(self, channels: int) -> Scaling:
        """Return how grey levels become what the network sees."""
        return Scaling(channels=channels, **self.input)


def train(inputs: dict[str, Path], out: Path, *, scratch: Path, progress: Progress, **recipe: Any) -> None:
    """Write ``model.keras``, ``input.json``, ``history.csv`` and ``training.json`` of a trained network.

    A training that was interrupted goes on from its last whole epoch in ``scratch`` and ends with the same
    bytes as one that was not.

    Parameters
    ----------
    inputs : dict of str to Path
        The stages ``architecture``, ``records``, ``images`` and ``split``, and ``initial`` where a training begins with
        the weights of another.
    recipe
        The fields of `Recipe`.

    Raises
    ------
    DataError
        A class has no picture to train on, or there is none to validate on.
    ArchitectureError
        The network does not fit the pictures, the classes or the weights to begin with.
    AnalysisError
        The loss is no longer finite.
    """
    how = Recipe(**recipe)
    runtime.start(how.seed)
    pictures = read(inputs)
    architecture = (inputs["architecture"] / "architecture.json").read_text(encoding="utf-8")
    steps = how.plan.steps_per_epoch(_training_classes(pictures, how.classes))
    model = _compiled(architecture, pictures.size, how)
    if "initial" in inputs:
        _begin_with(model, inputs["initial"] / "model.keras")
    remembering = [callbacks.make(callback) for callback in how.callbacks]
    checkpoint = Checkpoint(scratch / "checkpoint", remembering)
    watch = callbacks.Watch(progress, how.epochs, steps, how.batch_size)
    # The checkpoint comes last: it saves what the others remember, and nothing of an epoch that failed.
    _fit(model, pictures, how, steps, [*remembering, watch, checkpoint])
    weights_epoch = callbacks.restore_best(model, remembering) or checkpoint.epochs_done

    saved.save(model, architecture, out / "model.keras", scratch)
    history = _history(checkpoint)
    history.to_csv(out / "history.csv", index=False, lineterminator="\n")
    _write(out / "input.json", {**_input(model, how), **_depth(inputs["images"])})
    _write(
        out / "training.json",
        {**_course(checkpoint, history, weights_epoch), **_settings(model, pictures, how, steps)},
    )


def _training_classes(pictures: Pictures, classes: Sequence[str]) -> Array:
    """Return the class of every training picture, all classes being there."""
    found = pictures.classes(pictures.rows("train"), classes)
    missing = [c for i, c in enumerate(classes) if i not in found]
    if missing:
        raise DataError(
            f"no picture to train on for {', '.join(missing)}",
            hint="look at the counts with report data check, or at the split of the study file",
        )
    if not len(pictures.rows("val")):
        raise DataError("no picture to validate on", hint="raise split.val in the study file")
    return found


def _compiled(architecture: str, size: int, how: Recipe) -> keras.Model:
    model = keras.models.model_from_json(architecture)
    if model.input_shape[1:3] != (size, size):
        raise ArchitectureError(
            f"{model.name} takes pictures of {model.input_shape[1:3]} pixels, they are {size} x {size}",
            hint="build the network for the size of the study file",
        )
    loss = heads.loss(heads.head(model, len(how.classes)))
    optimizer = keras.optimizers.get(
        {"class_name": how.optimizer, "config": {"learning_rate": how.learning_rate}}
    )
    model.compile(optimizer, loss=loss, metrics=["accuracy"], jit_compile=False)
    optimizer.build(model.trainable_variables)
    return model


def _begin_with(model: keras.Model, trained: Path) -> None:
    """Put the weights of a trained network into one of the same architecture."""
    weights = keras.models.load_model(trained).get_weights()
    shapes = [w.shape for w in weights]
    if shapes != [w.shape for w in model.get_weights()]:
        raise ArchitectureError(
            f"{model.name} cannot begin with the weights of another architecture",
            hint="give both models of init_from the same architecture and params",
        )
    model.set_weights(weights)


def _fit(
    model: keras.Model,
    pictures: Pictures,
    how: Recipe,
    steps: int,
    watching: Sequence[keras.callbacks.Callback],
) -> None:
    """Train to the end, from the first epoch that the checkpoint, last of ``watching``, does not have."""
    checkpoint = watching[-1]
    if checkpoint.stopped or checkpoint.epochs_done == how.epochs:
        checkpoint.set_model(model)
        checkpoint.restore()
        return
    scaling = how.scaling(model.input_shape[-1])
    train = batches.training(pictures, how.classes, how.plan, scaling, first_epoch=checkpoint.epochs_done)
    val = plain(pictures, pictures.rows("val"), how.classes, scaling, how.batch_size)
    if heads.head(model, len(how.classes)) == "sigmoid":
        train, val = (data.map(lambda x, y: (x, y[:, 1:])) for data in (train, val))
    model.fit(
        train,
        initial_epoch=checkpoint.epochs_done,
        epochs=how.epochs,
        steps_per_epoch=steps,
        validation_data=val,
        class_weight=_weights(pictures, how),
        callbacks=list(watching),
        shuffle=False,
        verbose=0,
    )


def _history(checkpoint: Checkpoint) -> pd.DataFrame:
    """Return the epochs from 1 and their figures, in as many digits as float32 has."""
    names = [name for name in (*callbacks.FIGURES, "learning_rate") if name in checkpoint.history[0]]
    rows = [{name: float(str(np.float32(row[name]))) for name in names} for row in checkpoint.history]
    history = pd.DataFrame(rows)
    history.insert(0, "epoch", range(1, len(history) + 1))
    return history


def _course(checkpoint: Checkpoint, history: pd.DataFrame, weights_epoch: int) -> dict[str, Any]:
    return {
        "epochs_run": len(history),
        "best_epoch": int(history["val_loss"].argmin()) + 1,
        "weights_epoch": weights_epoch,
        "restored": weights_epoch != len(history),
        "stopped": "early stopping" if checkpoint.stopped else "all epochs run",
    }


def _weights(pictures: Pictures, how: Recipe) -> dict[int, float] | None:
    """Return the weight of each class in the training loss, None without weights."""
    counts = np.bincount(pictures.classes(pictures.rows("train"), how.classes), minlength=len(how.classes))
    weights = class_weights.weights(how.class_weights, dict(zip(how.classes, counts.tolist(), strict=True)))
    return dict(enumerate(weights.values())) if weights else None


def _settings(model: keras.Model, pictures: Pictures, how: Recipe, steps: int) -> dict[str, Any]:
    head, weights = heads.head(model, len(how.classes)), _weights(pictures, how)
    return {
        "seed": how.seed,
        "epochs": how.epochs,
        "batch_size": how.batch_size,
        "steps_per_epoch": steps,
        "training_pictures": len(pictures.rows("train")),
        "validation_pictures": len(pictures.rows("val")),
        "head": head,
        "loss": "binary_crossentropy" if head == "sigmoid" else "categorical_crossentropy",
        "optimizer": how.optimizer,
        "learning_rate": how.learning_rate,
        "class_balance": how.class_balance,
        "class_weights": weights and list(weights.values()),
        "augmentation": list(how.augmentation),
        "augmented": how.augmented,
        "callbacks": list(how.callbacks),
    }


def _input(model: keras.Model, how: Recipe) -> dict[str, Any]:
    size, channels = model.input_shape[2:]
    return {"size": size, "channels": channels, "fit": how.fit, "resample": how.resample, **how.input}


def _depth(images: Path) -> dict[str, Any]:
    """Return the depth that 16-bit pictures were read with, if there were any, for pictures asked about one by one."""
    noted = images / "depth.json"
    found: dict[str, Any] = json.loads(noted.read_text(encoding="utf-8")) if noted.exists() else {}
    return found


def _write(path: Path, value: Any) -> None:
    text = json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")
