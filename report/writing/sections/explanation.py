"""Facts that fit the difference between networks: where their weights sit, when they were stopped, what moved."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import permutations
from typing import Any

from analysis.vocabulary.measures import pair_name, round_counts
from report.writing.operations import all_layers, input_shape, multiply_adds
from report.writing.sections.ablation import Ablation
from report.writing.sections.comparison import direction
from report.writing.sections.results import weighing
from report.writing.study_facts import Section, read_rows

MILLION = 1_000_000
FEWEST_ERRORS = 5
"""Images by which an error has to become rarer to be told of."""
MUCH = 10
"""A dense layer with so many times the weights is one that could memorise, where the other is not."""


class Explanation(Section):
    """What the report knows of any networks that could explain how they differ; none of it is shown to be a cause."""

    def models(self) -> list[str]:
        """Return the models of the declared comparisons, the one that all are compared with first."""
        declared = self.study["comparison"]
        return [declared["baseline"], *declared["against"]] if declared else []

    def parameters(self, model: str) -> int:
        """Return how many parameters a model has."""
        return int(self.values.value(f"{model}.architecture.parameters"))

    def largest(self, model: str) -> dict[str, Any]:
        """Return of the dense layer with the most ``weights`` their ``share`` of all parameters and its ``inputs``.

        Nothing where there is no such layer.
        """
        weights, inputs = self._dense(model)
        share = self.ratio(weights, self.parameters(model))
        return {"weights": weights, "share": share, "inputs": inputs} if share else {}

    def _dense(self, model: str) -> tuple[int, int]:
        """Return weights and inputs of the dense layer with the most weights; 0 without one."""
        found = [
            (shape[-1] * layer["config"]["units"], shape[-1])
            for layer in all_layers(self.facts.architecture(model))
            if layer.get("class_name") == "Dense" and (shape := input_shape(layer))
        ]
        return max(found, default=(0, 0))

    def operations(self, model: str) -> float | None:
        """Return the multiply-adds for the probabilities of one image, in millions: of all views that these are averaged over."""
        found = multiply_adds(self.facts.architecture(model))
        views = 1 + len(self.facts.model(model)["averaged_over"])
        return None if found is None else views * found / MILLION

    @staticmethod
    def ratio(first: float | None, second: float | None) -> float | None:
        """Return how many times the second number the first one is, None where either is not known or 0."""
        return first / second if first and second else None

    def epoch(self, model: str, which: str) -> dict[str, float]:
        """Return number, losses and accuracies of the epoch that is ``kept``, the ``best`` by validation loss, or the ``last``."""
        rows = [{k: float(v) for k, v in row.items()} for row in self._history(model)]
        if which == "best":
            return min(rows, key=lambda row: row["val_loss"])
        kept = self.values.value(f"{model}.training.weights_epoch")
        return next((row for row in rows if which == "kept" and row["epoch"] == kept), rows[-1])

    def _history(self, model: str) -> list[dict[str, str]]:
        return read_rows(self.facts.inputs[f"training_{model}"] / "history.csv")

    def updates(self, model: str) -> int:
        """Return how often the weights were changed until they were as they are evaluated."""
        settings, counts = self.facts.model(model), [self._trained_on(c) for c in self.facts.classes]
        batch = int(settings["batch_size"])
        if settings["class_balance"] == "oversample":
            # Each class is filled up to the largest, and the last partial batch dropped.
            steps = max(1, max(counts) * len(counts) // batch)
        else:
            if settings["class_balance"] == "square-root":
                parts = [math.sqrt(count) for count in counts]
                counts = [round(part / sum(parts) * sum(counts)) for part in parts]
            steps = -(-sum(counts) // batch)
        return steps * int(self.values.value(f"{model}.training.weights_epoch"))

    def _trained_on(self, of: str) -> int:
        return int(self.values.value(f"data.train.count.{of}"))

    def added(self, b: str) -> list[str]:
        """Return what a network or its training has and that of the baseline has not, by name."""
        first, second = (self._steps(m) for m in (self.study["comparison"]["baseline"], b))
        return [name for name, is_there in second.items() if is_there and not first[name]]

    def used(self, models: Sequence[str]) -> list[str]:
        """Return what any of the networks or their training has, by name."""
        found = (name for model in models for name, is_there in self._steps(model).items() if is_there)
        return [*dict.fromkeys(found)]

    def _steps(self, model: str) -> dict[str, bool]:
        settings = self.facts.model(model)
        layers = {row["type"] for row in self.facts.layers(model)}
        return {
            "balance": settings["class_balance"] == "oversample",
            "evened": settings["class_balance"] == "square-root",
            "weights": settings["class_weights"] != "none",
            "augmentation": bool(settings["augmentation"]),
            "smoothing": bool(settings["label_smoothing"]),
            "dropout": any("Dropout" in kind for kind in layers),
            "normalisation": "BatchNormalization" in layers,
            "shortcuts": "Add" in layers,
            "stopping": any(callback["kind"] == "early_stopping" for callback in settings["callbacks"]),
            "decay": settings["optimizer"] == "adamw",
        }

    def errors(self, b: str) -> dict[str, Any]:
        """Return of the errors of the baseline on the compared split the ``commonest``, and the one that ``fell`` most with ``b``, if by enough.

        Each has ``true`` and ``said``, and how many images of the test set it is of ``before`` and ``after``, means rounded.
        """
        declared, found = self.study["comparison"], list[dict[str, Any]]()
        rows = {
            (m, true): self._images_called(f"{m}.{declared['split']}.confusion.{true}")
            for m in (declared["baseline"], b)
            for true in self.facts.classes
        }
        for true, said in permutations(self.facts.classes, 2):
            before, after = (rows[m, true][said] for m in (declared["baseline"], b))
            found.append({"true": true, "said": said, "before": before, "after": after})
        fell = [e for e in found if e["before"] - e["after"] >= FEWEST_ERRORS]
        fell.sort(key=lambda e: e["after"] - e["before"])
        return {"fell": fell[:1], "commonest": max(found, key=lambda e: e["before"])}

    def missed(self, b: str) -> dict[str, int]:
        """Return how many images of other classes the baseline and ``b`` call normal on the compared split; nothing without a normal class."""
        declared, normal = self.study["comparison"], self.facts.normal_class
        rows = f"{{}}.{declared['split']}.confusion.{{}}"
        others = [c for c in self.facts.classes if c != normal] if normal else []
        return {
            m: sum(self._images_called(rows.format(m, c))[normal] for c in others)
            for m in (declared["baseline"], b)
            if others
        }

    def _images_called(self, row: str) -> dict[str, int]:
        """Return how many images of a true class are called each class, as the confusion matrix shows them."""
        classes = [*self.facts.classes]
        counts = round_counts([self.values.value(f"{row}.{said}") for said in classes])
        return dict(zip(classes, counts, strict=True))

    def gap(self, model: str, measure: str) -> float:
        """Return how much worse ``loss`` or ``accuracy`` is on validation than in training, at the epoch that is kept."""
        kept = self.epoch(model, "kept")
        return (kept[f"val_{measure}"] - kept[measure]) * (1 if measure == "loss" else -1)

    def incomparable(self) -> list[str]:
        """Return the models that are not trained on the images as they are: augmented, weighted or drawn otherwise."""
        settings = {m: self.facts.model(m) for m in self.models()}
        return [m for m, s in settings.items() if weighing(s) != "none" or s["augmentation"]]

    def enlarged(self, b: str) -> dict[str, Any]:
        """Return the ablation's network without a component whose largest dense layer has far more weights than that of ``b``.

        Its ``component``, the ``weights``, the ``case`` of the component, and whether they are as many as in the baseline
        or half (``is_as_large``); nothing where there is none.
        """
        ablation = Ablation(self.facts)
        if not ablation.is_known or ablation.model != b:
            return {}
        own = self._dense(b)[0]
        found = {c: self._dense(f"{b}_without_{c}")[0] for c in ablation.components}
        component = max(found, key=lambda c: found[c])
        case = ablation.effect(component, ablation.leave).get("case")
        if found[component] <= MUCH * own:
            return {}
        large = found[component] > self._dense(self.study["comparison"]["baseline"])[0] / 2
        return {"component": component, "weights": found[component], "case": case, "is_as_large": large}

    def early_stopping(self, b: str) -> dict[str, Any]:
        """Return what early stopping alone would have given the model that ``b`` is compared with.

        ``epoch`` is the one with its lowest validation loss, ``best`` and ``kept`` its validation accuracy there and
        where its weights are kept, ``at_end`` whether it is the last, ``other`` that of ``b`` where its weights are
        kept, and ``share`` how much of the gain it is, None without one. In training each image is seen once, also
        where the predictions of ``b`` are averaged over mirror images (``is_averaged``).
        """
        a = self.study["comparison"]["baseline"]
        best, kept = self.epoch(a, "best"), self.epoch(a, "kept")
        other = self.epoch(b, "kept")["val_accuracy"]
        gain = other - kept["val_accuracy"]
        return {
            "is_kept": best["epoch"] == kept["epoch"],
            "at_end": int(best["epoch"]) == self.values.value(f"{a}.training.epochs_run"),
            "epoch": int(best["epoch"]),
            "best": best["val_accuracy"],
            "kept": kept["val_accuracy"],
            "other": other,
            "is_averaged": bool(self.facts.model(b)["averaged_over"]),
            "share": (best["val_accuracy"] - kept["val_accuracy"]) / gain if gain > 0 else None,
        }

    def shifts(self, b: str, measure: str, analysis: str = "") -> dict[str, list[str]]:
        """Return the classes for which a measure went ``up`` or ``down``, is ``unclear``, or of too ``few`` patients.

        A class goes up or down where the interval of its difference leaves out zero; they are in the order of the study.
        """
        declared = self.study["comparison"]
        prefix = f"{pair_name(b, declared['baseline'])}{analysis}.{declared['split']}.{measure}"
        entries = {c: self.values.entry(f"{prefix}.{c}") for c in self.facts.classes}
        changed = {c: e for c, e in entries.items() if e["value"]}
        unclear = [c for c in changed if not direction(changed[c])]
        return {
            "up": [c for c in changed if direction(changed[c]) > 0],
            "down": [c for c in changed if direction(changed[c]) < 0],
            "unclear": [c for c in unclear if changed[c]["low"] is not None],
            "few": [c for c in unclear if changed[c]["low"] is None],
        }
