"""A trained network as a file: the same network, the same bytes."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import keras

FIRST_DAY = (1980, 1, 1, 0, 0, 0)


def save_model(model: keras.Model, architecture: str, path: Path, scratch: Path) -> None:
    """Write the weights of ``model`` with its ``architecture`` (JSON) to ``path`` in Keras' format.

    Left out are the dates that Keras puts in, and the optimizer, which would treble the file.
    """
    untrained = keras.models.model_from_json(architecture)
    for variable, trained in zip(untrained.variables, model.variables, strict=True):
        variable.assign(trained)
    with_date = scratch / "with_date.keras"
    untrained.save(with_date)
    with zipfile.ZipFile(with_date) as source, zipfile.ZipFile(path, "w") as target:
        for name in sorted(source.namelist()):
            content = source.read(name)
            if name == "metadata.json":
                content = _without_date(content)
            target.writestr(zipfile.ZipInfo(name, FIRST_DAY), content)
    with_date.unlink()


def _without_date(metadata: bytes) -> bytes:
    facts = json.loads(metadata)
    del facts["date_saved"]
    return json.dumps(facts, sort_keys=True).encode()
