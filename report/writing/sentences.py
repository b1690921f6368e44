"""Sentences that are computed: their words follow from results and can never contradict them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from report.writing.tables import Tables
from report.writing.values import Values, listed, spelled
from report.writing.verdicts import FEW, GROUPED, Verdicts

_SPLITS = {"val": "validation", "test": "test"}
_UNEQUAL = 1.5
"""From this ratio of the commonest class to the rarest on, classes are called unequal."""
_SAME_SHARE = 0.05
"""A class' share of the training set that is nearer to that of all pictures is not told apart."""
_FEW_PAIRS = 2
"""Of more declared comparisons than these the abstract has the verdicts alone."""
_CLEAR_RISE = 0.05
"""A validation loss that ends this share above its lowest value is called risen."""


@dataclass(frozen=True)
class Sentences:
    """Writes what the results of one study say.

    Parameters
    ----------
    study : mapping
        The study file as JSON values.
    values : Values
        Its results.
    tables : Tables
        Its tables, for titles of models.
    verdicts : Verdicts
        What its comparisons came to.
    pictures : str
        What the pictures are.
    """

    study: Mapping[str, Any]
    values: Values
    tables: Tables
    verdicts: Verdicts
    pictures: str = "chest X-rays"

    def _range(self, name: str, beside: Callable[[str], str] = lambda _: "") -> str:
        """Return the lowest and the highest value of a result, each with its models.

        ``name`` has ``{}`` for the model; ``beside`` returns what stands behind a model that is alone at its end.
        """
        v = self.values
        values = {m["id"]: v.value(name.format(m["id"])) for m in self.study["models"]}
        known = [value for value in values.values() if value is not None]
        ends = []
        for end in (min(known), max(known)):
            models = [m for m in values if values[m] == end]
            rest = beside(models[0]) if len(models) == 1 else ""
            ends.append(f"{v(name.format(models[0]))} ({self._several(models)}{rest})")
        return f"from {ends[0]} to {ends[1]}"

    def _several(self, models: Sequence[str], article: str = "") -> str:
        """Return the titles of models, or how many they are if they are too many to be named."""
        titles = [f"{article}{self.tables.title(m)}" for m in models]
        return f"{spelled(len(models))} networks" if len(models) > FEW else listed(titles)

    def corrected(self) -> str:
        """Return how probabilities are corrected, for the kinds of training that this study has."""
        models = self.study["models"]
        ways = {
            "on oversampled classes": any(m["class_balance"] != "none" for m in models),
            "with class weights": any(m["class_weights"] != "none" for m in models),
        }
        kinds = " or ".join(way for way, there in ways.items() if there)
        first = (
            f" For networks trained {kinds} they are first brought to the classes' shares in the validation set "
            "[@saerens2002]."
        )
        return (
            "Corrected probabilities are the outputs after one temperature, fitted on the validation set, has made all of "
            f"them more or less certain [@guo2017].{first * bool(kinds)} The test set chooses nothing."
        )

    def calibration(self, model: str) -> str:
        """Return whether a model's probabilities can be taken as they are, and what correcting them does."""
        v, test = self.values, f"{model}.test"
        grouped = f"{model}@patient.test.ece"
        by_patient = (
            f" (by patient {v(grouped)} and {v(f'{grouped}_scaled')})" if self.verdicts.has_grouped else ""
        )
        beside = ""
        if place := self._place(model):
            expected = v.interval(f"{test}.ece_expected")
            beside = f", {place} the range that calibrated probabilities would give by chance ({expected})"
        return (
            f"The expected calibration error of the {self.tables.title(model)} is {v(f'{test}.ece')}{beside}; corrected it "
            f"is {v(f'{test}.ece_scaled')}{by_patient}."
        )

    def _place(self, model: str, analysis: str = "") -> str:
        """Return where a model's calibration error lies beside the range of calibrated probabilities.

        "" where there is none, as of a mean over seeds.
        """
        test = f"{model}{analysis}.test"
        error, expected = self.values.value(f"{test}.ece"), self.values.entry(f"{test}.ece_expected")
        if expected["low"] is None:
            return ""
        return "above" if error > expected["high"] else "below" if error < expected["low"] else "within"

    def calibrations(self) -> str:
        """Return the range of many models' calibration errors, and how many of them chance does not explain."""
        said = f"The expected calibration error goes {self._calibrated('')}"
        return f"{said} By patient it goes {self._calibrated(GROUPED)}" if self.verdicts.has_grouped else said

    def _calibrated(self, analysis: str) -> str:
        range_ = self._range(f"{{}}{analysis}.test.ece")
        corrected = f"Corrected, it goes {self._range(f'{{}}{analysis}.test.ece_scaled')}."
        places = [self._place(m["id"], analysis) for m in self.study["models"]]
        if "" in places:
            return f"{range_}. {corrected}"
        other = [f"{places.count(p)} {p} it" for p in ("within", "below") if p in places]
        above = [
            f"{places.count('above')} of {len(places)} networks lie above the range that calibrated probabilities would "
            "give by chance"
        ]
        return f"{range_}; {listed([*above, *other])}. {corrected}"

    def abnormal(self) -> str:
        """Return what is found of any disease at a threshold of 90 % specificity chosen on validation."""
        v = self.values
        score = self.tables.told or "abnormal"
        what = self.tables.label(score) if self.tables.told else "disease of any kind"
        found = [
            f"{v(f'{m}.test.sensitivity_at_90.{score}')} by the {self.tables.title(m)} (specificity there "
            f"{v(f'{m}.test.specificity_at_90.{score}')}{self._grouped_abnormal(m)})"
            for m in (model["id"] for model in self.study["models"])
        ]
        return (
            f"At the lowest threshold with 90\u00a0% specificity on the validation set, {what} is found on the test "
            f"set with sensitivity {self._operating(score) if self.tables.many else listed(found)}."
        )

    def _operating(self, score: str) -> str:
        """Return the range of what many models find of a class at their thresholds, and how many find more than chance."""
        v, at = self.values, f"{{}}.test.{{}}_at_90.{score}"
        models = [m["id"] for m in self.study["models"]]
        found = self._range(
            at.format("{}", "sensitivity"), lambda m: f"; specificity there {v(at.format(m, 'specificity'))}"
        )
        clear = [
            m
            for m in models
            if (low := v.entry(at.format(m, "sensitivity"))["low"]) is not None
            and low > 1 - v.value(at.format(m, "specificity"))
        ]
        return (
            f"{found}; {len(clear)} of {len(models)} networks find more, by the lower end of the interval, than an answer "
            "by chance with the same specificity would"
        )

    def _grouped_abnormal(self, model: str) -> str:
        if not self.verdicts.has_grouped:
            return ""
        found = [
            self.values(f"{model}@patient.test.{m}_at_90.abnormal") for m in ("sensitivity", "specificity")
        ]
        return f"; by patient {found[0]} and {found[1]}"

    def shifts(self, a: str, b: str) -> str:
        """Return in which classes sensitivity went up, and in which down, with equal prominence."""
        v, split = self.values, self.study["comparison"]["split"]
        prefix = f"{b}_vs_{a}.{split}"
        known = {
            c["id"]: v.value(f"{prefix}.sensitivity.{c['id']}")
            for c in self.study["classes"]
            if v.value(f"{prefix}.sensitivity.{c['id']}") is not None
        }
        clear = {c: way for c in known if (way := self._direction(f"{prefix}.sensitivity.{c}"))}
        up = [self._shift(prefix, c) for c in sorted(clear, key=lambda c: -known[c]) if clear[c] > 0]
        down = [self._shift(prefix, c) for c in sorted(clear, key=lambda c: known[c]) if clear[c] < 0]
        bare = [c for c in known if v.entry(f"{prefix}.sensitivity.{c}")["low"] is None]
        unclear, few = (
            [
                self._shift(prefix, c)
                for c in known
                if c not in clear and known[c] != 0 and (c in bare) == none
            ]
            for none in (False, True)
        )
        parts = [f"higher for {listed(up)}"] * bool(up) + [f"lower for {listed(down)}"] * bool(down)
        moved = (
            f"Of {v(f'{b}.{split}.n')} pictures {v(f'{prefix}.fixed')} are right only with the {self.tables.title(b)} "
            f"and {v(f'{prefix}.broken')} only with the {self.tables.title(a)} (@tbl-moved-{b.replace('_', '-')})."
        )
        if not parts and not unclear and not few:
            return f"Sensitivity is the same in every class. {moved}"
        compared = f"Compared with the {self.tables.title(a)}, sensitivity"
        if not parts:
            return f"{compared} has no clear direction in any class: {listed([*unclear, *few])}. {moved}"
        several = len(unclear) > 1
        rest = f" The interval{'s' * several} for {listed(unclear)} hold{'s' * (not several)} 0, so no direction is told there."
        others = f" Too few patients tell the models apart to give a direction for {listed(few)}."
        return f"{compared} is {' and '.join(parts)}.{rest * bool(unclear)}{others * bool(few)} {moved}"

    def _direction(self, name: str) -> int:
        """Return whether a difference's interval lies above zero (1), below it (-1) or neither (0)."""
        low, high = (self.values.entry(name)[end] for end in ("low", "high"))
        return 0 if low is None else int(low > 0) - int(high < 0)

    def _shift(self, prefix: str, class_id: str) -> str:
        return f"{self.tables.label(class_id)} ({self.values.aside(f'{prefix}.sensitivity.{class_id}')})"
