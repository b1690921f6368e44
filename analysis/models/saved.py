"""A trained network as a file: the same network, the same bytes."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import keras

FIRST_DAY = (1980, 1, 1, 0, 0, 0)


def save(model: keras.Model, path: Path, scratch: Path) -> None:
    """Write ``model`` to ``path`` in Keras' format, without the dates that Keras puts into it."""
    dated = scratch / "dated.keras"
    model.save(dated)
    with zipfile.ZipFile(dated) as source, zipfile.ZipFile(path, "w") as target:
        for name in sorted(source.namelist()):
            content = source.read(name)
            target.writestr(
                zipfile.ZipInfo(name, FIRST_DAY), _undated(content) if name == "metadata.json" else content
            )
    dated.unlink()


def _undated(metadata: bytes) -> bytes:
    facts = json.loads(metadata)
    del facts["date_saved"]
    return json.dumps(facts, sort_keys=True).encode()
