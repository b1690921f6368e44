"""The facts of all sections, as templates ask for them: ``facts.data.flow()``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from report.writing.sections.comparison import Comparison
from report.writing.sections.data import Data
from report.writing.sections.models import Models
from report.writing.sections.results import Results
from report.writing.study_facts import StudyFacts


@dataclass(frozen=True)
class Facts:
    """The facts of each section, under the name of its template."""

    comparison: Comparison
    data: Data
    models: Models
    results: Results

    @classmethod
    def of(cls, study: StudyFacts, verdicts: Sequence[Mapping[str, Any]]) -> Facts:
        """Return the facts of a study with the ``verdicts`` on its comparisons."""
        return cls(
            comparison=Comparison(study, verdicts),
            data=Data(study),
            models=Models(study),
            results=Results(study),
        )
