"""On which line of a TOML file a key stands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

Path = tuple[str, ...]
_HEADER = re.compile(r"(?P<many>\[)?\[(?P<keys>[^\[\]]+)\]\]?\s*(?:#.*)?")
_KEY = re.compile(r"""(?P<keys>(?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")


def line(text: str, data: Mapping[str, Any], dotted: str) -> int:
    """Return the line of ``models.baseline.epochs``, or of what it stands in; 0 if nothing of it is in the file.

    Parameters
    ----------
    text : str
        The file, valid TOML.
    data : mapping
        What it says; tables of a list are called by their ``id``, or by their number from 0.
    """
    wanted = tuple(dotted.split("."))
    found = [(len(path), -number) for number, path in _paths(text, data) if wanted[: len(path)] == path]
    return -max(found)[1] if found else 0


def _paths(text: str, data: Mapping[str, Any]) -> Iterator[tuple[int, Path]]:
    """Yield the lines that name a key or table, and what they name."""
    table: Path = ()
    seen: dict[Path, int] = {}
    for number, written in enumerate(text.split("\n"), 1):
        stripped = written.strip()
        if header := _HEADER.fullmatch(stripped):
            table = _of_list(_split(header["keys"]), data, seen) if header["many"] else _split(header["keys"])
            yield number, table
        elif key := _KEY.match(stripped):
            yield number, table + _split(key["keys"])


def _split(keys: str) -> Path:
    return tuple(key.strip().strip("\"'") for key in keys.split("."))


def _of_list(keys: Path, data: Any, seen: dict[Path, int]) -> Path:
    """Return the path of the next table of a list."""
    index = seen[keys] = seen.get(keys, -1) + 1
    for key in keys:
        data = data.get(key, {}) if isinstance(data, Mapping) else {}
    item = data[index] if isinstance(data, list) and index < len(data) else {}
    return (*keys, str(item.get("id", index)) if isinstance(item, Mapping) else str(index))
