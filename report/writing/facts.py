"""What templates can use: results, what things are called, and the facts of each section as ``facts.data.flow()``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.evaluation import settings
from analysis.vocabulary.measures import COLUMNS
from analysis.vocabulary.splits import SPLITS
from report.writing.across import Across
from report.writing.floats import bold_row, figure_writer, references, row, rule
from report.writing.ledger import Ledger
from report.writing.sections.abstract import Abstract
from report.writing.sections.comparison import Comparison
from report.writing.sections.coverage import Coverage
from report.writing.sections.data import Data
from report.writing.sections.details import Details
from report.writing.sections.models import Models
from report.writing.sections.reproduce import Reproduce
from report.writing.sections.results import Results
from report.writing.sentences import Sentences
from report.writing.study_facts import StudyFacts
from report.writing.tables import PRIMARY, Tables
from report.writing.values import NO_BREAK, percent, unbroken
from report.writing.verdicts import Verdicts


@dataclass(frozen=True)
class Facts:
    """The facts of each section, under the name of its template."""

    abstract: Abstract
    comparison: Comparison
    coverage: Coverage
    data: Data
    details: Details
    models: Models
    reproduce: Reproduce
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
            reproduce=Reproduce(study),
            results=Results(study),
        )


def known_to_templates(
    facts: StudyFacts,
    verdicts: Sequence[Mapping[str, Any]],
    figures: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    """Return what every template can use: results, what things are called, and the facts of each section."""
    values = facts.values
    tables = Tables(facts.study, values, facts.inputs, facts.many, facts.sample)
    decided = Verdicts(facts.study, values, tables, verdicts)
    return {
        "study": facts.study,
        "sample": facts.sample,
        "many": facts.many,
        "grouped": facts.is_grouped,
        "reported_class": facts.reported_class,
        "r": values,
        "value": values.value,
        "ci": values.bounded,
        "aside": values.aside,
        "entry": values.entry,
        "text": values.text,
        "interval": values.interval,
        "settings": {name: value for name, value in vars(settings).items() if name.isupper()},
        "title": facts.title,
        "label": facts.label,
        "splits": SPLITS,
        "analyses": facts.analyses,
        "classifiers": facts.classifiers(),
        "normal_class": facts.normal_class,
        "several": facts.several,
        "titles": facts.titles,
        "ends": facts.ends,
        "nbsp": NO_BREAK,
        "cell": lambda name: unbroken(values.cell(name)),
        "columns": COLUMNS,
        "level": percent(settings.LEVEL),
        "together": [facts.title(m) for m in facts.together],
        "origin": facts.origin,
        "facts": Facts.of(facts, verdicts),
        "row": row,
        "bold_row": bold_row,
        "rule": rule,
        "references": references,
        "figure": figure_writer(figures),
        # not yet in sections of their own
        "tables": tables,
        "verdict": decided,
        "across": Across(facts.study, values, tables),
        "ledger": Ledger(facts.study, values, tables),
        "sentences": Sentences(
            facts.study, values, tables, decided, "generated pictures" if facts.sample else "chest X-rays"
        ),
        "primary_name": PRIMARY.get((facts.study["comparison"] or {}).get("primary", ""), ""),
        "has_normal": bool(facts.normal_class),
    }
