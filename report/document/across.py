"""All models of a study side by side: classification reports, and which model is chosen by which rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from report.document.tables import Tables, pipe_table
from report.document.values import Values, escape
from report.document.verdicts import DEFAULT, PRIMARY

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
                    " / ".join(
                        self.values.text(f"{model['id']}.test.{measure}.{item['id']}") for measure in REPORTED
                    )
                    for item in columns
                ),
            ]
            for model in self.study["models"]
        ]
        head = ["Model", "Accuracy", *(escape(item["label"]) for item in columns)]
        caption = f"{CAPTION} Of each class: precision / sensitivity / F1."
        return pipe_table("reports", caption, head, rows, "lrrrr", (26, 11, 21, 21, 21))


CAPTION = "Classification reports of all models on the test set."
