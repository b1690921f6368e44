"""Facts of the section that has all models side by side: which one is chosen, and their classification reports."""

from __future__ import annotations

from typing import Any

from analysis.vocabulary.measures import MACRO, REPORTED
from report.document.markdown import escape
from report.writing.study_facts import Section
from report.writing.values import MISSING, decimal


class Across(Section):
    """What the report says of all models of a study together."""

    @property
    def measure(self) -> str:
        """The measure by which models are compared and chosen."""
        return str(self.facts.declared["primary"])

    @property
    def chosen(self) -> str:
        """The model with the highest primary measure on validation, the first of equals."""
        return self._highest("val")

    @property
    def best_on_test(self) -> str:
        """The model with the highest primary measure on test, the chosen one if it is among equals."""
        highest = self._highest("test")
        is_equal = self._score(highest, "test") == self._score(self.chosen, "test")
        return self.chosen if is_equal else highest

    def equals(self) -> list[str]:
        """Return the models that have the same primary measure on validation as the chosen one."""
        best = self._score(self.chosen, "val")
        return [m for m in self.facts.trained if m != self.chosen and self._score(m, "val") == best]

    def _highest(self, split: str) -> str:
        return max(self.facts.trained, key=lambda model: self._score(model, split))

    def _score(self, model: str, split: str) -> float:
        value = self.values.value(f"{model}.{split}.{self.measure}")
        return -1.0 if value is None else float(value)

    def reports(self, split: str) -> list[dict[str, Any]]:
        """Return a row for each model and class: the ``model``'s title (in its first row), the ``class`` and its ``cells``."""
        return [
            {
                "model": escape(model["title"]) if class_id == self.facts.classes[0] else "",
                "class": class_id,
                "cells": [self.values.text(f"{model['id']}.{split}.{m}.{class_id}") for m in REPORTED],
                "support": ""
                if class_id == MACRO
                else self.values.text(f"{model['id']}.{split}.support.{class_id}"),
            }
            for model in self.study["models"]
            for class_id in (*self.facts.classes, MACRO)
        ]

    def short_reports(self, split: str) -> list[list[str]]:
        """Return a row for each model: its title, its accuracy, and all measures of a class in one cell, with two decimals."""
        return [
            [
                escape(model["title"]),
                self.values.text(f"{model['id']}.{split}.accuracy"),
                *(self._short_report(f"{model['id']}.{split}", c) for c in (*self.facts.classes, MACRO)),
            ]
            for model in self.study["models"]
        ]

    def _short_report(self, prefix: str, class_id: str) -> str:
        values = (self.values.value(f"{prefix}.{measure}.{class_id}") for measure in REPORTED)
        return " / ".join(MISSING if value is None else decimal(value, 2) for value in values)
