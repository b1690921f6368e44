"""Facts of the section on the models: their layers, and how they are trained."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from report.document.markdown import escape
from report.writing.architectures import find_shared, place_side_by_side, read_network, tell_apart
from report.writing.layers import tidy_settings
from report.writing.study_facts import Section
from report.writing.values import count, unbroken

COUNTED = ("Conv2D", "MaxPooling2D", "Dense", "Dropout", "BatchNormalization")
"""Kinds of layers that are counted."""
SETTINGS = (
    *(
        "optimizer",
        "epochs",
        "batch_size",
        "precision",
        "input",
        "init_from",
        "class_balance",
        "class_weights",
    ),
    *("augmentation", "augmented", "label_smoothing", "callbacks", "averaged_over"),
)
UNSET: dict[str, dict[str, Any]] = {
    "input": {"input": {"scale": 1 / 255, "offset": 0.0, "pixels": "in-place"}, "test_input": None},
    "init_from": {"init_from": None, "weights": "random"},
    "precision": {"precision": "float32"},
    "class_weights": {"class_weights": "none"},
    "augmented": {"augmented": "each-epoch"},
    "label_smoothing": {"label_smoothing": 0.0},
    "callbacks": {"callbacks": []},
    "averaged_over": {"averaged_over": []},
}
"""What is not worth a line where it holds for all models."""
WIDEST = 30
"""So many letters at most a column is wide before its cells are broken."""
Setting = Callable[[str, Mapping[str, Any]], str]
"""The template's words for what a setting of a model is set to."""


class Models(Section):
    """What the report says of the models of a study, and of their training."""

    def layers(self, model: str) -> list[list[str]]:
        """Return type, settings, output shape and parameters of each layer of a model."""
        return [
            [
                escape(row["type"]),
                escape(tidy_settings(row["settings"])),
                _shape(row["output_shape"]),
                count(int(row["parameters"])),
            ]
            for row in self.facts.layers(model)
        ]

    def first_alike(self, model: str) -> str:
        """Return the first model of the study whose layers are the same, one for one."""
        return next(m for m in self.facts.described if self._unnamed(m) == self._unnamed(model))

    def _unnamed(self, model: str) -> list[tuple[str, ...]]:
        return [tuple(row.values())[1:] for row in self.facts.layers(model)]

    def kinds(self) -> list[str]:
        """Return the kinds of layers that are counted and that any model has."""
        found = {row["type"] for m in self.facts.described for row in self.facts.layers(m)}
        return [kind for kind in COUNTED if kind in found]

    def layer_counts(self, model: str) -> list[str]:
        """Return how many layers a model has of each of the `kinds`."""
        types = [row["type"] for row in self.facts.layers(model)]
        return [str(types.count(kind)) for kind in self.kinds()]

    def settings(
        self, models: Sequence[Mapping[str, Any]], name: Callable[[str], str], setting: Setting
    ) -> list[list[str]]:
        """Return a row for each setting, its ``name`` first; one that is not set in any of the models is left out."""
        named = [
            {
                **m,
                "init_from": m["init_from"] and self.facts.title(m["init_from"]),
                "precision": self._precision(m),
            }
            for m in models
        ]
        rows = {key: [setting(key, model) for model in named] for key in SETTINGS}
        return [
            [unbroken(name(key)), *cells]
            for key, cells in rows.items()
            if not (key in UNSET and set(cells) == {setting(key, UNSET[key])})
        ]

    def _precision(self, model: Mapping[str, Any]) -> str:
        """Return what a model's hidden layers compute in; ``unsupported`` is float32 where bfloat16 was asked for."""
        asked = model["precision"] or self.study["training"]["precision"]
        return str(
            asked if asked == "float32" else self._architecture(model["id"], "summary.json")["precision"]
        )

    def side_by_side(self, models: Sequence[str]) -> dict[str, Any]:
        """Return the ``networks`` of models, their ``blocks`` beside each other, and what is ``shared`` by all layers."""
        networks = [read_network(self.facts.layers(m)) for m in models]
        shared = find_shared(networks)
        apart = [tell_apart(network, shared) for network in networks]
        return {"networks": apart, "blocks": place_side_by_side(apart), "shared": shared}

    def all_settings(
        self, models: Sequence[Mapping[str, Any]], name: Callable[[str], str], setting: Setting
    ) -> list[list[str]]:
        """Return a row for each setting of models, trained or not, and one for the seeds."""
        seeds = ", ".join(map(str, self.study["training"]["seeds"]))
        return [*self.settings(models, name, setting), [name("seed"), *(seeds for _ in models)]]

    @property
    def published(self) -> list[dict[str, Any]]:
        """Return each ``citation`` of what networks are taken from, with its ``models``."""
        found: dict[str, list[str]] = {}
        for model in self.facts.described:
            if source := self.facts.model(model).get("source", ""):
                found.setdefault(source, []).append(model)
        return [{"citation": source, "models": models} for source, models in found.items()]

    def beginnings(self) -> list[dict[str, Any]]:
        """Return what is known of each file of weights that was learnt elsewhere, with the ``models`` that begin with it."""
        found: dict[str, dict[str, Any]] = {}
        for model in self.facts.trained:
            if folder := self.facts.inputs.get(f"pretrained_{model}"):
                known = json.loads((folder / "pretrained.json").read_text(encoding="utf-8"))
                found.setdefault(known["sha256"], {**known, "models": []})["models"].append(model)
        return [*found.values()]

    @property
    def unlearnt(self) -> list[str]:
        """The trained models whose backbone begins with random weights."""
        return [
            m["id"]
            for m in self.study["models"]
            if "backbone" in m["params"] and m["weights"] == "random" and not m["init_from"]
        ]

    def rationales(self, models: Sequence[str]) -> list[dict[str, str]]:
        """Return what the author says of why networks were chosen, each with its ``model``."""
        texts = {m: self.facts.model(m).get("rationale", "") for m in models}
        return [{"model": model, "text": text} for model, text in texts.items() if text]

    def training(self, name: Callable[[str], str], setting: Setting) -> list[list[str]]:
        """Return how each model is trained: a row for each setting, and one for the seeds."""
        models = self.study["models"]
        seeds = ", ".join(map(str, self.study["training"]["seeds"]))
        return [*self.settings(models, name, setting), [name("seed"), *(seeds for _ in models)]]

    def training_of_many(self, name: Callable[[str], str], setting: Setting) -> dict[str, Any]:
        """Return the settings that all models have in ``common``, and a table of the others with a row for each model.

        The table has its ``head``, ``rows`` and ``widths``.
        """
        rows = self.training(name, setting)
        common = [row for row in rows if len(set(row[1:])) == 1]
        titles = [name("model"), *(escape(m["title"]) for m in self.study["models"])]
        head, *models = zip(titles, *(row for row in rows if row not in common), strict=True)
        widths = [min(WIDEST, max(map(len, column))) for column in zip(head, *models, strict=True)]
        return {"common": common, "head": head, "rows": models, "widths": widths}

    def heads(self) -> set[str]:
        """Return what the trained models end in: ``softmax``, ``sigmoid`` or ``logits``."""
        return {str(self._architecture(m, "summary.json")["head"]) for m in self.facts.trained}

    def kernel_initializers(self) -> list[str]:
        """Return the names of the initialisers of the kernels of the trained models."""
        return sorted({name for found in self.initialised() for name in found["initializers"]})

    def initialised(self) -> list[dict[str, list[str]]]:
        """Return the trained ``models`` that have the same ``initializers`` of kernels, by these."""
        alike: dict[tuple[str, ...], list[str]] = {}
        for model in self.facts.trained:
            layers = self._architecture(model, "architecture.json")["config"]["layers"]
            found = (layer["config"].get("kernel_initializer") for layer in layers)
            alike.setdefault(tuple(sorted({str(i["class_name"]) for i in found if i})), []).append(model)
        return [{"initializers": [*names], "models": models} for names, models in alike.items()]

    def _architecture(self, model: str, file: str) -> dict[str, Any]:
        """Return what is known of a model's architecture, as Keras wrote it down."""
        text = (self.facts.inputs[f"architecture_{model}"] / file).read_text(encoding="utf-8")
        found: dict[str, Any] = json.loads(text)
        return found

    def selection(self) -> list[dict[str, Any]]:
        """Return by which rules weights are chosen among epochs, each with the ``models`` that it holds for.

        ``kept`` and ``ends`` are what is monitored to keep the best epoch and to end training, "" without such a rule;
        ``patience`` is in epochs.
        """
        rules: list[dict[str, Any]] = []
        for model in map(self.facts.model, self.facts.main):
            rule = _selection(model["callbacks"])
            same = next((r for r in rules if {**r, "models": 0} == {**rule, "models": 0}), None)
            if same is None:
                rules.append(same := {**rule, "models": []})
            same["models"].append(model["id"])
        return rules


def _selection(callbacks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    rule = {"kept": "", "ends": "", "patience": 0}
    for callback in callbacks:
        if callback["kind"] == "checkpoint" or callback.get("restore_best"):
            rule["kept"] = callback["monitor"]
        if callback["kind"] == "early_stopping":
            rule |= {"ends": callback["monitor"], "patience": callback["patience"]}
    return rule


def _shape(text: str) -> str:
    """Return an output shape as it is printed: ``156 × 156 × 3``, ``48,672``."""
    return " × ".join(count(int(side)) for side in text.split("x"))
