"""A trained network as a file: the same network, the same bytes."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import keras

FIRST_DAY = (1980, 1, 1, 0, 0, 0)


def save(model: keras.Model, architecture: str, path: Path, scratch: Path) -> None:
    """Write the weights of ``model`` with its ``architecture`` (JSON) to ``path`` in Keras' format.

    Left out are the dates that Keras puts in, and the optimizer, which would treble the file.
    """
    bare = keras.models.model_from_json(architecture)
    for variable, trained in zip(bare.variables, model.variables, strict=True):
        variable.assign(trained)
    dated = scratch / "dated.keras"
    bare.save(dated)
    with zipfile.ZipFile(dated) as source, zipfile.ZipFile(path, "w") as target:
        for name in sorted(source.namelist()):
            content = source.read(name)
            if name == "metadata.json":
                content = _undated(content)
            target.writestr(zipfile.ZipInfo(name, FIRST_DAY), content)
    dated.unlink()


def _undated(metadata: bytes) -> bytes:
    facts = json.loads(metadata)
    del facts["date_saved"]
    return json.dumps(facts, sort_keys=True).encode()
