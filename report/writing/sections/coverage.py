"""Facts of the section on requirements: where each is answered, and which settings are not as it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from report.writing.study_facts import Section


class Coverage(Section):
    """Where the report answers what it is required to."""

    def places(self, requirement: Mapping[str, Any]) -> list[str]:
        """Return the ids of the parts that answer a requirement."""
        where = requirement["where"]
        return [where] if isinstance(where, str) else list(where)

    def deviations(self, requirement: Mapping[str, Any]) -> dict[str, str]:
        """Return the settings that are not as a requirement asks for, and what they are."""
        return {
            name: str(self._setting(name))
            for name, value in requirement["holds"].items()
            if self._setting(name) != value
        }

    def _setting(self, name: str) -> Any:
        """Return a value of the study file by its dotted name; lists of tables are reached by ``id``."""
        place: Any = self.study
        for key in name.split("."):
            if isinstance(place, list):
                place = next((item for item in place if item["id"] == key), {})
            else:
                place = place.get(key, {})
        return place
