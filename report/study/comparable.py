"""When our figures may be compared with the published ones: under the same conditions only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from report.study.dotted_names import find_setting
from report.study.model_settings import Model
from report.study.published import Protocol
from report.study.study import Study

GENERATED = "the images are generated"
BESIDE_TRAINING = {"id", "title", "corrects", "minutes", "source", "rationale"}
"""What of a model tells nothing of how it is built and trained."""


def find_obstacles(study: Study, overrides: Sequence[str], *, sample: bool) -> dict[str, list[str]]:
    """Return for each model of a study why its figures may not be compared with the published ones.

    Parameters
    ----------
    study : Study
        One that has published figures.
    overrides : sequence of str
        Changes made on the command line, which count where ``published.toml`` tells no settings of a model.
    sample : bool
        Whether the images are generated.

    Returns
    -------
    dict of str to list of str
        By the id of each model its reasons; a model without any may be compared.
    """
    assert study.published is not None
    if sample:
        return {model.id: [GENERATED] for model in study.models}
    shared = [*_compare_settings(study, study.published.protocol)]
    return {model.id: [*shared, *_compare_model(study, model, overrides)] for model in study.models}


def _compare_settings(study: Study, protocol: Protocol) -> Iterator[str]:
    missing = [c for c in protocol.classes if c not in {found.id for found in study.classes}]
    if missing:
        yield f"{len(study.classes)} classes here, {len(protocol.classes)} published: without {', '.join(missing)}"
    elif len(study.classes) > len(protocol.classes):
        yield f"{len(study.classes)} classes here, {len(protocol.classes)} published"
    values = study.as_json()
    for name, published in protocol.settings.items():
        yield from _compare_values(name, find_setting(values, name), published)


def _compare_model(study: Study, model: Model, overrides: Sequence[str]) -> Iterator[str]:
    assert study.published is not None
    protocol = study.published.protocol
    if published := study.as_published(model.id):
        ours, theirs = model.model_dump(mode="json"), published.model_dump(mode="json")
        for name in theirs:
            if name not in BESIDE_TRAINING:
                yield from _compare_values(name, ours[name], theirs[name])
    else:
        for override in overrides:
            if override.strip().startswith(f"models.{model.id}."):
                yield f"changed for this build: {override.strip()}"
    if model.id in protocol.other:
        yield protocol.other[model.id]
    for first in study.models:
        if first.id == model.init_from and any(_compare_model(study, first, overrides)):
            yield f"it goes on from the weights of {first.title}, which are not as published"


def _compare_values(name: str, ours: Any, published: Any) -> Iterator[str]:
    if ours != published:
        simple = not isinstance(ours, dict | list) and not isinstance(published, dict | list)
        yield f"{name} is {ours} here, published {published}" if simple else f"{name} is not as published"
