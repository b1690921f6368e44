"""The published figures of a study: ``published.toml`` beside its ``study.toml``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from report.study.value_types import NAME, Section, refuse

Id = Annotated[str, StringConstraints(pattern=NAME)]
Figure = Annotated[str, StringConstraints(pattern=r"^\d+(\.\d+)?$")]
ResultName = Annotated[
    str, StringConstraints(pattern=r"^(train|val|test|training|architecture)\.[a-z0-9_]+(\.[a-z0-9_]+)?$")
]
Count = Annotated[int, Field(ge=0)]


class Protocol(Section):
    """Under what conditions the figures were obtained: only ours of the same conditions are compared with them.

    ``settings`` has values of the study file by dotted name that must be the same, ``models`` by id all settings of a
    ``[[models]]`` table that are not its default; ``other`` says of a model what cannot be repeated; ``counts`` are the
    published numbers of images by ``<split>[.<class>]``; ``notes`` tell what else differs or is not known.
    """

    classes: tuple[Id, ...]
    settings: dict[str, Any] = {}
    models: dict[Id, dict[str, Any]] = {}
    other: dict[Id, str] = {}
    counts: dict[str, Count] = {}
    notes: tuple[str, ...] = ()


class PublishedResult(Section):
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


class Choice(Section):
    """The model that the published study chose; ``reason`` ends the sentence "The published study chose its model"."""

    model: Id
    reason: Annotated[str, Field(min_length=1)]


class Published(Section):
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
            problem = f"no result is of {self.choice.model!r} (models: {', '.join(sorted(models))})"
            raise refuse(problem, key="choice.model")
        return self

    @model_validator(mode="after")
    def _matrices_fit(self) -> Published:
        k = len(self.protocol.classes)
        for number, result in enumerate(self.results):
            matrix = result.confusion
            if matrix is not None and (len(matrix) != k or any(len(row) != k for row in matrix)):
                problem = f"no matrix of {k} x {k}, as the classes are"
                raise refuse(problem, key=f"results.{number}.confusion", others=["protocol.classes"])
        return self
