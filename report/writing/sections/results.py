"""Facts of the section on the results of one model: its learning curves, and what it gets right and wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise, product
from typing import Any

from analysis.vocabulary import courses
from analysis.vocabulary.measures import COLUMNS
from analysis.vocabulary.run_names import add_seed
from analysis.vocabulary.splits import EVALUATED
from report.document.markdown import escape
from report.writing.layers import find_penalties
from report.writing.study_facts import Section, read_rows
from report.writing.values import MISSING, decimal, highlight, unbroken

ALMOST_NOTHING = 0.05
"""The share of its learning rate with which a network ends whose losses level off for that alone."""


def weighing(model: Mapping[str, Any]) -> str:
    """Return what of a model's training loss is not in its validation loss: ``weights``, a class balance, or ``none``."""
    return "weights" if model["class_weights"] != "none" else str(model["class_balance"])


class Results(Section):
    """What the report says of each model by itself."""

    @property
    def rule_of_courses(self) -> Mapping[str, float]:
        """The limits by which the courses of trainings are told apart."""
        return {
            "rise": courses.RISE,
            "fall": courses.FALL,
            "last": courses.LAST_EPOCHS,
            "swing": courses.SWING,
            "end": courses.END,
            "settled": courses.SETTLED,
        }

    def chosen_on_validation(self, model: str) -> bool:
        """Return whether validation images chose the epoch of a model or when its training ended."""
        return any(c["kind"] != "reduce_learning_rate" for c in self.facts.model(model)["callbacks"])

    def chosen_by_validation(self, models: Sequence[str]) -> list[str]:
        """Return the ``models`` of which validation images chose an epoch."""
        return [model for model in models if self.chosen_on_validation(model)]

    @property
    def has_all_matrices(self) -> bool:
        """Whether the figure of the matrices of all models has room for both sets."""
        rows = read_rows(self.facts.inputs["figure_matrices"] / "figure.csv")
        return {row["split"] for row in rows} == set(EVALUATED)

    def only_answer(self, model: str, *splits: str) -> str:
        """Return the class that a model answers to every image of the splits; "" where it is not one class."""
        classes = self.facts.classes
        answers = [
            {
                said
                for said in classes
                if any(self.values.value(f"{model}.{split}.confusion.{true}.{said}") for true in classes)
            }
            for split in splits
        ]
        always = answers[0] if len(answers[0]) == 1 and all(a == answers[0] for a in answers) else set()
        return next(iter(always), "")

    def never_predicted(self, model: str, split: str) -> list[str]:
        """Return the classes that a model predicts for no image of a split; none if it predicts one class alone."""
        classes = self.facts.classes
        found = [
            said
            for said in classes
            if not any(self.values.value(f"{model}.{split}.confusion.{true}.{said}") for true in classes)
        ]
        return found if len(found) < len(classes) - 1 else []

    def trainings(self, model: str) -> list[str]:
        """Return what the trainings of a model are called; the first is the one whose curves are drawn."""
        seeds = self.study["training"]["seeds"]
        return [add_seed(model, seed) for seed in seeds] if len(seeds) > 1 else [model]

    def course(self, training: str) -> str:
        """Return what the course of a training is called, as `name_course` says."""
        rise, fall, first = (
            self.values.value(f"{training}.training.{name}")
            for name in ("val_loss_rise", "val_loss_fall", "overfitting_epoch")
        )
        return courses.name_course(rise, fall, learns_on=first is not None)

    def alike(self, model: str) -> dict[str, int]:
        """Return of how many trainings of a model the course is ``called`` what that of the first is, and of how many ``all``."""
        found = [self.course(training) for training in self.trainings(model)]
        return {"called": found.count(found[0]), "all": len(found)}

    def are_all_alike(self, models: Sequence[str]) -> bool:
        """Return whether of several models, each trained several times, every training has the course of its model's first."""
        counts = [self.alike(model) for model in models]
        return len(counts) > 1 and all(one["called"] == one["all"] > 1 for one in counts)

    def swing(self, model: str) -> dict[str, Any]:
        """Return the ``lowest`` validation accuracy that the training drawn fell to, and its ``epoch``; nothing without a swing.

        ``settles`` tells whether it stays within ``range`` over the ``last`` epochs, ``is_early`` whether it falls lowest in
        the first half.
        """
        rows = read_rows(self.facts.inputs[f"training_{model}"] / "history.csv")
        accuracies = [float(row["val_accuracy"]) for row in rows]
        fallen = [
            epoch
            for epoch, (before, now) in enumerate(pairwise(accuracies), 2)
            if before - now >= courses.SWING
        ]
        if not fallen:
            return {}
        epoch = min(fallen, key=lambda epoch: accuracies[epoch - 1])
        end = accuracies[-courses.END :]
        spread = max(end) - min(end)
        settles = len(rows) - courses.END >= fallen[-1] and spread <= courses.SETTLED
        return {
            "lowest": accuracies[epoch - 1],
            "epoch": epoch,
            "last": courses.END,
            "range": spread,
            "settles": settles,
            "is_early": 2 * epoch <= len(rows),
        }

    def settles_by_schedule(self, model: str) -> bool:
        """Return whether the learning rate of a network falls to little, so that its losses level off in any case."""
        schedule = self.facts.model(model)["schedule"]
        return bool(schedule) and schedule["final"] <= ALMOST_NOTHING

    def weighed(self, kind: str) -> list[str]:
        """Return the models whose training loss is computed with ``oversampling`` or ``weights``."""
        return [model for model in self.facts.main if weighing(self.facts.model(model)) == kind]

    def has_penalties(self, model: str) -> bool:
        """Return whether a model has penalties on its kernels."""
        return bool(find_penalties(self.facts.layers(model)))

    def measures(
        self, model: str, split: str, of: str, analysis: str = "", beside: Sequence[str] = ()
    ) -> list[str]:
        """Return the measures of a class or average in the order of the columns of tables, with intervals.

        One that is printed as the highest of several models ``beside`` one another is bold.
        """
        names = [f"{{}}{analysis}.{split}.{measure.id}.{of}" for measure in COLUMNS]
        cells = [(name, unbroken(self.values.cell(name.format(model)))) for name in names]
        return [highlight(cell) if self._is_highest(name, model, beside) else cell for name, cell in cells]

    def glance(self, model: str, split: str, of: str, beside: Sequence[str] = ()) -> list[str]:
        """Return `measures` without intervals."""
        names = [f"{{}}.{split}.{measure.id}.{of}" for measure in COLUMNS]
        return [self._plain(name, model, beside) for name in names]

    def accuracy(self, model: str, split: str, beside: Sequence[str] = ()) -> str:
        """Return accuracy without interval; it is bold as `measures` are."""
        return self._plain(f"{{}}.{split}.accuracy", model, beside)

    def _plain(self, name: str, model: str, beside: Sequence[str]) -> str:
        value = self.values.value(name.format(model))
        cell = MISSING if value is None else decimal(value)
        return highlight(cell) if self._is_highest(name, model, beside) else cell

    def _is_highest(self, name: str, model: str, models: Sequence[str]) -> bool:
        """Return whether the value of a ``model``, by its ``name`` with a place for that, is printed as the highest of several."""
        found = {m: self.values.value(name.format(m)) for m in (model, *models)}
        known = {m: round(value, 3) for m, value in found.items() if value is not None}
        return len({*known.values()}) > 1 and known.get(model) == max(known.values())

    def has_undefined(self, models: Sequence[str]) -> bool:
        """Return whether a measure of a class is not defined on test or validation."""
        cells = product(models, EVALUATED, self.facts.classes)
        return any(MISSING in self.glance(*cell) for cell in cells)

    def extremes(self, model: str, split: str, measure: str = "sensitivity") -> list[dict[str, Any]]:
        """Return the highest and the lowest value of a ``measure``, each with its ``labels``; none where all are the same."""
        found = {c: self.values.value(f"{model}.{split}.{measure}.{c}") for c in self.facts.classes}
        known = [value for value in found.values() if value is not None]
        if len(set(known)) < 2:
            return []
        return [
            {
                measure: decimal(end),
                "labels": [self.facts.label(c) for c in found if found[c] == end],
            }
            for end in (max(known), min(known))
        ]

    def at_end(
        self, models: Sequence[str], split: str, measure: str, *, highest: bool = False
    ) -> list[dict[str, Any]]:
        """Return for which classes a measure is lowest, or highest, of which ``models``, with its ``values``.

        Nothing where it is the same for all.

        Models with the same ``labels`` are together; ``shared`` tells whether all of several are.
        """
        groups: dict[tuple[str, ...], dict[str, Any]] = {}
        for model in models:
            if extremes := self.extremes(model, split, measure):
                end = extremes[0 if highest else 1]
                labels = tuple(end["labels"])
                group = groups.setdefault(labels, {"labels": labels, "models": [], "values": []})
                group["models"].append(model)
                group["values"].append(end[measure])
        shared = len(groups) == 1 < len(models)
        return [{**group, "shared": shared} for group in groups.values()]

    def leader(self, models: Sequence[str], split: str, measure: str) -> str:
        """Return which of several models has more of a measure than the others in each class; "" where none has."""
        ahead = set()
        for of in self.facts.classes:
            found = {m: self.values.value(f"{m}.{split}.{measure}.{of}") for m in models}
            most = [] if None in found.values() else [m for m in found if found[m] == max(found.values())]
            ahead.add(most[0] if len(most) == 1 < len(models) else "")
        return ahead.pop() if len(ahead) == 1 else ""

    def confusions(self, model: str, split: str) -> dict[str, Any]:
        """Return the ``pairs`` of true class and answer that are confused most often, and how ``many`` images each."""
        classes = self.facts.classes
        counts = {
            (true, said): self.values.value(f"{model}.{split}.confusion.{true}.{said}")
            for true in classes
            for said in classes
            if true != said
        }
        most = max(counts.values())
        return {"pairs": [pair for pair, number in counts.items() if number == most], "many": most}

    def models_with_errors(self) -> list[str]:
        """Return the models that make an error on test."""
        return [m for m in self.facts.trained if self.errors(m)]

    def errors(self, model: str) -> list[list[str]]:
        """Return true class, answer, its probability and the image of the most confident errors of a model on test."""
        return [
            [
                self.facts.label(row["y_true"]),
                self.facts.label(row["y_pred"]),
                decimal(float(row["probability"])),
                escape(row["image_id"]),
            ]
            for row in read_rows(self.facts.inputs[f"evaluate_{model}"] / "errors.csv")
        ]
