"""The published figures of a study: ``published.toml`` beside its ``study.toml``, and when ours may be compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

if TYPE_CHECKING:
    from report.study.study import Model, Study

GENERATED = "the pictures are generated"
NAME = r"^[a-z][a-z0-9_]*$"
Id = Annotated[str, StringConstraints(pattern=NAME)]
Figure = Annotated[str, StringConstraints(pattern=r"^\d+(\.\d+)?$")]
ResultName = Annotated[
    str, StringConstraints(pattern=r"^(train|val|test|training|architecture)\.[a-z0-9_]+(\.[a-z0-9_]+)?$")
]
Count = Annotated[int, Field(ge=0)]
BESIDE_TRAINING = {"id", "title", "weights", "corrects", "minutes"}
"""What of a model tells nothing of how it is built and trained."""


class Part(BaseModel):
    """A table of ``published.toml``: frozen, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Protocol(Part):
    """Under what conditions the figures were obtained: only ours of the same conditions are compared with them.

    ``settings`` has values of the study file by dotted name that must be the same, ``models`` by id all settings of a
    ``[[models]]`` table that are not its default; ``other`` says of a model what cannot be repeated; ``counts`` are the
    published numbers of pictures by ``<split>[.<class>]``; ``notes`` tell what else differs or is not known.
    """

    classes: tuple[Id, ...]
    settings: dict[str, Any] = {}
    models: dict[Id, dict[str, Any]] = {}
    other: dict[Id, str] = {}
    counts: dict[str, Count] = {}
    notes: tuple[str, ...] = ()


class PublishedResult(Part):
    """Figures of one model, read in one place, as printed there.

    ``run`` names another training of the same model than the study's main one. ``confusion`` is the matrix of the test
    set, rows true classes; ``pictures`` the size of the test set where no matrix was published.
    """

    model: Id
    run: Id | None = None
    title: str = ""
    source: Literal["notebook", "readme", "plot", "derived", "inferred"]
    pictures: Annotated[int, Field(gt=0)] | None = None
    confusion: tuple[tuple[Count, ...], ...] | None = None
    figures: dict[ResultName, Figure] = {}


class Choice(Part):
    """The model that the published study chose; ``reason`` ends the sentence "The published study chose its model"."""

    model: Id
    reason: Annotated[str, Field(min_length=1)]


class Published(Part):
    """What a study published, where it was read, and under what conditions it holds."""

    repository: str
    read: str
    protocol: Protocol
    choice: Choice | None = None
    results: Annotated[tuple[PublishedResult, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _choice_has_figures(self) -> Published:
        models = {result.model for result in self.results}
        if self.choice and self.choice.model not in models:
            raise ValueError(
                f"choice.model: no result is of {self.choice.model!r} (models: {', '.join(sorted(models))})"
            )
        return self

    @model_validator(mode="after")
    def _matrices_fit(self) -> Published:
        k = len(self.protocol.classes)
        for result in self.results:
            matrix = result.confusion
            if matrix is not None and (len(matrix) != k or any(len(row) != k for row in matrix)):
                raise ValueError(f"{result.model}: confusion is no matrix of {k} x {k}, as the classes are")
        return self


def bars(study: Study, overrides: Sequence[str], *, sample: bool) -> dict[str, list[str]]:
    """Return for each model of a study why its figures may not be compared with the published ones; none is good.

    ``overrides`` are the changes made on the command line, ``sample`` whether the pictures are generated.
    """
    assert study.published is not None
    if sample:
        return {model.id: [GENERATED] for model in study.models}
    shared = [*_of_protocol(study, study.published.protocol)]
    return {model.id: [*shared, *_of_model(study, model, overrides)] for model in study.models}


def _of_protocol(study: Study, protocol: Protocol) -> Iterator[str]:
    missing = [c for c in protocol.classes if c not in {found.id for found in study.classes}]
    if missing:
        yield f"{len(study.classes)} classes here, {len(protocol.classes)} published: without {', '.join(missing)}"
    elif len(study.classes) > len(protocol.classes):
        yield f"{len(study.classes)} classes here, {len(protocol.classes)} published"
    values = study.model_dump(mode="json")
    for name, published in protocol.settings.items():
        yield from _unlike(name, setting(values, name), published)


def _of_model(study: Study, model: Model, overrides: Sequence[str]) -> Iterator[str]:
    assert study.published is not None
    protocol = study.published.protocol
    if published := study.as_published(model.id):
        ours, theirs = model.model_dump(mode="json"), published.model_dump(mode="json")
        for name in theirs:
            if name not in BESIDE_TRAINING:
                yield from _unlike(name, ours[name], theirs[name])
    else:
        for override in overrides:
            if override.strip().startswith(f"models.{model.id}."):
                yield f"changed for this build: {override.strip()}"
    if model.id in protocol.other:
        yield protocol.other[model.id]
    for first in study.models:
        if first.id == model.init_from and any(_of_model(study, first, overrides)):
            yield f"it goes on from the weights of {first.title}, which are not as published"


def _unlike(name: str, ours: Any, published: Any) -> Iterator[str]:
    if ours != published:
        simple = not isinstance(ours, dict | list) and not isinstance(published, dict | list)
        yield f"{name} is {ours} here, published {published}" if simple else f"{name} is not as published"


def setting(values: Mapping[str, Any], name: str) -> Any:
    """Return a value of the study file by its dotted name, None where there is none; lists are reached by ``id``."""
    place: Any = values
    for key in name.split("."):
        if isinstance(place, list):
            place = next((item for item in place if item["id"] == key), None)
        else:
            place = place.get(key) if isinstance(place, dict) else None
    return place
