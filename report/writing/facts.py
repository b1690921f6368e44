"""What templates can use: results, what things are called, and the facts of each section as ``facts.data.flow()``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from analysis.evaluation import settings
from analysis.vocabulary.measures import COLUMNS
from analysis.vocabulary.splits import SPLITS
from report.writing.floats import bold_row, figure_writer, grid, references, row, rule
from report.writing.sections.ablation import Ablation
from report.writing.sections.abstract import Abstract
from report.writing.sections.across import Across
from report.writing.sections.attention import Attention
from report.writing.sections.audit import Audit
from report.writing.sections.comparison import Comparison
from report.writing.sections.coverage import Coverage
from report.writing.sections.data import Data
from report.writing.sections.details import Details
from report.writing.sections.discussion import Discussion
from report.writing.sections.draws import Draws
from report.writing.sections.explanation import Explanation
from report.writing.sections.external import External
from report.writing.sections.folds import Folds
from report.writing.sections.label_quality import LabelQuality
from report.writing.sections.ledger import Ledger
from report.writing.sections.models import Models
from report.writing.sections.pretraining import Pretraining
from report.writing.sections.probabilities import Probabilities
from report.writing.sections.references import References
from report.writing.sections.reproduce import Reproduce
from report.writing.sections.results import Results
from report.writing.sections.subsets import Subsets
from report.writing.study_facts import FEW, StudyFacts
from report.writing.values import NO_BREAK, percent, unbroken


def facts_of_sections(study: StudyFacts, verdicts: Sequence[Mapping[str, Any]]) -> SimpleNamespace:
    """Return the facts of each section, under the name of its template; ``verdicts`` are those on the comparisons."""
    comparison = Comparison(study, verdicts)
    return SimpleNamespace(
        ablation=Ablation(study),
        abstract=Abstract(study),
        across=Across(study),
        attention=Attention(study),
        audit=Audit(study),
        comparison=comparison,
        coverage=Coverage(study),
        data=Data(study),
        details=Details(study),
        discussion=Discussion(study),
        draws=Draws(study),
        explanation=Explanation(study),
        external=External(study),
        folds=Folds(study),
        label_quality=LabelQuality(study),
        ledger=Ledger(study),
        models=Models(study),
        pretraining=Pretraining(study),
        probabilities=Probabilities(study),
        references=References(study, comparison.analyses),
        reproduce=Reproduce(study),
        results=Results(study),
        subsets=Subsets(study),
    )


def known_to_templates(
    facts: StudyFacts,
    verdicts: Sequence[Mapping[str, Any]],
    figures: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    """Return what every template can use: results, what things are called, and the facts of each section."""
    values = facts.values
    return {
        "study": facts.study,
        "sample": facts.sample,
        "many": facts.many,
        "main": [facts.model(m) for m in facts.main],
        "others": [facts.model(m) for m in facts.trained if m not in facts.main],
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
        "few": FEW,
        "cell": lambda name: unbroken(values.cell(name)),
        "columns": COLUMNS,
        "level": percent(settings.LEVEL),
        "together": [facts.title(m) for m in facts.together],
        "origin": facts.origin,
        "findings": facts.findings,
        "facts": facts_of_sections(facts, verdicts),
        "row": row,
        "bold_row": bold_row,
        "rule": rule,
        "grid": grid,
        "references": references,
        "figure": figure_writer(figures),
        "has_normal": bool(facts.normal_class),
    }
