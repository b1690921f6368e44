"""Sentences that are computed: their words follow from results and can never contradict them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from report.document.tables import MEASURES, Tables, read_rows
from report.document.values import Values, count, counted, decimal, escape, listed

_SPLITS = {"val": "validation", "test": "test"}
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
    pictures : str
        What the pictures are.
    """

    study: Mapping[str, Any]
    values: Values
    tables: Tables
    pictures: str = "chest X-rays"

    def label(self, class_id: str) -> str:
        """Return a class' label as markdown."""
        return next(escape(c["label"]) for c in self.study["classes"] if c["id"] == class_id)

    def abstract(self) -> str:
        """Return data, models, test results and the difference in a few sentences."""
        v = self.values
        parts = [
            f"{v('data.pictures')} {self.pictures} of {count(len(self.study['classes']))} classes were split into "
            f"{v('data.train.count')} for training, {v('data.val.count')} for validation and "
            f"{v('data.test.count')} for testing."
        ]
        parts += [self._reached(m["id"]) for m in self.study["models"]]
        parts.append(
            f"Always answering the commonest class would reach accuracy {v('majority.test.accuracy')}."
        )
        comparison = self.study["comparison"]
        if comparison:
            parts += [self.difference(comparison["baseline"], other) for other in comparison["against"]]
        return " ".join(parts)

    def _reached(self, model: str) -> str:
        v, test = self.values, f"{model}.test"
        return (
            f"On the test pictures the {self.tables.title(model)} ({v(f'{model}.architecture.parameters')} parameters) "
            f"reached accuracy {v(f'{test}.accuracy')}, macro F1 {v(f'{test}.f1.macro')} and macro AUC "
            f"{v(f'{test}.auroc.macro')}."
        )

    def flow(self) -> str:
        """Return how many pictures were found, left out and kept."""
        annotations = "data.annotations_found"  # not every dataset has any
        found = (
            f"{self._counted(annotations, 'annotation file')} and "
            if annotations in self.values.results
            else ""
        )
        return (
            f"{found}{self._counted('data.pictures_found', 'picture')} were found; {self._counted('data.excluded', 'file')} left "
            f"out, each with its reason, leave {self._counted('data.pictures', 'picture')} of "
            f"{self._counted('data.patients', 'patient')} (@tbl-flow)."
        )

    def _counted(self, name: str, noun: str) -> str:
        return counted(self.values.value(name), noun)

    def classes(self) -> str:
        """Return which class is commonest and which is rarest."""
        v = self.values
        ids = [c["id"] for c in self.study["classes"]]
        by_count = sorted(ids, key=lambda c: (v.value(f"data.all.count.{c}"), c))
        rare, common = by_count[0], by_count[-1]
        return (
            f"The classes are unequal: {self.label(common)} makes up {v(f'data.all.share.{common}')} of the "
            f"pictures, {self.label(rare)} {v(f'data.all.share.{rare}')} (@tbl-counts, @fig-counts). Accuracy "
            "therefore says little about rare classes, and macro averages stand beside it."
        )

    def sizes(self) -> str:
        """Return whether the pictures come in one size or in many, and what that means."""
        records = read_rows(self.tables.inputs["records"] / "records.csv")
        if (
            len(
                {
                    (row["original_width"] or row["width"], row["original_height"] or row["height"])
                    for row in records
                }
            )
            == 1
        ):
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
        return (
            f"Of the {v('data.test.count')} test pictures {v('data.test.same_patient_in_train')} "
            f"({v('data.test.same_patient_in_train_share')}) come from a patient who also has a training picture, and "
            f"{v('data.test.exact_duplicate_elsewhere')} are byte-for-byte copies of a training or validation "
            "picture. A network can recognise such pictures without having learnt the disease."
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
        if begins is None:
            return f"No overfitting shows: {lowest}{', the last that was run,' if best == run else ''} while {train}."
        if last > low * (1 + _CLEAR_RISE):
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
        v = self.values
        callbacks = self.tables.model(model)["callbacks"]
        if any(callback["restore_best"] for callback in callbacks):
            return f"The weights of epoch {v(f'{model}.training.best_epoch')} are the ones evaluated."
        return (
            f"The weights after the last epoch ({v(f'{model}.training.epochs_run')}) are the ones evaluated."
        )

    def performance(self, model: str, split: str) -> str:
        """Return accuracy, the best and the worst class by sensitivity, and the commonest confusion."""
        v = self.values
        prefix = f"{model}.{split}"
        ids = [c["id"] for c in self.study["classes"]]
        known = [c for c in ids if v.value(f"{prefix}.sensitivity.{c}") is not None]
        ranked = sorted(known, key=lambda c: (v.value(f"{prefix}.sensitivity.{c}"), c))
        sentence = (
            f"On the {v(f'{prefix}.n')} {_SPLITS[split]} pictures accuracy is {v(f'{prefix}.accuracy')} (floor "
            f"{v(f'majority.{split}.accuracy')}), macro F1 {v(f'{prefix}.f1.macro')}."
        )
        if len(ranked) < 2:
            return sentence
        best, worst = ranked[-1], ranked[0]
        return (
            f"{sentence} Sensitivity is highest for {self.label(best)} ({v(f'{prefix}.sensitivity.{best}')}) and "
            f"lowest for {self.label(worst)} ({v(f'{prefix}.sensitivity.{worst}')}). {self._confusion(prefix, ids)}"
        )

    def _confusion(self, prefix: str, ids: list[str]) -> str:
        v = self.values
        pairs = [(t, p) for t in ids for p in ids if t != p]
        true, said = max(pairs, key=lambda pair: v.value(f"{prefix}.confusion.{pair[0]}.{pair[1]}"))
        if v.value(f"{prefix}.confusion.{true}.{said}") == 0:
            return "No picture is misclassified."
        return (
            f"The commonest mistake is {self.label(true)} called {self.label(said)}: "
            f"{self._counted(f'{prefix}.confusion.{true}.{said}', 'picture')}, {v(f'{prefix}.confusion_share.{true}.{said}')} of the class."
        )

    def difference(self, a: str, b: str) -> str:
        """Return the primary difference between two models, stated and not judged."""
        v, comparison = self.values, self.study["comparison"]
        split, primary = comparison["split"], comparison["primary"]
        value = v.value(f"{b}_vs_{a}.{split}.{primary}")
        name = {
            "accuracy": "accuracy",
            "f1": "macro F1",
            "sensitivity": "macro sensitivity",
            "auroc": "macro AUC",
        }
        measure = name[primary.partition(".")[0]]
        if value is None:
            return f"The difference in {measure} is not defined."
        return (
            f"The {_SPLITS[split]} {measure} of the {self.tables.title(b)} differs from that of the "
            f"{self.tables.title(a)} by {v.text(f'{b}_vs_{a}.{split}.{primary}')}; this difference was not tested "
            "for significance."
        )

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
        return f"{self.label(class_id)} ({self.values.text(f'{prefix}.sensitivity.{class_id}')})"

    def opposite(self, a: str, b: str) -> str:
        """Return the measures in which the model that leads in the primary measure does worse, or nothing."""
        v, comparison = self.values, self.study["comparison"]
        prefix = f"{b}_vs_{a}.{comparison['split']}"
        primary = v.value(f"{prefix}.{comparison['primary']}")
        others = ["accuracy", *(f"{measure}.macro" for measure in MEASURES)]
        against = [
            name
            for name in others
            if primary
            and v.value(f"{prefix}.{name}") is not None
            and v.value(f"{prefix}.{name}") * primary < 0
        ]
        words = [f"{self._measure(name)} ({v.text(f'{prefix}.{name}')})" for name in against]
        return f"The other way went {listed(words)}." if words else ""

    @staticmethod
    def _measure(name: str) -> str:
        measure, _, average = name.partition(".")
        word = {
            "accuracy": "accuracy",
            **{k: w if w.isupper() or w == "F1" else w.lower() for k, w in MEASURES.items()},
        }
        return f"macro {word[measure]}" if average else word[measure]


def _scaling(scale: float, offset: float) -> str:
    if abs(255 * scale - 1) < 1e-9 and offset == 0:
        return "Grey levels from 0 to 255 are divided by 255, so that a network sees floating-point numbers in [0, 1]."
    shift = f" and {decimal(offset, signed=True)} is added" if offset else ""
    return f"Grey levels from 0 to 255 are multiplied by {scale:.6g}{shift}."
