"""Facts of how the models stand to the reference classifiers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from analysis.vocabulary.measures import HEADLINES, pair_name
from analysis.vocabulary.reference_classifiers import LOW_DETAIL, MAJORITY
from report.writing.study_facts import Section
from report.writing.values import MISSING

NEAR = 0.01
"""Areas under ROC curves that are no further apart than this are told to be near one another."""
Standing = Literal["above", "below", "not_above", "unknown"]


@dataclass(frozen=True)
class References(Section):
    """What the report says of its models beside the low-detail classifier, in the primary measure.

    Parameters
    ----------
    analyses : sequence of str
        The suffixes of the analyses in which they are held against it.
    """

    analyses: Sequence[str]

    @property
    def measure(self) -> str:
        """The primary measure."""
        return str(self.facts.declared["primary"])

    def result(self, owner: str) -> str:
        """Return the name of a result in the primary measure, on the compared split."""
        return f"{owner}.{self.facts.declared['split']}.{self.measure}"

    def reference(self, analysis: str = "") -> str:
        """Return the name of the result of the low-detail classifier."""
        return self.result(f"{LOW_DETAIL.id}{analysis}")

    def stand_alike(self, models: Sequence[str]) -> bool:
        """Return whether each model stands to the low-detail classifier in every analysis as it does in the first."""
        return all(
            self.standing(self.difference(m, a)) == self.standing(self.difference(m))
            for m in models
            for a in self.analyses
        )

    def difference(self, model: str, analysis: str = "") -> str:
        """Return the name of the difference of a model and the low-detail classifier."""
        return self.result(f"{pair_name(model, LOW_DETAIL.id)}{analysis}")

    def standing(self, name: str) -> Standing:
        """Return how a model stands to a reference classifier by the interval of their difference, if there is one."""
        low, high = (self.values.entry(name)[end] for end in ("low", "high"))
        if low is None:
            return "unknown"
        return "above" if low > 0 else "below" if high < 0 else "not_above"

    def grouped(self, analysis: str = "") -> dict[Standing, list[str]]:
        """Return the models of each standing to the low-detail classifier, in the order of the study."""
        found: dict[Standing, list[str]] = {}
        for model in self.facts.trained:
            found.setdefault(self.standing(self.difference(model, analysis)), []).append(model)
        return found

    def by_standing(self, analysis: str = "") -> dict[str, list[str]]:
        """Return the models that are ``above`` the low-detail classifier, the ``others``, and the ``unknown``."""
        parts: dict[str, list[str]] = {"above": [], "others": [], "unknown": []}
        for model in self.facts.trained:
            standing = self.standing(self.difference(model, analysis))
            parts[standing if standing in parts else "others"].append(model)
        return parts

    def nearest(self, models: Sequence[str], measure: str) -> dict[str, Any]:
        """Return the first of the ``models`` to which the low-detail classifier is near in each class, and its ``distance``.

        Nothing where it is near none: within `NEAR` on test in all classes.
        """
        for model in models:
            pairs = [
                [self._known(f"{owner}.test.{measure}.{c}") for owner in (model, LOW_DETAIL.id)]
                for c in self.facts.classes
            ]
            known = not any(None in pair for pair in pairs)
            if known and (distance := max(abs(a - b) for a, b in pairs)) <= NEAR:
                return {"model": model, "distance": distance}
        return {}

    @property
    def headlines(self) -> list[str]:
        """The measures of the first table, the primary one before the others."""
        declared = self.study["comparison"]
        return list(dict.fromkeys([*([declared["primary"]] if declared else []), *HEADLINES]))

    def headline(self, split: str, analysis: str) -> list[dict[str, Any]]:
        """Return a row for each classifier on a split in an analysis: ``model``, and for each headline its ``cells``.

        A cell has its ``value`` as text and whether it is the ``highest``. The majority class stands with the test set
        alone: on validation it tells nothing more.
        """
        titles = dict(self.facts.classifiers())
        if split != "test":
            del titles[MAJORITY.id]
        columns = [{o: f"{o}{analysis}.{split}.{m}" for o in titles} for m in self.headlines]
        return [
            {"model": title, "cells": [self._headline(owner, names) for names in columns]}
            for owner, title in titles.items()
        ]

    def headline_columns(self) -> list[tuple[str, str]]:
        """Return the columns of the first table of many models, measure and analysis: the primary one in each analysis."""
        primary, *others = self.headlines
        return [*((primary, analysis) for analysis in self.facts.analyses), *((m, "") for m in others)]

    def headline_of_many(self) -> list[dict[str, Any]]:
        """Return a row for each classifier on the test set, as ``headline`` does, with ``headline_columns``."""
        titles = dict(self.facts.classifiers())
        columns = [{o: f"{o}{analysis}.test.{m}" for o in titles} for m, analysis in self.headline_columns()]
        return [
            {"model": title, "cells": [self._headline(owner, names) for names in columns]}
            for owner, title in titles.items()
        ]

    def _headline(self, owner: str, names: Mapping[str, str]) -> dict[str, Any]:
        """Return the result of ``owner``, and whether it is printed as the highest of those that are called ``names``."""
        known = {o: round(v, 3) for o, name in names.items() if (v := self._known(name)) is not None}
        name = names[owner]
        text = self.values.cell(name) if name in self.values.results else MISSING
        return {"value": text, "highest": bool(known) and known.get(owner) == max(known.values())}

    def _known(self, name: str) -> Any:
        return self.values.value(name) if name in self.values.results else None
