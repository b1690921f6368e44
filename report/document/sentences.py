"""Sentences that are computed: their words follow from results and can never contradict them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from report.document.tables import PRIMARY, Tables, read_rows
from report.document.values import Values, count, counted, decimal, escape, listed, spelled
from report.document.verdicts import DEFAULT, Verdicts

_SPLITS = {"val": "validation", "test": "test"}
_UNEQUAL = 1.5
"""From this ratio of the commonest class to the rarest on, classes are called unequal."""
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

    def label(self, class_id: str) -> str:
        """Return a class' label as markdown."""
        return next(escape(c["label"]) for c in self.study["classes"] if c["id"] == class_id)

    def abstract(self) -> str:
        """Return data, test results and the comparison, a paragraph each."""
        compared = (self.study["comparison"] or {"against": ()})["against"]
        parts = {
            "Data": self._pictures(),
            "Results": f"{self._reached()} {self._floors()}",
            "Comparison": " ".join(self.verdicts.summary(other) for other in compared),
        }
        return "\n\n".join(f"**{head}.** {text}" for head, text in parts.items() if text)

    def _pictures(self) -> str:
        v = self.values
        pictures, rows = v.value("data.pictures"), v.value("data.all.count")
        labels = "" if pictures == rows else f", in {count(rows)} rows of one label each,"
        again = " A second analysis, *by patient*, keeps all pictures of a patient in one part."
        return (
            f"{count(pictures)} {self.pictures} of {spelled(len(self.study['classes']))} classes{labels} were split into "
            f"{v('data.train.count')} for training, {v('data.val.count')} for validation and "
            f"{v('data.test.count')} for testing.{again * self.verdicts.has_grouped}"
        )

    def _reached(self) -> str:
        """Return what each model reached on test, the primary measure by patient too."""
        reached = [self._of(m["id"]) for m in self.study["models"]]
        return f"On the test pictures {'; '.join(reached)}."

    def _of(self, model: str) -> str:
        v, primary = self.values, (self.study["comparison"] or DEFAULT)["primary"]
        measures = {"accuracy": "accuracy", "f1.macro": "macro F1", "auroc.macro": "macro AUC"}
        reached = []
        for name, words in (measures | {primary: PRIMARY[primary]}).items():
            by_patient = f"{model}@patient.test.{name}"
            beside = f" (by patient {v(by_patient)})" if name == primary and by_patient in v.results else ""
            reached.append(f"{words} {v(f'{model}.test.{name}')}{beside}")
        parameters = v(f"{model}.architecture.parameters")
        return f"the {self.tables.title(model)} ({parameters} parameters) reached {listed(reached)}"

    def _floors(self) -> str:
        return (
            "For scale: always answering the commonest class reaches accuracy "
            f"{self.values('majority.test.accuracy')}; {self.verdicts.floors()}."
        )

    def flow(self) -> str:
        """Return how many pictures were found, left out and kept."""
        annotations = "data.annotations_found"  # not every dataset has any
        found = (
            f"{self._counted(annotations, 'annotation file')} and "
            if annotations in self.values.results
            else ""
        )
        excluded = self.values.value("data.excluded")
        were = "file was" if excluded == 1 else "files were"
        left_out = f"{count(excluded)} {were} left out" if excluded else "Nothing was left out"
        return (
            f"{found}{self._counted('data.pictures_found', 'picture')} were found. {left_out}, so that "
            f"{self._counted('data.pictures', 'picture')} of {self._counted('data.patients', 'patient')} remain (@tbl-flow)."
        )

    def _counted(self, name: str, noun: str) -> str:
        return counted(self.values.value(name), noun)

    def classes(self) -> str:
        """Return which class is commonest and which is rarest."""
        v = self.values
        ids = [c["id"] for c in self.study["classes"]]
        by_count = sorted(ids, key=lambda c: (v.value(f"data.all.count.{c}"), c))
        rare, common = by_count[0], by_count[-1]
        shares = (
            f"{self.label(common)} makes up {v(f'data.all.share.{common}')} of the pictures, {self.label(rare)} "
            f"{v(f'data.all.share.{rare}')} (@tbl-counts, @fig-counts)."
        )
        if v.value(f"data.all.count.{common}") < _UNEQUAL * v.value(f"data.all.count.{rare}"):
            return f"The classes are of similar size: {shares}"
        return (
            f"The classes are unequal: {shares} Accuracy therefore says little about rare classes, and macro averages "
            "stand beside it."
        )

    def sizes(self) -> str:
        """Return whether the pictures come in one size or in many, and what that means."""
        rows = read_rows(self.tables.inputs["records"] / "records.csv")
        sizes = {(r["original_width"] or r["width"], r["original_height"] or r["height"]) for r in rows}
        if len(sizes) == 1:
            return "All pictures have the same size (@fig-sizes)."
        return (
            "The pictures come in many sizes (@fig-sizes). Where classes come from different sources, size alone can give "
            "a class away; all pictures are therefore brought to one size before a network sees them, which removes "
            "the size but not every trace of the source."
        )

    def scaling(self) -> str:
        """Return what becomes of a grey level before a network sees it."""
        inputs = {(m["input"]["scale"], m["input"]["offset"]): None for m in self.study["models"]}
        return " ".join(_scaling(scale, offset) for scale, offset in inputs)

    def leakage(self) -> str:
        """Return how many test pictures have a patient or a copy among the training pictures."""
        v = self.values
        shared, copies = (
            v.value(f"data.test.{n}") for n in ("same_patient_in_train", "exact_duplicate_elsewhere")
        )
        if not shared and not copies:
            return (
                "No test picture is known to come from a patient who also has a training picture, and none is a "
                "byte-for-byte copy of another."
            )
        copied = {0: "none is a copy", 1: "one is a copy"}.get(copies, f"{spelled(copies)} are copies")
        return (
            f"Of the {v('data.test.count')} test pictures {count(shared)} ({v('data.test.same_patient_in_train_share')}) "
            f"come from a patient who also has a training picture, and {copied} "
            "of a training or validation picture, byte for byte. A network can recognise such pictures without having "
            "learnt anything about the disease."
        )

    def overfitting(self, model: str) -> str:
        """Return whether and from which epoch a model overfits, by its loss curves."""
        v = self.values
        prefix = f"{model}.training"
        best, run = v.value(f"{prefix}.best_epoch"), v.value(f"{prefix}.epochs_run")
        low, last = v.value(f"{prefix}.best_val_loss"), v.value(f"{prefix}.last_val_loss")
        lowest = f"validation loss was lowest in epoch {count(best)} of {count(run)} ({decimal(low)})"
        train = f"training loss went from {v(f'{prefix}.first_loss')} to {v(f'{prefix}.last_loss')}"
        begins = v.value(f"{prefix}.overfitting_epoch")
        risen = last > low * (1 + _CLEAR_RISE)
        if begins is None and risen:
            return f"Training is uneven: {lowest} and stood at {decimal(last)} in the last, while {train}."
        if begins is None:
            return f"No overfitting shows: {lowest}{', the last that was run,' if best == run else ''} while {train}."
        if risen:
            return (
                f"The network overfits from epoch {count(begins)} on: {lowest} and rose to {decimal(last)} by the "
                f"last, while {train}."
            )
        return (
            f"Overfitting is slight: {lowest} and ended at {decimal(last)}, less than "
            f"{decimal(100 * _CLEAR_RISE, 0)} % above it, while {train}."
        )

    def kept(self, model: str) -> str:
        """Return which epoch's weights are evaluated."""
        kept, run = (
            self.values.value(f"{model}.training.{name}") for name in ("weights_epoch", "epochs_run")
        )
        if kept == run:
            return f"The weights after the last epoch ({count(run)}) are the ones evaluated."
        return f"The weights of epoch {count(kept)} of {count(run)} are the ones evaluated."

    def performance(self, model: str, split: str) -> str:
        """Return accuracy, the best and the worst class by sensitivity, and the commonest confusion."""
        v = self.values
        prefix = f"{model}.{split}"
        ids = [c["id"] for c in self.study["classes"]]
        sensitivity = {c: v.value(f"{prefix}.sensitivity.{c}") for c in ids}
        known = [value for value in sensitivity.values() if value is not None]
        sentence = (
            f"On the {v(f'{prefix}.n')} {_SPLITS[split]} pictures accuracy is {v(f'{prefix}.accuracy')} (the commonest class "
            f"alone: {v(f'majority.{split}.accuracy')}) and macro F1 {v(f'{prefix}.f1.macro')}."
        )
        always = [
            c
            for c in ids
            if all(v.value(f"{prefix}.confusion.{t}.{o}") == 0 for t in ids for o in ids if o != c)
        ]
        if always:
            return f"{sentence} Every picture is called {self.label(always[0])}."
        if len(set(known)) < 2:
            return f"{sentence} {self._confusion(prefix, ids)}"
        best, worst = (
            f"{listed([self.label(c) for c in ids if sensitivity[c] == end])} ({decimal(end)})"
            for end in (max(known), min(known))
        )
        return f"{sentence} Sensitivity is highest for {best} and lowest for {worst}. {self._confusion(prefix, ids)}"

    def _confusion(self, prefix: str, ids: list[str]) -> str:
        v = self.values
        counts = {(t, p): v.value(f"{prefix}.confusion.{t}.{p}") for t in ids for p in ids if t != p}
        most = max(counts.values())
        if most == 0:
            return "No picture is misclassified."
        commonest = [
            f"{self.label(true)} called {self.label(said)} ({v(f'{prefix}.confusion_share.{true}.{said}')} of the class)"
            for (true, said), number in counts.items()
            if number == most
        ]
        if len(commonest) == 1:
            return f"The commonest mistake is {commonest[0]}: {counted(most, 'picture')}."
        return f"The commonest mistakes, {counted(most, 'picture')} each, are {listed(commonest)}."

    def size(self, model: str) -> str:
        """Return how many parameters a model has, and how many of them are trained."""
        total, trained = (
            self.values.value(f"{model}.architecture.{name}")
            for name in ("parameters", "trainable_parameters")
        )
        share = "all" if trained == total else count(trained)
        return f"The {self.tables.title(model)} has {count(total)} parameters, {share} of them trained"

    def selection(self) -> str:
        """Return by which rule each model's weights are chosen among its epochs."""
        rules = [f"The {self.tables.title(m['id'])} {_keeps(m['callbacks'])}." for m in self.study["models"]]
        return f"{' '.join(rules)} The test set selects nothing."

    def calibration(self, model: str) -> str:
        """Return whether a model's probabilities can be taken as they are, and what correcting them does."""
        v, test = self.values, f"{model}.test"
        error, expected = v.value(f"{test}.ece"), v.entry(f"{test}.ece_expected")
        place = "above" if error > expected["high"] else "below" if error < expected["low"] else "within"
        grouped = f"{model}@patient.test.ece"
        by_patient = (
            f" (by patient {v(grouped)} and {v(f'{grouped}_scaled')})" if self.verdicts.has_grouped else ""
        )
        return (
            f"The expected calibration error of the {self.tables.title(model)} is {v(f'{test}.ece')}, {place} the range that "
            f"calibrated probabilities would give by chance ({v.interval(f'{test}.ece_expected')}); corrected it is "
            f"{v(f'{test}.ece_scaled')}{by_patient}."
        )

    def abnormal(self) -> str:
        """Return what is found of any disease at a threshold of 90 % specificity chosen on validation."""
        v = self.values
        found = [
            f"{v(f'{m}.test.sensitivity_at_90.abnormal')} by the {self.tables.title(m)} (specificity there "
            f"{v(f'{m}.test.specificity_at_90.abnormal')}{self._grouped_abnormal(m)})"
            for m in (model["id"] for model in self.study["models"])
        ]
        return (
            "At the lowest threshold with 90\u00a0% specificity on the validation set, disease of any kind is found on the test "
            f"set with sensitivity {listed(found)}."
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
        up = [self._shift(prefix, c) for c in sorted(known, key=lambda c: -known[c]) if known[c] > 0]
        down = [self._shift(prefix, c) for c in sorted(known, key=lambda c: known[c]) if known[c] < 0]
        parts = [f"higher for {listed(up)}"] * bool(up) + [f"lower for {listed(down)}"] * bool(down)
        moved = (
            f"Of {v(f'{b}.{split}.n')} pictures {v(f'{prefix}.fixed')} are right only with the {self.tables.title(b)} "
            f"and {v(f'{prefix}.broken')} only with the {self.tables.title(a)} (@tbl-moved-{b.replace('_', '-')})."
        )
        if not parts:
            return f"Sensitivity is the same in every class. {moved}"
        return f"Compared with the {self.tables.title(a)}, sensitivity is {' and '.join(parts)}. {moved}"

    def _shift(self, prefix: str, class_id: str) -> str:
        return f"{self.label(class_id)} ({self.values.aside(f'{prefix}.sensitivity.{class_id}')})"


def _keeps(callbacks: Sequence[Mapping[str, Any]]) -> str:
    """Return of which epoch a model keeps the weights, in words."""
    if not callbacks:
        return "keeps the weights of its last epoch"
    stop = callbacks[0]
    best, more, monitor = {
        "val_loss": ("lowest", "lower", "validation loss"),
        "val_accuracy": ("highest", "higher", "validation accuracy"),
    }[stop["monitor"]]
    kept = f"epoch with the {best} {monitor}" if stop["restore_best"] else "last epoch that was run"
    return (
        f"keeps the weights of the {kept}; its training ends when {counted(stop['patience'], 'epoch')} in a row "
        f"bring{'s' * (stop['patience'] == 1)} no {more} {monitor}"
    )


def _scaling(scale: float, offset: float) -> str:
    if abs(255 * scale - 1) < 1e-9 and offset == 0:
        return "Grey levels from 0 to 255 are divided by 255, so that a network sees floating-point numbers in [0, 1]."
    shift = f" and {decimal(offset, signed=True)} is added" if offset else ""
    return f"Grey levels from 0 to 255 are multiplied by {scale:.6g}{shift}."
