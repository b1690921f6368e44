"""Where a file lies that a stage was given: in the folder of another stage, or by itself."""

from __future__ import annotations

from pathlib import Path


def find_file(given: Path, name: str) -> Path:
    """Return the file ``name`` of an input: in it where it is a folder, else it is that file, whatever it is called."""
    return given / name if given.is_dir() else given
