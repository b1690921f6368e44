"""What a study file says of an ablation: the components of a network, each as changes of its settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from report.study.model_settings import Model, read_model
from report.study.value_types import Identifier, Label, Section, refuse

MOST_COMPONENTS = 5
FIXED = frozenset(("id", "title", "weights", "init_from", "corrects", "source", "rationale"))
"""Keys of a model that are none of how it is built and trained, or that other models depend on."""
EXAMPLE = "an [ablation] with model and components, as templates/study/study.toml shows"


class Component(Section):
    """A component of a network: keys of ``[[models]]`` that take it from there, and those that add it to the baseline.

    There are none ``with`` it where the baseline cannot bear it. ``params`` stand beside those that the network has.
    ``title`` is as it stands in a sentence, and so is what stands ``instead`` of it: words for arguments of the network.
    """

    id: Identifier
    title: Label
    instead: Label | None = None
    without: Annotated[dict[str, Any], Field(min_length=1)]
    added: Annotated[dict[str, Any] | None, Field(alias="with", min_length=1)] = None

    @property
    def changes(self) -> dict[str, dict[str, Any]]:
        """What is changed, by the key of the study file: ``without``, and ``with`` if there is any."""
        return {"without": self.without, **({"with": self.added} if self.added else {})}

    def for_sample(self, models: Mapping[str, Model], epochs: int) -> Self:
        """Return the component whose ``models``, as `Study.vary` has them, are trained for at most so many epochs."""
        short = {key: model.for_sample(epochs).select("epochs", "schedule") for key, model in models.items()}
        changes = {key: {**self.changes[key], **settings} for key, settings in short.items()}
        return self.model_copy(update={"without": changes["without"], "added": changes.get("with")})


class Ablation(Section):
    """Which network is trained again without each of its components, and whether a build does so.

    The baseline of ``[comparison]`` is trained again with each. Without a component so many of ``training.seeds`` are
    taken as ``leave_seeds`` says, the first ones, and with it as ``add_seeds``; of one seed, that.
    """

    model: Identifier = ""
    run: bool = False
    leave_seeds: Annotated[int, Field(ge=2)] = 2
    add_seeds: Annotated[int, Field(ge=1)] = 1
    components: Annotated[tuple[Component, ...], Field(max_length=MOST_COMPONENTS)] = ()

    @model_validator(mode="after")
    def _names_components(self) -> Self:
        if not self.model or not self.components:
            raise refuse("the study names no components", key="run", hint=f"write {EXAMPLE}")
        ids = [c.id for c in self.components]
        for number, name in enumerate(ids):
            if name in ids[:number]:
                raise refuse(f"{name} is declared twice", key=f"components.{number}.id")
        return self


def vary(model: Model, component: Component, key: str) -> Model:
    """Return a model ``without`` or ``with`` a component, named after both.

    Raises
    ------
    PydanticCustomError
        A setting cannot be changed, or not so.
    """
    changes, where = component.changes[key], f"ablation.components.{component.id}.{key}"
    if barred := [name for name in changes if name in FIXED]:
        raise refuse("no setting of a network or its training", key=f"{where}.{barred[0]}")
    settings = {**model.model_dump(mode="json", exclude_unset=True), **changes}
    if isinstance(changes.get("params"), dict):
        settings["params"] = {**model.params, **changes["params"]}
    return read_model(settings, where).model_copy(update={"id": f"{model.id}_{key}_{component.id}"})
