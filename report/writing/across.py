"""All models of a study side by side: classification reports, and which model is chosen by which rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from report.document.markdown import escape
from report.writing.tables import PRIMARY, Tables, pipe_table
from report.writing.values import MISSING, Values, decimal, listed, unbroken
from report.writing.verdicts import DEFAULT, GROUPED, SPLITS, Verdicts, beats, beside

REPORTED = {"ppv": "precision", "sensitivity": "sensitivity", "f1": "F1"}


@dataclass(frozen=True)
class Across:
    """Writes what is said of all models together.

    Parameters
    ----------
    study : mapping
        The study file as JSON values.
    values : Values
        Its results.
    tables : Tables
        For titles of models.
    """

    study: Mapping[str, Any]
    values: Values
    tables: Tables

    @property
    def primary(self) -> str:
        """The measure by which models are compared."""
        declared = self.study["comparison"] or DEFAULT
        return str(declared["primary"])

    @property
    def chosen(self) -> str:
        """The model with the highest primary measure on validation, the first of equals."""
        return max((str(m["id"]) for m in self.study["models"]), key=lambda m: self._score(m, "val"))

    def _equals(self) -> str:
        """Return which models have the same primary measure on validation as the chosen one, as a clause."""
        best = self._score(self.chosen, "val")
        same = [m["id"] for m in self.study["models"] if self._score(m["id"], "val") == best]
        names = listed([f"the {self.tables.title(m)}" for m in same if m != self.chosen])
        if not names:
            return ""
        return f"; {names} {'have' if len(same) > 2 else 'has'} the same, and of equals the first is taken"

    def _score(self, model: str, split: str) -> float:
        value = self.values.value(f"{model}.{split}.{self.primary}")
        return -1.0 if value is None else float(value)

    def choice(self) -> str:
        """Return which model is chosen, by which rule, and what the test set would have chosen."""
        v, of = self.values, f"{self.primary}"
        model, words = self.chosen, PRIMARY[self.primary]
        title = self.tables.title(model)
        best = max((m["id"] for m in self.study["models"]), key=lambda m: self._score(m, "test"))
        said = (
            f"The model chosen is the {title}: of {len(self.study['models'])} trained models it has the highest {words} "
            f"on validation ({v(f'{model}.val.{of}')}{self._equals()}), and the test set had no part in the choice. On "
            "the test set it "
            f"reaches {words} {v.bounded(f'{model}.test.{of}')} and accuracy {v.bounded(f'{model}.test.accuracy')}."
        )
        floor = f"{model}_vs_low_detail.test.{of}"
        if not beats(v.entry(floor)):
            said += (
                f" It {beside(v.entry(floor))} the 8 × 8 baseline ({v(f'low_detail.test.{of}')}; difference "
                f"{v.aside(floor)})."
            )
        if self._score(best, "test") == self._score(model, "test"):
            said += " No other model reaches more there."
        else:
            said += (
                f" The highest there is that of the {self.tables.title(best)} ({v(f'{best}.test.{of}')}); choosing it "
                "for that would have been choosing by the test set."
            )
        return said

    def reports(self, split: str = "test") -> str:
        """Return precision, sensitivity and F1 of every model on one split, by class."""
        if len(self.study["classes"]) == 2:
            return self._wide(split)
        rows = [
            [
                escape(model["title"]) if k == 0 else "",
                escape(item["label"]),
                *(self.values.text(f"{model['id']}.{split}.{measure}.{item['id']}") for measure in REPORTED),
                self.values.text(f"{model['id']}.{split}.support.{item['id']}")
                if item["id"] != "macro"
                else "",
            ]
            for model in self.study["models"]
            for k, item in enumerate([*self.study["classes"], {"id": "macro", "label": "Macro average"}])
        ]
        head = ["Model", "Class", *(w[:1].upper() + w[1:] for w in REPORTED.values()), "n"]
        return pipe_table(NAMES[split], CAPTION.format(SPLITS[split]), head, rows, "llrrrr")

    def _wide(self, split: str) -> str:
        """Return a row for each model: there is room for two classes and their mean."""
        columns = [*self.study["classes"], {"id": "macro", "label": "Macro"}]
        rows = [
            [
                escape(model["title"]),
                self.values.text(f"{model['id']}.{split}.accuracy"),
                *(
                    unbroken(
                        " / ".join(
                            self._short(f"{model['id']}.{split}.{measure}.{item['id']}")
                            for measure in REPORTED
                        )
                    )
                    for item in columns
                ),
            ]
            for model in self.study["models"]
        ]
        head = ["Model", "Accuracy", *(escape(item["label"]) for item in columns)]
        caption = f"{CAPTION.format(SPLITS[split])} Of each class: precision / sensitivity / F1."
        return pipe_table(NAMES[split], caption, head, rows, "lrrrr", (26, 11, 21, 21, 21))

    def _short(self, name: str) -> str:
        """Return a result with two decimals, as such reports have them."""
        value = self.values.value(name)
        return MISSING if value is None else decimal(value, 2)

    def floors(self, verdicts: Verdicts) -> str:
        """Return which models beat the low-detail baseline: one by one, or many in one sentence for each analysis."""
        models = [m["id"] for m in self.study["models"]]
        if not self.tables.many:
            return " ".join(verdicts.floor(m) for m in models)
        return " ".join(self._beaten(models, a) for a in ("", *[GROUPED] * verdicts.has_grouped))

    def _beaten(self, models: Sequence[str], analysis: str) -> str:
        """Return how many models beat the low-detail baseline in one analysis, and which, with their differences."""
        v = self.values
        of = f"{(self.study['comparison'] or DEFAULT)['split']}.{self.primary}"
        name = f"{{}}_vs_low_detail{analysis}.{of}"
        above = [m for m in models if beats(v.entry(name.format(m)))]
        unknown = [m for m in models if v.entry(name.format(m))["low"] is None]
        rest = [m for m in models if m not in above and m not in unknown]
        first, second, third = (
            listed([f"{self.tables.title(m)} ({v.text(name.format(m))})" for m in found])
            for found in (above, rest, unknown)
        )
        by = " by patient" if analysis else ""
        floor = f"the 8 × 8 baseline{by} ({PRIMARY[self.primary]} {v(f'low_detail{analysis}.{of}')})"
        bare = f"; {len(unknown)} cannot be held against it: {third}" if unknown else ""
        if not above and not unknown:
            return f"None of {len(models)} networks beats {floor}: {second}, with the difference in brackets."
        beaten = f"{len(above)} of {len(models)} networks {'beats' if len(above) == 1 else 'beat'} {floor}"
        beaten += f": {first}" if above else ""
        missed = (
            f"; {'' if unknown else 'the other '}{len(rest)} {'does' if len(rest) == 1 else 'do'} not: {second}"
            if rest
            else ""
        )
        return f"{beaten}{missed}{bare}, with the difference in brackets."


CAPTION = "Classification reports of all models on the {} set."
NAMES = {"val": "validation", "test": "reports"}
"""How the tables of classification reports are called."""
