"""The facts of all sections, as templates ask for them: ``facts.data.flow()``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from report.writing.sections.abstract import Abstract
from report.writing.sections.comparison import Comparison
from report.writing.sections.coverage import Coverage
from report.writing.sections.data import Data
from report.writing.sections.details import Details
from report.writing.sections.models import Models
from report.writing.sections.results import Results
from report.writing.study_facts import StudyFacts


@dataclass(frozen=True)
class Facts:
    """The facts of each section, under the name of its template."""

    abstract: Abstract
    comparison: Comparison
    coverage: Coverage
    data: Data
    details: Details
    models: Models
    results: Results

    @classmethod
    def of(cls, study: StudyFacts, verdicts: Sequence[Mapping[str, Any]]) -> Facts:
        """Return the facts of a study with the ``verdicts`` on its comparisons."""
        return cls(
            abstract=Abstract(study),
            coverage=Coverage(study),
            comparison=Comparison(study, verdicts),
            data=Data(study),
            details=Details(study),
            models=Models(study),
            results=Results(study),
        )
