"""The table ``[pretraining]`` of a study file: another collection of X-rays, on which a network is trained first."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from report.study.collisions import find_alike
from report.study.model_settings import Model
from report.study.settings import Dataset
from report.study.value_types import RANDOM, Fraction, Identifier, Label, Section, Title, refuse


class LearntClass(Section):
    """A class of the other collection: its name in results, its label in the data and the report."""

    id: Identifier
    label: Label


class Pretraining(Dataset):
    """Images to learn from before those of the study; all keys of ``[dataset]`` say how they are read.

    Those are left out that the study validates or tests on, or on whose patient. ``title`` is what the report calls the
    collection, as it stands in a sentence; ``classes`` are its own. ``val`` is the share of its images by which the training
    is watched, drawn by ``seed``, which the training has too. ``model`` is the network; models of the study whose ``weights``
    are "pretraining" begin with its layers up to the head.
    """

    title: Title
    classes: Annotated[tuple[LearntClass, ...], Field(min_length=2)]
    val: Fraction = 0.2
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 42
    model: Model
    pictures: Annotated[int, Field(ge=80, le=2000)] = 120

    @property
    def class_ids(self) -> list[str]:
        """The ids of the classes, in their order."""
        return [c.id for c in self.classes]

    @model_validator(mode="after")
    def _is_whole(self) -> Pretraining:
        if self.without:
            raise refuse("leave the class out of pretraining.classes", key="without")
        if self.model.weights != RANDOM or self.model.init_from:
            problem = "the network that is trained first begins with random weights"
            raise refuse(problem, key="model.weights" if self.model.weights != RANDOM else "model.init_from")
        for number, name in enumerate(self.class_ids):
            if name in self.class_ids[:number]:
                raise refuse(f"{name} is declared twice", key=f"classes.{number}.id")
        if found := find_alike({f"classes.{c.id}.label": c.label for c in self.classes}, ()):
            raise refuse(found[1], key=found[0])
        weights = self.model.class_weights
        if isinstance(weights, dict) and weights.keys() != {*self.class_ids}:
            raise refuse("needs one weight for each class", key="model.class_weights")
        for key, names in {"folders": self.folders, "values": self.values}.items():
            for name in sorted(set(names) - set(self.class_ids)):
                raise refuse(f"no class to learn first is called {name!r}", key=key)
        return self
