"""Settings of a study by their dotted names, such as ``models.baseline.epochs``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def find_setting(values: Mapping[str, Any], name: str) -> Any:
    """Return a value of the study file by its dotted name, None where there is none; lists are reached by ``id``."""
    place: Any = values
    for key in name.split("."):
        if isinstance(place, list):
            place = next((item for item in place if item["id"] == key), None)
        else:
            place = place.get(key) if isinstance(place, dict) else None
    return place
