"""Tables of the document as Quarto markdown; every number comes from results or an artifact's table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from report.document.markdown import escape
from report.writing.changes import layer_rows, penalties
from report.writing.study_facts import StudyFacts, read_rows
from report.writing.values import MISSING, listed, unbroken

SPLIT_TITLES = {"train": "Training", "val": "Validation", "test": "Test", "all": "All"}
MEASURES = {
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "ppv": "Precision",
    "f1": "F1",
    "auroc": "AUC",
}
_SPLIT_WORDS = {"val": "validation", "test": "test"}
_PURPOSES = {"train": "training", "val": "validation", "test": "testing"}
_HEADLINES = {"accuracy": "Accuracy", "f1.macro": "Macro F1", "auroc.macro": "Macro AUC"}
PRIMARY = {
    "accuracy": "accuracy",
    "f1.macro": "macro F1",
    "sensitivity.macro": "macro sensitivity",
    "auroc.macro": "macro AUC",
}
"""What a comparison can be declared by, in words."""
_AVERAGES = {
    "accuracy": "Accuracy",
    "sensitivity.macro": "Sensitivity",
    "specificity.macro": "Specificity",
    "f1.macro": "F1",
    "auroc.macro": "AUC (macro)",
    "auroc.micro": "AUC (micro)",
}
_ANALYSES = {"": "by picture", "@patient": "by patient"}
_MARK = "An asterisk and bold type mark the highest value"


def pipe_table(
    name: str,
    caption: str,
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    align: str,
    widths: Sequence[int] = (),
) -> str:
    """Return a pipe table with caption and id ``tbl-<name>`` (hyphens for underscores); cells are markdown already.

    ``widths`` are relative column widths, for tables whose cells are longer than a line.
    """
    rule = [_dashes(a, w) for a, w in zip(align, widths or [0] * len(align), strict=True)]
    lines = [head, rule, *rows]
    body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"{body}\n\n: {caption} {{#tbl-{name.replace('_', '-')}}}"


def _dashes(align: str, width: int) -> str:
    left, right = (":" if align in side else "" for side in ("lc", "rc"))
    return f"{left}{'-' * max(3, width)}{right}"


@dataclass(frozen=True)
class Tables(StudyFacts):
    """Makes the tables of one study.

    Parameters
    ----------
    study : mapping
        The study file as JSON values.
    values : Values
        Its results.
    inputs : mapping of str to Path
        The artifacts that the document reads.
    """

    @property
    def told(self) -> str:
        """The class by which a study of two classes is told."""
        return self.reported_class

    def _settings(self, models: Sequence[Mapping[str, Any]]) -> list[list[str]]:
        """Return a row for each setting; one that is not set in any of the models is left out."""
        named = [{**m, "init_from": m["init_from"] and self.title(m["init_from"])} for m in models]
        rows = [[unbroken(label), *(show(m) for m in named)] for label, show in _SETTINGS.items()]
        return [row for row in rows if set(row[1:]) != {_UNSET.get(row[0].replace("\u00a0", " "))}]

    def penalties(self, model: str) -> str:
        """Return the penalties on a model's kernels, ``none`` without any."""
        return penalties(self.layers(model))

    def changes(self, a: str, *others: str) -> str:
        """Return what differs between a model and others: size, layers and training, and nothing that is the same."""
        ids = (a, *others)
        models = [self.model(m) for m in ids]
        rows = [
            ["Parameters", *(self.values.text(f"{m}.architecture.parameters") for m in ids)],
            *([row[0], *map(escape, row[1:])] for row in layer_rows([self.layers(m) for m in ids])),
            *self._settings(models),
            ["Epochs run", *(self.values.text(f"{m}.training.epochs_run") for m in ids)],
        ]
        different = [[unbroken(row[0]), *row[1:]] for row in rows if len(set(row[1:])) > 1]
        titles = [escape(m["title"]) for m in models]
        caption = "What differs between the models."
        if len(others) == 1:
            caption, titles = "What differs between the two models.", [*map(unbroken, titles)]
        widths = (26, 34, 40) if len(others) == 1 else (20, *(80 // len(ids) for _ in ids))
        name = "-".join(["changes", *others[: len(others) == 1]])
        return pipe_table(name, caption, ["What", *titles], different, "l" * len(widths), widths)

    def rows(self) -> list[tuple[str, str]]:
        """Return id and title of every model and floor."""
        return self.classifiers()

    def overall(self) -> str:
        """Return accuracy, F1 and AUC of every model and floor on test, in each analysis, with intervals."""
        shown = self.analyses
        primary = self.study["comparison"]["primary"] if self.study["comparison"] else "accuracy"
        headlines = {primary: PRIMARY[primary][0].upper() + PRIMARY[primary][1:]} | _HEADLINES
        rows = [
            [unbroken(words), title, *(self._marked(f"{model}{suffix}.test.{name}") for name in headlines)]
            for suffix, words in shown.items()
            for model, title in self.rows()
        ]
        head = ["Split", "Model", *headlines.values()]
        sizes = [f"{self.values.text(f'data{s}.test.count')} {words}" for s, words in shown.items()]
        several = len(sizes) > 1
        of = (
            f"number of pictures: {listed(sizes)}"
            if several
            else f"{self.values.text('data.test.count')} pictures"
        )
        mark = f"{_MARK}{' of each split' * several}."
        caption = f"Test set ({of}): all models beside the two floors, with 95\u00a0% intervals. {mark}"
        widths = (13, 24, *[63 // len(headlines)] * len(headlines))
        return self._by_analysis("overall", caption, head, rows, "ll" + "r" * len(headlines), widths)

    def _by_analysis(
        self,
        name: str,
        caption: str,
        head: Sequence[str],
        rows: Sequence[Sequence[str]],
        align: str,
        widths: Sequence[int],
    ) -> str:
        """Return a table whose first column tells the analysis, without that column where there is one only."""
        first = 0 if len(self.analyses) > 1 else 1
        return pipe_table(
            name, caption, head[first:], [row[first:] for row in rows], align[first:], widths[first:]
        )

    def _marked(self, name: str) -> str:
        """Return a result with its interval; the highest of all models in the same analysis and split is marked.

        The mark stands in front, so that the figures of a column stay below one another.
        """
        owner, _, of = name.partition(".")
        analysis = owner[owner.find("@") :] if "@" in owner else ""
        others = (f"{model}{analysis}.{of}" for model, _ in self.rows())
        known = [self.values.value(other) for other in others if other in self.values.results]
        highest = max((value for value in known if value is not None), default=None)
        cell = unbroken(self._cell(name))
        best = name in self.values.results and highest is not None and self.values.value(name) == highest
        return f"**\\*\u00a0{cell}**" if best else cell

    def comparison(self, a: str, b: str) -> str:
        """Return the two models side by side on the compared split, with the differences b - a."""
        split = self.study["comparison"]["split"]
        measures = {
            "accuracy": "Accuracy",
            **{f"{m}.macro": f"{label}, macro" for m, label in MEASURES.items()},
        }
        for measure in ("sensitivity", "f1"):
            for item in self.study["classes"]:
                measures[f"{measure}.{item['id']}"] = f"{MEASURES[measure]}, {escape(item['label'])}"
        pairs = [f"{b}_vs_{a}{analysis}.{split}" for analysis in self.analyses]
        rows = [
            [
                label,
                *(self.values.text(f"{model}.{split}.{measure}") for model in (a, b)),
                *(cell for pair in pairs for cell in self._difference(f"{pair}.{measure}")),
            ]
            for measure, label in measures.items()
        ]
        differences = ("Difference", "By patient")[: len(pairs)]
        known = [self.values.entry(f"{pair}.{m}") for pair in pairs for m in measures]
        bare = any(item["low"] is None and item["value"] is not None for item in known)
        head = [
            "Measure",
            *(escape(self.model(m)["title"]) for m in (a, b)),
            *(words for name in differences for words in (name, "95\u00a0% interval")),
        ]
        caption = (
            f"The two models on the same {self.values.text(f'data.{split}.count')} {_SPLIT_WORDS[split]} pictures. "
            "Differences are of unrounded values. Only the "
            f"primary measure is decided{self._own_level(f'{b}_vs_{a}.{split}.primary')}; the other intervals are exploratory."
            + bare
            * " There is none where the models differ on pictures of fewer than six patients, or on none."
        )
        return pipe_table(f"comparison-{b}", caption, head, rows, "lrr" + "rr" * len(pairs))

    def _difference(self, name: str) -> tuple[str, str]:
        return self.values.text(name), unbroken(self.values.interval(name) or MISSING)

    def _own_level(self, name: str) -> str:
        """Return the level of a declared comparison's interval where it is not that of the others."""
        level = self.values.results.get(name, {}).get("level")
        return f" (its interval is at {100 * level:.4g}\u00a0%)" if level not in {None, 0.95} else ""

    def moved(self, a: str, b: str) -> str:
        """Return how many pictures of each class changed sides between two models."""
        split = self.study["comparison"]["split"]
        labels = {item["id"]: escape(item["label"]) for item in self.study["classes"]}
        rows = [
            [
                labels[row["y_true"]],
                row["both_right"],
                row["a_wrong_b_right"],
                row["a_right_b_wrong"],
                row["both_wrong"],
            ]
            for row in read_rows(self.inputs["compare"] / f"moved.{b}.csv")
            if row["split"] == split
        ]
        pair = f"{b}_vs_{a}.{split}"
        totals = [self.values.text(f"{pair}.{n}") for n in ("both_right", "fixed", "broken", "both_wrong")]
        rows.append(["**All classes**", *(f"**{total}**" for total in totals)])
        first, second = (escape(self.model(m)["title"]) for m in (a, b))
        head = ["True class", "Both right", f"Only {second} right", f"Only {first} right", "Both wrong"]
        return pipe_table(
            f"moved-{b}",
            f"Number of {_SPLIT_WORDS[split]} pictures by which of the two models got them right.",
            head,
            rows,
            "lrrrr",
        )

    def _cell(self, name: str) -> str:
        return self.values.cell(name) if name in self.values.results else MISSING


def augmentation_words(steps: Sequence[Mapping[str, Any]]) -> str:
    """Return a model's augmentation in words."""
    return "; ".join(_augmentation_step(step) for step in steps) or "none"


def _augmentation_step(step: Mapping[str, Any]) -> str:
    edges = f", edges filled ({step['fill']})" if "fill" in step else ""
    match step["kind"]:
        case "horizontal_flip":
            return "horizontal flip, probability 0.5"
        case "shift":
            width, height = (f"{100 * step[side]:g}\u00a0%" for side in ("width", "height"))
            return f"shift by up to {width} of the width and {height} of the height{edges}"
        case "rotation" | "shear":
            return f"{step['kind']} up to ±{step['degrees']:g}°{edges}"
        case "zoom":
            return f"zoom of width and of height up to ±{100 * step['range']:g}\u00a0%{edges}"
        case "brightness":
            return f"brightness up to ±{step['levels']:g} of 255 grey levels"
        case "contrast":
            return f"contrast times {step['low']:g} to {step['high']:g}"
    raise ValueError(f"no words for {step['kind']}")


def callback_words(callbacks: Sequence[Mapping[str, Any]]) -> str:
    """Return a model's callbacks in words."""
    return "; ".join(_callback(callback) for callback in callbacks) or "none"


def _callback(callback: Mapping[str, Any]) -> str:
    monitor = {"val_loss": "validation loss", "val_accuracy": "validation accuracy"}[callback["monitor"]]
    match callback["kind"]:
        case "early_stopping":
            kept = "best weights restored" if callback["restore_best"] else "last weights kept"
            return f"early stopping on {monitor}, patience {callback['patience']}, {kept}"
        case "reduce_learning_rate":
            return (
                f"learning rate times {callback['factor']:g} when {monitor} has not improved for "
                f"{callback['patience']} epochs"
            )
        case "checkpoint":
            return f"checkpoint of the best {monitor}"
    raise ValueError(f"no words for {callback['kind']}")


def input_words(seen: Mapping[str, Any], test: Mapping[str, Any] | None) -> str:
    """Return what a network sees of grey levels from 0 to 255."""
    mixed = ", pixels of different pictures interleaved" if seen["pixels"] == "interleaved" else ""
    return _levels(seen) + mixed + (f"; test pictures {_levels(test)}" if test else "")


def _levels(scale: Mapping[str, Any]) -> str:
    low, high = (scale["scale"] * level + scale["offset"] for level in (0, 255))
    return f"{low:.4g} to {high:.4g}"


def class_weight_words(weights: str | Mapping[str, float]) -> str:
    """Return how the classes are weighed in the loss, in words."""
    if isinstance(weights, str):
        return _WEIGHTS[weights]
    return ", ".join(f"{name}\u00a0{weight:g}" for name, weight in weights.items())


WIDEST = 30
"""So many letters at most a column is wide before its cells are broken."""
_COUNTED = ("Conv2D", "MaxPooling2D", "Dense", "Dropout", "BatchNormalization")
"""Kinds of layers that are counted."""
_BALANCE = {"none": "none", "oversample": "every class oversampled to the size of the commonest"}
_WEIGHTS = {
    "none": "none",
    "balanced": "pictures over classes times pictures of the class",
    "other-share": "share of the other classes",
}
_AUGMENTED = {"each-epoch": "anew in each epoch", "once": "once, the same in every epoch"}
_OPTIMIZERS = {"adam": "Adam", "rmsprop": "RMSprop", "sgd": "SGD"}
_SETTINGS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "Optimiser": lambda m: f"{_OPTIMIZERS[m['optimizer']]}, learning rate {m['learning_rate']:g}",
    "Epochs, at most": lambda m: str(m["epochs"]),
    "Batch size": lambda m: str(m["batch_size"]),
    "Grey levels seen": lambda m: input_words(m["input"], m["test_input"]),
    "First weights": lambda m: f"those of the {m['init_from']}, trained" if m["init_from"] else "random",
    "Class balance": lambda m: _BALANCE[m["class_balance"]],
    "Class weights": lambda m: class_weight_words(m["class_weights"]),
    "Augmentation": lambda m: augmentation_words(m["augmentation"]),
    "Augmented": lambda m: _AUGMENTED[m["augmented"]],
    "Callbacks": lambda m: callback_words(m["callbacks"]),
}
_UNSET = {
    "Grey levels seen": "0 to 1",
    "First weights": "random",
    "Class weights": "none",
    "Augmented": "anew in each epoch",
}
"""What is not worth a line where it holds for all models."""
