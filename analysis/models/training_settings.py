"""How a network is trained: the part of the study file that a training depends on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from analysis.models.batches import Scaling
from analysis.models.epochs import Plan
from analysis.models.images import Images
from analysis.models.published_mistakes import Mistakes


@dataclass(frozen=True)
class TrainingSettings:
    """The parameters of the stage, named as in the study file.

    Parameters
    ----------
    classes : sequence of str
        In the order of the network's outputs.
    seed : int
        Of every random draw.
    fit, resample : str
        How the images were made into squares: handed on to prediction and export.
    input : mapping
        ``scale``, ``offset`` and ``pixels`` of what the network sees.
    class_balance : {"none", "oversample", "square-root"}
        See `analysis.models.epochs.draw_order`.
    class_weights : {"none", "balanced", "other-share"} or mapping
        See `class_weights`.
    augmentation : sequence of mapping
        See `analysis.models.augmentation.draw`.
    augmented : {"each-epoch", "once"}
        See `analysis.models.published_mistakes.Mistakes`.
    optimizer, learning_rate, weight_decay, label_smoothing, epochs, batch_size
        As Keras has them.
    schedule : mapping, optional
        ``warmup`` epochs in which the learning rate rises, and ``final``, the share of it that is left after a cosine's fall.
    callbacks : sequence of mapping
        See `analysis.models.callbacks.build`.
    averaged_over : sequence of str
        See `analysis.models.output_head.predict`: handed on to prediction and export.
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
    label_smoothing: float
    optimizer: str
    learning_rate: float
    weight_decay: float
    schedule: Mapping[str, Any] | None
    epochs: int
    batch_size: int
    callbacks: Sequence[Mapping[str, Any]]
    averaged_over: Sequence[str]

    @property
    def plan(self) -> Plan:
        """How the images of an epoch are drawn."""
        return Plan(self.seed, self.epochs, self.batch_size, self.class_balance, self.augmentation)

    @property
    def mistakes(self) -> Mistakes:
        """What is shown to the network otherwise than it should be."""
        return Mistakes(self.input["pixels"], self.augmented)

    def scaling(self, channels: int) -> Scaling:
        """Return how grey levels become what the network sees."""
        return Scaling(self.input["scale"], self.input["offset"], channels)

    def make_optimizer(self, steps: int) -> keras.optimizers.Optimizer:
        """Return the optimizer, whose learning rate follows the schedule over epochs of so many ``steps``."""
        rate: float | keras.optimizers.schedules.LearningRateSchedule = self.learning_rate
        if self.schedule:
            warmup = self.schedule["warmup"]
            rate = keras.optimizers.schedules.CosineDecay(
                0.0 if warmup else rate,
                (self.epochs - warmup) * steps,
                alpha=self.schedule["final"],
                warmup_target=rate if warmup else None,
                warmup_steps=warmup * steps,
            )
        config: dict[str, Any] = {"learning_rate": rate}
        if self.weight_decay:
            config["weight_decay"] = self.weight_decay
        return keras.optimizers.get({"class_name": self.optimizer, "config": config})

    def loss_weights(self, images: Images) -> dict[int, float] | None:
        """Return the weight of each class, by its index, in the training loss; None where all count the same."""
        indices = images.class_indices(images.rows("train"), self.classes)
        counts = np.bincount(indices, minlength=len(self.classes)).tolist()
        weights = class_weights(self.class_weights, dict(zip(self.classes, counts, strict=True)))
        return dict(enumerate(weights.values())) if weights else None


def class_weights(rule: str | Mapping[str, float], counts: Mapping[str, int]) -> dict[str, float] | None:
    """Return the weight of each class, in the order of ``counts``; None where all count the same.

    Parameters
    ----------
    rule : {"none", "balanced", "other-share"} or mapping
        "balanced" gives n / (K n_k), "other-share" the share of the other classes in two decimals, a mapping its values.
    counts : mapping of str to int
        Training images of each class.
    """
    total = sum(counts.values())
    match rule:
        case "none":
            return None
        case "balanced":
            return {c: total / (len(counts) * n) for c, n in counts.items()}
        case "other-share":
            return {c: round((total - n) / total, 2) for c, n in counts.items()}
        case Mapping():
            return {c: float(rule[c]) for c in counts}
    raise ValueError(f"no class weights are called {rule!r}")
