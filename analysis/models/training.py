"""Training of a network: from its JSON and the images to a saved network and its history."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from analysis.errors import ArchitectureError, DataError
from analysis.models import batches, callbacks, runtime
from analysis.models.checkpoint import Checkpoint
from analysis.models.epochs import training_batches
from analysis.models.images import Array, Images, read
from analysis.models.output_head import choose_loss, find_head
from analysis.models.saving import save_model
from analysis.models.training_progress import TrainingProgress
from analysis.models.training_settings import TrainingSettings
from analysis.progress import Progress


def train(inputs: dict[str, Path], out: Path, *, scratch: Path, progress: Progress, **settings: Any) -> None:
    """Write ``model.keras``, ``input.json``, ``history.csv`` and ``training.json`` of a trained network.

    A training that was interrupted goes on from its last whole epoch in ``scratch`` and ends with the same
    bytes as one that was not.

    Parameters
    ----------
    inputs : dict of str to Path
        The stages ``architecture``, ``records``, ``images`` and ``split``, and ``initial`` where a training begins with
        the weights of another.
    settings
        The fields of `TrainingSettings`.

    Raises
    ------
    DataError
        A class has no image to train on, or there is none to validate on.
    ArchitectureError
        The network does not fit the images, the classes or the weights to begin with.
    AnalysisError
        The loss is no longer finite.
    """
    given = TrainingSettings(**settings)
    runtime.start(given.seed)
    images = read(inputs)
    architecture = (inputs["architecture"] / "architecture.json").read_text(encoding="utf-8")
    steps = given.plan.steps_per_epoch(_training_classes(images, given.classes))
    model = _compile(architecture, images.size, given, steps)
    if "initial" in inputs:
        _set_weights(model, inputs["initial"] / "model.keras")
    stateful = [callbacks.build(callback) for callback in given.callbacks]
    scheduled = [callbacks.ScheduledRate()] if given.schedule else []
    checkpoint = Checkpoint(scratch / "checkpoint", stateful)
    reports = TrainingProgress(progress, given.epochs, steps, given.batch_size)
    if not checkpoint.complete(given.epochs):
        # The checkpoint comes last: it saves the state of the others, and nothing of an epoch that failed.
        _fit(
            model, images, given, steps, [*stateful, *scheduled, callbacks.FiniteLoss(), reports, checkpoint]
        )
    else:
        checkpoint.set_model(model)
        checkpoint.restore()
    weights_epoch = callbacks.restore_best(model, stateful) or checkpoint.epochs_done

    save_model(model, architecture, out / "model.keras", scratch)
    history = _history(checkpoint)
    history.to_csv(out / "history.csv", index=False, lineterminator="\n")
    _write_json(out / "input.json", {**_input_facts(model, given), **_read_depth(inputs["images"])})
    facts = {
        **_course_facts(checkpoint, history, weights_epoch),
        **_setting_facts(model, images, given, steps),
    }
    _write_json(out / "training.json", facts)


def _training_classes(images: Images, classes: Sequence[str]) -> Array:
    """Return the class index of every training image; there are images of all classes."""
    indices = images.class_indices(images.rows("train"), classes)
    missing = [c for i, c in enumerate(classes) if i not in indices]
    if missing:
        raise DataError(
            f"no image to train on for {', '.join(missing)}",
            hint="look at the counts with report data check, or at the split of the study file",
        )
    if not len(images.rows("val")):
        raise DataError("no image to validate on", hint="raise split.val in the study file")
    return indices


def _compile(architecture: str, size: int, settings: TrainingSettings, steps: int) -> keras.Model:
    model = keras.models.model_from_json(architecture)
    if model.input_shape[1:3] != (size, size):
        raise ArchitectureError(
            f"{model.name} takes images of {model.input_shape[1:3]} pixels, they are {size} x {size}",
            hint="build the network for the size of the study file",
        )
    loss = choose_loss(find_head(model, len(settings.classes)), settings.label_smoothing)
    optimizer = settings.make_optimizer(steps)
    model.compile(optimizer, loss=loss, metrics=["accuracy"], jit_compile=False)
    optimizer.build(model.trainable_variables)
    return model


def _set_weights(model: keras.Model, trained: Path) -> None:
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
    images: Images,
    settings: TrainingSettings,
    steps: int,
    watching: Sequence[keras.callbacks.Callback],
) -> None:
    """Train to the end, from the first epoch that the checkpoint, last of ``watching``, does not have."""
    first_epoch = watching[-1].epochs_done
    train, val = _batches(model, images, settings, first_epoch)
    model.fit(
        train,
        initial_epoch=first_epoch,
        epochs=settings.epochs,
        steps_per_epoch=steps,
        validation_data=val,
        class_weight=settings.loss_weights(images),
        callbacks=list(watching),
        shuffle=False,
        verbose=0,
    )


def _batches(
    model: keras.Model, images: Images, settings: TrainingSettings, first_epoch: int
) -> tuple[tf.data.Dataset, tf.data.Dataset]:
    """Return the batches to train on and to validate on, with targets as the network's head has them."""
    classes, channels = settings.classes, model.input_shape[-1]
    scaling = settings.scaling(channels)
    shown, plan = settings.mistakes.training_set(images, settings.plan, channels)
    train = training_batches(shown, classes, plan, scaling, first_epoch=first_epoch)
    shown, rows = settings.mistakes.other_set(images, images.rows("val"), channels)
    val = batches.in_order(shown, rows, classes, scaling, settings.batch_size)
    if find_head(model, len(classes)) == "sigmoid":
        train, val = (data.map(lambda x, y: (x, y[:, 1:])) for data in (train, val))
    return train, val


def _history(checkpoint: Checkpoint) -> pd.DataFrame:
    """Return the epochs from 1 and their metrics, in as many digits as float32 has."""
    names = [n for n in (*callbacks.HISTORY_METRICS, "learning_rate") if n in checkpoint.history[0]]
    rows = [{name: float(str(np.float32(row[name]))) for name in names} for row in checkpoint.history]
    history = pd.DataFrame(rows)
    history.insert(0, "epoch", range(1, len(history) + 1))
    return history


def _course_facts(checkpoint: Checkpoint, history: pd.DataFrame, weights_epoch: int) -> dict[str, Any]:
    """Return how the training went."""
    return {
        "epochs_run": len(history),
        "best_epoch": int(history["val_loss"].argmin()) + 1,
        "weights_epoch": weights_epoch,
        "restored": weights_epoch != len(history),
        "stopped": "early stopping" if checkpoint.stopped else "all epochs run",
    }


def _setting_facts(
    model: keras.Model, images: Images, settings: TrainingSettings, steps: int
) -> dict[str, Any]:
    """Return with what settings the network was trained, those that follow from its head and images included."""
    head, weights = find_head(model, len(settings.classes)), settings.loss_weights(images)
    return {
        "seed": settings.seed,
        "epochs": settings.epochs,
        "batch_size": settings.batch_size,
        "steps_per_epoch": steps,
        "training_pictures": len(images.rows("train")),
        "validation_pictures": len(images.rows("val")),
        "head": head,
        "loss": "binary_crossentropy" if head == "sigmoid" else "categorical_crossentropy",
        "optimizer": settings.optimizer,
        "learning_rate": settings.learning_rate,
        "weight_decay": settings.weight_decay,
        "schedule": settings.schedule,
        "label_smoothing": settings.label_smoothing,
        "class_balance": settings.class_balance,
        "class_weights": weights and list(weights.values()),
        "augmentation": list(settings.augmentation),
        "augmented": settings.augmented,
        "callbacks": list(settings.callbacks),
    }


def _input_facts(model: keras.Model, settings: TrainingSettings) -> dict[str, Any]:
    """Return what the network sees of an image, for prediction and export."""
    size, channels = model.input_shape[2:]
    fit, resample, averaged_over = settings.fit, settings.resample, list(settings.averaged_over)
    return {
        **{"size": size, "channels": channels, "fit": fit, "resample": resample},
        **{"averaged_over": averaged_over, **settings.input},
    }


def _read_depth(images: Path) -> dict[str, Any]:
    """Return the depth that 16-bit images were read with, if there were any, for images asked about one by one."""
    path = images / "depth.json"
    depth: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return depth


def _write_json(path: Path, value: Any) -> None:
    text = json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")
