"""Tables of the document as Quarto markdown; every number comes from results or an artifact's table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from report.document.markdown import escape
from report.writing.changes import layer_rows, penalties
from report.writing.study_facts import StudyFacts, read_rows
from report.writing.values import MISSING, decimal, listed, unbroken

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

    def counts(self) -> str:
        """Return the number of pictures per class and split, with each class' share."""
        splits = ("train", "val", "test", "all")
        rows = []
        for item in self.study["classes"]:
            cells = [self.values.text(f"data.{split}.count.{item['id']}") for split in splits]
            share = self.values.text(f"data.all.share.{item['id']}")
            rows.append([escape(item["label"]), *cells, share])
        totals = [self.values.text(f"data.{split}.count") for split in splits]
        rows.append(["**All classes**", *(f"**{total}**" for total in totals), ""])
        head = ["Class", *(SPLIT_TITLES[split] for split in splits), "Share"]
        caption = "Number of pictures per class and split, and the share of each class in all."
        return pipe_table("counts", caption, head, rows, "lrrrrr")

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

    def references(self, name: str, models: Iterable[str]) -> str:
        """Return references to the tables called ``name`` of some models."""
        return listed([f"@tbl-{name}-{m.replace('_', '-')}" for m in models])

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

    def averages(self) -> str:
        """Return accuracy and macro measures of every model beside the floors, on both splits."""
        parts = {
            ".val": "Validation",
            **{f"{a}.test": f"Test {words}" for a, words in self.analyses.items()},
        }
        if len(parts) == 2:
            parts[".test"] = "Test"
        n = listed([f"{self.values.text(f'data.{s}.count')} {_SPLIT_WORDS[s]}" for s in ("val", "test")])
        caption = (
            f"All models beside the floors on {n} pictures: accuracy, the means of the classes (macro) and the area under "
            "the pooled curve (micro)."
        )
        if self.many:
            return self._averages_beside(parts, caption)
        rows = [
            [words, title, *(self._optional(f"{model}{part}.{name}") for name in _AVERAGES)]
            for part, words in parts.items()
            for model, title in self.rows()
        ]
        return pipe_table("averages", caption, ["Split", "Model", *_AVERAGES.values()], rows, "llrrrrrr")

    def _averages_beside(self, parts: Mapping[str, str], caption: str) -> str:
        """Return a row for each of many models, the splits beside each other."""
        measures = {
            name: words for name, words in _AVERAGES.items() if not (self.told and words == "Specificity")
        }
        rows = [
            [
                title,
                *(
                    unbroken(" / ".join(self._optional(f"{model}{part}.{name}") for part in parts))
                    for name in measures
                ),
            ]
            for model, title in self.rows()
        ]
        order = " / ".join(words[:1].lower() + words[1:] for words in parts.values())
        equal = " The mean specificity of two classes is their mean sensitivity." if self.told else ""
        head = ["Model", *measures.values()]
        return pipe_table(
            "averages", f"{caption} In each cell: {order}.{equal}", head, rows, "l" + "r" * len(measures)
        )

    def calibration(self) -> str:
        """Return how well the probabilities of each model are calibrated on test, raw and corrected."""
        text = self.values.text
        rows = []
        for analysis, words in self.analyses.items():
            for model, title in self.rows()[:-1]:
                test = f"{model}{analysis}.test"
                rows.append(
                    [
                        words,
                        title,
                        *(text(f"{test}.{name}") for name in ("brier", "log_loss", "ece")),
                        unbroken(self.values.interval(f"{test}.ece_expected", to="–")),
                        text(f"{model}{analysis}.val.temperature"),
                        *(text(f"{test}.{name}_scaled") for name in ("brier", "log_loss", "ece")),
                    ]
                )
        head = ["Split", "Model", "Brier", "Log loss", "ECE", "by chance", "T", "Brier", "Log loss", "ECE"]
        caption = (
            "Test pictures: Brier score, log loss and expected calibration error (ECE) of the probabilities as they are, and "
            "the range in which 95\u00a0% of the ECEs of calibrated ones would lie by chance; then the temperature T fitted on "
            "validation, and the same measures of the corrected probabilities."
        )
        widths = (12, 20, 8, 9, 8, 15, 7, 8, 9, 8)
        return self._by_analysis("calibration", caption, head, rows, "llrrrrrrrr", widths)

    def operating(self, at: str = "at_90") -> str:
        """Return sensitivity and specificity on test at thresholds chosen on validation; for two classes of one score."""
        scores = self._scores()
        rows = [
            [
                label,
                title,
                threshold(self.values.value(f"{model}.val.threshold_{at}.{score}")),
                *(
                    unbroken(self.values.cell(f"{model}.test.{measure}_{at}.{score}"))
                    for measure in ("sensitivity", "specificity")
                ),
            ]
            for score, label in scores.items()
            for model, title in self.rows()[:-2]
        ]
        caption = (
            f"{self.values.text('data.test.count')} test pictures, at the lowest threshold whose specificity on the "
            f"{self.values.text('data.val.count')} validation pictures reaches 90\u00a0%. Intervals take the threshold as "
            f"given.{self._abnormal()}"
        )
        head = ["Score", "Model", "Threshold", "Sensitivity", "Specificity"]
        first = 0 if len(scores) > 1 else 1
        return pipe_table(
            "operating",
            caption,
            head[first:],
            [row[first:] for row in rows],
            "llrrr"[first:],
            (26, 22, 12, 20, 20)[first:],
        )

    def _scores(self) -> dict[str, str]:
        """Return the scores that have a threshold, and their labels."""
        if self.told:
            return {self.told: self.label(self.told)}
        labels = {c["id"]: escape(c["label"]) for c in self.study["classes"]}
        return {"abnormal": "Abnormal"} | labels if self._normal else labels

    @property
    def _normal(self) -> str:
        """The label of the normal class, "" where there is none."""
        return next((escape(c["label"]) for c in self.study["classes"] if c["normal"]), "")

    def _abnormal(self) -> str:
        """Return what the scores are, for a caption that has said what is done with them."""
        if self.told:
            return f" The score is the probability of {self.label(self.told)}."
        abnormal = f" Abnormal is any class but {self._normal}, with 1 minus its probability as score."
        return abnormal if self._normal else ""

    def predictive(self) -> str:
        """Return what a positive and a negative answer mean at several prevalences."""
        rows = [
            [
                title,
                *(
                    self.values.text(f"{model}.test.{measure}_at_90.prevalence_{prevalence}")
                    for prevalence in (10, 30, 50)
                    for measure in ("ppv", "npv")
                ),
            ]
            for model, title in self.rows()[:-2]
        ]
        head = [
            "Model",
            *(f"{name} at {p}\u00a0%" for p in (10, 30, 50) for name in ("PPV", "NPV")),
        ]
        caption = (
            f"Predictive values of the {'abnormal ' * (not self.told)}score at the threshold of @tbl-operating, by Bayes' "
            "theorem, where 10, 30 or 50\u00a0% of the people examined have a disease."
        )
        return pipe_table("predictive", caption, head, rows, "lrrrrrr")

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

    def coverage(self) -> str:
        """Return where in the report each requirement is answered."""
        rows = [[escape(item["text"]), self._answer(item)] for item in self.study["report"]["requirements"]]
        return pipe_table(
            "coverage", "Where each requirement is answered.", ["Requirement", "Where"], rows, "ll", (70, 30)
        )

    def _answer(self, requirement: Mapping[str, Any]) -> str:
        other = [
            f"{escape(name)} is {escape(str(self._setting(name)))}"
            for name, value in requirement["holds"].items()
            if self._setting(name) != value
        ]
        where = f"@{requirement['where']}"
        return f"{where}; not as required here: {listed(other)}" if other else where

    def _setting(self, name: str) -> Any:
        """Return a value of the study file by its dotted name; lists of tables are reached by ``id``."""
        place: Any = self.study
        for key in name.split("."):
            place = (
                next((i for i in place if i["id"] == key), {})
                if isinstance(place, list)
                else place.get(key, {})
            )
        return place

    def _cell(self, name: str) -> str:
        return self.values.cell(name) if name in self.values.results else MISSING

    def _optional(self, name: str) -> str:
        return self.values.text(name) if name in self.values.results else MISSING


def threshold(value: float | None) -> str:
    """Return a threshold of a probability; one so low that its decimals would all be 0 says so."""
    if value is None:
        return MISSING
    return "\\< 0.001" if 0 < value < 0.0005 else decimal(value)


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
