"""What a study file says of a model: its network, what it sees of the images, and how it is trained."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from analysis.models.backbones import BACKBONES
from report.errors import did_you_mean, nearest
from report.study.value_types import (
    IMAGENET,
    RANDOM,
    Architecture,
    Citation,
    Fraction,
    Identifier,
    InitialWeights,
    Label,
    Rationale,
    Section,
    Weight,
    refuse,
)


class Scale(Section):
    """Grey levels 0 to 255 become ``scale * level + offset``."""

    scale: float = 1 / 255
    offset: float = 0.0


class InputScaling(Scale):
    """What a network sees of the images: their scale, and the order of their pixels.

    ``pixels = "interleaved"`` is the mistake of ``reshape(-1, n).T``: a row gets every n-th number of all n images.
    """

    pixels: Literal["in-place", "interleaved"] = "in-place"


class HorizontalFlip(Section):
    """Mirror left and right with probability one half."""

    kind: Literal["horizontal_flip"]


class Warp(Section):
    """A change that moves pixels, and what fills the edges."""

    fill: Literal["nearest", "constant", "reflect"] = "nearest"


class Shift(Warp):
    """Move by up to a fraction of the side, uniformly drawn."""

    kind: Literal["shift"]
    width: Annotated[float, Field(ge=0, lt=1)] = 0.0
    height: Annotated[float, Field(ge=0, lt=1)] = 0.0


class Rotation(Warp):
    """Turn by up to so many degrees either way."""

    kind: Literal["rotation"]
    degrees: Annotated[float, Field(gt=0, le=180)]


class Shear(Warp):
    """Shear by up to so many degrees either way."""

    kind: Literal["shear"]
    degrees: Annotated[float, Field(gt=0, lt=90)]


class Zoom(Warp):
    """Enlarge or reduce width and height, each by a factor of its own between ``1 - range`` and ``1 + range``."""

    kind: Literal["zoom"]
    range: Fraction


class Brightness(Section):
    """Add the same to all pixels: up to so many grey levels either way."""

    kind: Literal["brightness"]
    levels: Annotated[float, Field(gt=0, le=255)]


class Contrast(Section):
    """Multiply the differences from the image's mean by a factor between ``low`` and ``high``."""

    kind: Literal["contrast"]
    low: Annotated[float, Field(ge=0)]
    high: Annotated[float, Field(gt=0)]

    @model_validator(mode="after")
    def _ordered(self) -> Contrast:
        if self.low > self.high:
            raise refuse("low is above high", key="low", others=["high"])
        return self


Change = Annotated[
    HorizontalFlip | Shift | Rotation | Shear | Zoom | Brightness | Contrast, Field(discriminator="kind")
]


class Monitored(Section):
    """What is watched during a training."""

    monitor: Literal["val_loss", "val_accuracy"] = "val_loss"


class EarlyStopping(Monitored):
    """Stop when ``monitor`` has not improved for ``patience`` epochs."""

    kind: Literal["early_stopping"]
    patience: Annotated[int, Field(ge=0)] = 5
    restore_best: bool = True


class ReduceLearningRate(Monitored):
    """Multiply the learning rate by ``factor`` when ``monitor`` has not improved for ``patience`` epochs."""

    kind: Literal["reduce_learning_rate"]
    factor: Fraction = 0.1
    patience: Annotated[int, Field(ge=0)] = 10
    min_delta: Annotated[float, Field(ge=0)] = 1e-4


class BestCheckpoint(Monitored):
    """Keep the weights of the best epoch by ``monitor``, and end with them."""

    kind: Literal["checkpoint"]


class CosineSchedule(Section):
    """A learning rate that rises over ``warmup`` epochs and then falls, as half a cosine, to ``final`` of its height at the last."""

    kind: Literal["cosine"]
    warmup: Annotated[int, Field(ge=0)] = 0
    final: Annotated[float, Field(ge=0, lt=1)] = 0.0


def _none(given: Any) -> Any:
    """Return nothing where "none" is given."""
    return None if given == "none" else given


Callback = Annotated[EarlyStopping | ReduceLearningRate | BestCheckpoint, Field(discriminator="kind")]


class Model(Section):
    """An architecture and how it is trained.

    ``class_weights`` weigh the loss: "balanced" by n / (K n_k), "other-share" by the share of the other classes in two
    decimals, or as given by class id. ``init_from`` is a model whose trained weights this training begins with.
    ``test_input`` scales the test images where that differs from training, which is a mistake. ``corrects`` names the
    model that has the mistake which this one does not have. ``weights`` are those that it begins with up to its head:
    learnt on ImageNet, where it is described and not trained unless they are at hand, or those of a model of another
    study, ``study/model``. ``precision`` is that of ``[training]`` where it is not said. ``averaged_over`` are the changes of an
    image over which its probabilities are averaged, beside the image itself. ``minutes`` is what its training takes on
    two cores, to say before the first one how long it will take. ``source`` cites where network and settings are
    published, and ``rationale`` says why they were chosen.
    """

    id: Identifier
    title: Label
    architecture: Architecture
    params: dict[str, Any] = {}
    weights: InitialWeights = RANDOM
    init_from: Identifier | None = None
    corrects: Identifier | None = None
    input: InputScaling = InputScaling()
    test_input: Scale | None = None
    class_balance: Literal["none", "oversample", "square-root"] = "none"
    class_weights: Literal["none", "balanced", "other-share"] | dict[Identifier, Weight] = "none"
    augmentation: tuple[Change, ...] = ()
    augmented: Literal["each-epoch", "once"] = "each-epoch"
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    optimizer: Literal["adam", "adamw", "rmsprop", "sgd"] = "adam"
    learning_rate: Annotated[float, Field(gt=0)] = 0.001
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    schedule: Annotated[CosineSchedule | None, BeforeValidator(_none)] = None
    epochs: Annotated[int, Field(ge=1)]
    batch_size: Annotated[int, Field(ge=1)] = 32
    callbacks: tuple[Callback, ...] = ()
    precision: Literal["float32", "bfloat16"] | None = None
    averaged_over: tuple[Literal["horizontal_flip"], ...] = ()
    minutes: Annotated[float, Field(gt=0)] | None = None
    source: Citation = ""
    rationale: Rationale = ""

    @property
    def backbone(self) -> str:
        """The network in `analysis.models.backbones` that it stands on, "" if on none."""
        return str(self.params.get("backbone", ""))

    @property
    def study_of_weights(self) -> tuple[str, str]:
        """The study and the training there whose weights it begins with, "" where they are of no study."""
        study, _, model = self.weights.rpartition("/")
        return (study, model) if study else ("", "")

    @model_validator(mode="after")
    def _weights_are_known(self) -> Model:
        known = f"params.backbone is one of {', '.join(BACKBONES)}"
        if self.weights == IMAGENET and self.backbone not in BACKBONES:
            problem = f"weights learnt on ImageNet are those of a backbone; {known}"
            raise refuse(problem, key="weights", others=["params"])
        if self.backbone and "weights" not in self.model_fields_set and not self.init_from:
            raise refuse(
                f'says nothing of the weights of {self.backbone}: "{IMAGENET}", those of a model of another study, or "{RANDOM}"',
                key="params.backbone",
                others=["params", "weights"],
                hint=f'add weights = "{IMAGENET}"',
            )
        if self.weights != RANDOM and self.init_from:
            raise refuse("init_from has the weights that it begins with", key="weights", others=["init_from"])
        return self

    @model_validator(mode="after")
    def _interleaved_once(self) -> Model:
        if self.input.pixels == "interleaved" and self.augmentation and self.augmented != "once":
            problem = 'pixels are interleaved once, so augmentation must be too: augmented = "once"'
            raise refuse(problem, key="augmented", others=["input.pixels", "augmentation"])
        return self

    @model_validator(mode="after")
    def _decay_and_schedule_act(self) -> Model:
        if self.weight_decay and self.optimizer != "adamw":
            raise refuse("weights decay with adamw alone", key="weight_decay", others=["optimizer"])
        if self.schedule and any(callback.kind == "reduce_learning_rate" for callback in self.callbacks):
            raise refuse("a schedule sets the learning rate already", key="schedule", others=["callbacks"])
        if self.schedule and self.schedule.warmup >= self.epochs:
            raise refuse(
                "the warm-up must end before the last epoch", key="schedule.warmup", others=["epochs"]
            )
        return self

    def for_sample(self, epochs: int) -> Self:
        """Return the model trained for at most so many epochs; a warm-up ends before the last."""
        epochs = min(self.epochs, epochs)
        warmup = {"warmup": min(self.schedule.warmup, epochs - 1)} if self.schedule else {}
        schedule = self.schedule and self.schedule.model_copy(update=warmup)
        return self.model_copy(update={"epochs": epochs, "schedule": schedule})


def read_model(settings: Mapping[str, Any], key: str) -> Model:
    """Return the model with these settings.

    Raises
    ------
    PydanticCustomError
        Something is wrong with one of them: its key below ``key``.
    """
    try:
        return Model.model_validate_json(json.dumps(settings, default=str))
    except ValidationError as error:
        first = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
        own = first.get("ctx", {}).get("key")
        where = ".".join(map(str, (key, *first["loc"], *([own] if own else []))))
        if first["type"] != "extra_forbidden":
            raise refuse(first["msg"], key=where) from error
        hint = did_you_mean(nearest(str(first["loc"][-1]), Model.model_fields), "")
        raise refuse("unknown key", key=where, hint=hint) from error
