"""All models of a study side by side: classification reports, and which model is chosen by which rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from report.document.tables import PRIMARY, Tables, pipe_table, unbroken
from report.document.values import MISSING, Values, decimal, escape, listed
from report.document.verdicts import DEFAULT, GROUPED, Verdicts

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
            f"on validation ({v(f'{model}.val.{of}')}), and the test set had no part in the choice. On the test set it "
            f"reaches {words} {v.bounded(f'{model}.test.{of}')} and accuracy {v.bounded(f'{model}.test.accuracy')}."
        )
        if self._score(best, "test") == self._score(model, "test"):
            return f"{said} No other model reaches more there."
        return (
            f"{said} The highest there is that of the {self.tables.title(best)} ({v(f'{best}.test.{of}')}); choosing it "
            "for that would have been choosing by the test set."
        )

    def reports(self) -> str:
        """Return precision, sensitivity and F1 of every model on test, by class."""
        if len(self.study["classes"]) == 2:
            return self._wide()
        rows = [
            [
                escape(model["title"]) if k == 0 else "",
                escape(item["label"]),
                *(self.values.text(f"{model['id']}.test.{measure}.{item['id']}") for measure in REPORTED),
                self.values.text(f"{model['id']}.test.support.{item['id']}") if item["id"] != "macro" else "",
            ]
            for model in self.study["models"]
            for k, item in enumerate([*self.study["classes"], {"id": "macro", "label": "Macro average"}])
        ]
        head = ["Model", "Class", *(w[:1].upper() + w[1:] for w in REPORTED.values()), "n"]
        return pipe_table("reports", CAPTION, head, rows, "llrrrr")

    def _wide(self) -> str:
        """Return a row for each model: there is room for two classes and their mean."""
        columns = [*self.study["classes"], {"id": "macro", "label": "Macro"}]
        rows = [
            [
                escape(model["title"]),
                self.values.text(f"{model['id']}.test.accuracy"),
                *(
                    unbroken(
                        " / ".join(
                            self._short(model["id"], f"{measure}.{item['id']}") for measure in REPORTED
                        )
                    )
                    for item in columns
                ),
            ]
            for model in self.study["models"]
        ]
        head = ["Model", "Accuracy", *(escape(item["label"]) for item in columns)]
        caption = f"{CAPTION} Of each class: precision / sensitivity / F1."
        return pipe_table("reports", caption, head, rows, "lrrrr", (26, 11, 21, 21, 21))

    def _short(self, model: str, name: str) -> str:
        """Return a result with two decimals, as such reports have them."""
        value = self.values.value(f"{model}.test.{name}")
        return MISSING if value is None else decimal(value, 2)

    def floors(self, verdicts: Verdicts) -> str:
        """Return which models beat the low-detail baseline: one by one, or where they are many in one sentence each way."""
        models = [m["id"] for m in self.study["models"]]
        if len(models) <= FEW:
            return " ".join(verdicts.floor(m) for m in models)
        v, words = self.values, PRIMARY[self.primary]
        split = (self.study["comparison"] or DEFAULT)["split"]
        sentences = []
        for analysis in ("", *[GROUPED] * verdicts.has_grouped):
            name = f"{{}}_vs_low_detail{analysis}.{split}.{self.primary}"
            above = [m for m in models if (v.entry(name.format(m))["low"] or 0) > 0]
            rest = [m for m in models if m not in above]
            floor = f"the 8 × 8 baseline{' by patient' if analysis else ''} ({words} {v(f'low_detail{analysis}.{split}.{self.primary}')})"
            for verb, found in (("beat", above), ("do not beat", rest)):
                if found:
                    told = [f"{self.tables.title(m)} ({v.text(name.format(m))})" for m in found]
                    sentences.append(
                        f"Of {len(models)} networks {len(found)} {verb} {floor}: {listed(told)}."
                    )
        return " ".join([*sentences, "In brackets is the difference."])


FEW = 4
CAPTION = "Classification reports of all models on the test set."
