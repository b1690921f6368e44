"""What a result depends on: the recipe of a stage, and the key that is its digest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from report.engine.code import PYTHON, Code, Project
from report.engine.sources import OnRead, digest_source, digest_tree
from report.engine.stage import Json, Source, Stage
from report.engine.store import FORMAT, canonical
from report.engine.system.distributions import find_version
from report.engine.system.files import remember
from report.errors import StageError

Recipe = dict[str, Any]


class Surroundings:
    """Everything outside the cache that keys depend on, looked at once."""

    def __init__(self, project: Project, index: Path) -> None:
        self._index = index
        self._code = Code(project, index)
        self._sources: dict[Source, str] = {}

    def recipe(self, stage: Stage, outputs: Mapping[str, str], on_read: OnRead | None = None) -> Recipe:
        """Return all that the result of ``stage`` depends on; ``outputs`` are digests by the name of an input."""
        inputs = dict(outputs)
        for name, where in stage.inputs.items():
            if isinstance(where, Source) and where.keyed:
                inputs[name] = self._digest(where, on_read)
        return {
            "format": FORMAT,
            "function": stage.function,
            "params": json_params(stage),
            "code": self._code.closure((stage.function, *stage.uses)),
            "environment": {
                "python": PYTHON,
                **{name: find_version(name) for name in sorted(stage.packages)},
            },
            "threads": stage.threads,
            "inputs": inputs,
        }

    def _digest(self, source: Source, on_read: OnRead | None) -> str:
        """Return the digest of a source, and keep the list of its files for explanations."""
        if source not in self._sources:
            digests = digest_source(source, self._index, on_read)
            self._sources[source] = digest_tree(digests)
            listing = tree_file(self._index, self._sources[source])
            if not listing.exists():
                remember(listing, canonical({**digests}))
        return self._sources[source]

    def save(self) -> None:
        """Keep what was found out about our own code for the next time."""
        self._code.index.save()


def tree_file(index: Path, digest: str) -> Path:
    """Return where the list of the files behind the digest of a source is kept."""
    return index / "trees" / f"{digest}.json"


def json_params(stage: Stage) -> dict[str, Json]:
    """Return the parameters as the JSON that the key is made of, which the function gets too.

    Raises
    ------
    StageError
        A value is no JSON, or no finite number.
    """
    return {name: _json(value, f"{stage.name}: parameter {name}") for name, value in stage.params.items()}


def _json(value: Json, where: str) -> Json:
    with suppress(TypeError, ValueError):
        normal: Json = json.loads(canonical(value))
        if normal == value:
            return normal
    raise StageError(f"{where} is {value!r}: not made of finite numbers, texts, lists and tables")
