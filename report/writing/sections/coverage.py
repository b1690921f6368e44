"""Facts of the section on requirements: where each is answered, and which settings are not as it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from report.study.dotted_names import find_setting
from report.writing.study_facts import Section


class Coverage(Section):
    """Where the report answers what it is required to."""

    def places(self, requirement: Mapping[str, Any]) -> list[str]:
        """Return the ids of the parts that answer a requirement."""
        where = requirement["where"]
        return [where] if isinstance(where, str) else list(where)

    def deviations(self, requirement: Mapping[str, Any]) -> dict[str, str]:
        """Return the settings that are not as a requirement asks for, and what they are."""
        found = {name: find_setting(self.study, name) for name in requirement["holds"]}
        return {name: str(value) for name, value in found.items() if value != requirement["holds"][name]}
