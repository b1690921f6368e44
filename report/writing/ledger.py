"""Published figures beside ours: tables and sentences that follow from the ledger and from nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from report.document.markdown import escape
from report.writing.study_facts import read_rows
from report.writing.tables import MEASURES, Tables, pipe_table
from report.writing.values import MISSING, Values, count, counted, decimal, listed, unbroken

SOURCES = {
    "notebook": "in the notebook",
    "readme": "in the README alone",
    "plot": "read from a plot",
    "derived": "derived from published numbers",
    "inferred": "inferred",
}
SPLITS = {"train": "Training", "val": "Validation", "test": "Test"}
NAMES = {
    "accuracy": "accuracy",
    "log_loss": "loss",
    "loss": "loss with penalty",
    "parameters": "parameters",
    "trainable_parameters": "trained parameters",
    "epochs_run": "epochs run",
    "best_epoch": "best epoch",
    **{
        measure: words if words.isupper() or words == "F1" else words.lower()
        for measure, words in MEASURES.items()
    },
}
KINDS = {
    "train": "Training set",
    "test": "Test",
    "val": "Validation",
    "training": "Curves",
    "architecture": "Network",
}
TOLD = {
    "agrees": ("agrees with ours", "agree with ours"),
    "differs": ("differs", "differ"),
    "not_decided": ("has no standard error", "have no standard error"),
    "not_measured": ("is not measured here", "are not measured here"),
    "not_comparable": ("is not comparable", "are not comparable"),
}


@dataclass(frozen=True)
class Ledger:
    """Writes what the published figures are and how ours compare with them.

    Parameters
    ----------
    study : mapping
        The study file as JSON values.
    values : Values
        Its results.
    tables : Tables
        For titles of models; its inputs have ``ledger``.
    """

    study: Mapping[str, Any]
    values: Values
    tables: Tables

    @cached_property
    def rows(self) -> list[dict[str, str]]:
        """The ledger, a row for each published figure; none without published figures."""
        return read_rows(self.tables.inputs["ledger"] / "ledger.csv") if self.study["published"] else []

    @property
    def main(self) -> list[dict[str, str]]:
        """The rows of the figures that the study is about, of its main run."""
        told = self.tables.told
        names = {"test.accuracy", "test.f1.macro", "test.auroc.macro"}
        names |= {f"test.sensitivity.{told}", f"test.specificity.{told}"} if told else set()
        chosen: dict[tuple[str, str], dict[str, str]] = {}
        for row in self.rows:
            if row["figure"] in names and not row["run"]:
                known = chosen.setdefault((row["model"], row["figure"]), row)
                if len(row["printed"]) > len(known["printed"]):
                    chosen[row["model"], row["figure"]] = row
        order = [m["id"] for m in self._models]
        return sorted(
            chosen.values(), key=lambda row: order.index(row["model"]) if row["model"] in order else 99
        )

    @property
    def _models(self) -> list[Mapping[str, Any]]:
        """The models of the study, those that are only described last."""
        return [*self.study["models"], *self.study.get("untrained", ())]

    def title(self, model: str) -> str:
        """Return the title of a model, ours or one that was only published."""
        own = next((m["title"] for m in self._models if m["id"] == model), "")
        if own:
            return escape(own)
        titles = (r["title"] for r in self.study["published"]["results"] if r["model"] == model)
        return escape(next(filter(None, titles), model))

    def origin(self) -> str:
        """Return where the figures come from."""
        published = self.study["published"]
        return f"Its figures are those of {escape(published['repository'])}, read from {escape(published['read'])}."

    def summary(self) -> str:
        """Return how many published figures agree with ours: accuracies, all test figures, numbers of parameters."""
        said = f"{self.agreement()} " if self.agreement() else "No published figure is compared with ours. "
        test, parameters = self._tally("test"), self._tally("parameters")
        if test["agrees"] + test["differs"]:
            told = [
                f"{count(test[verdict])} {one if test[verdict] == 1 else many}"
                for verdict, (one, many) in TOLD.items()
                if test[verdict]
            ]
            said += f"Of {counted(test['count'], 'published figure')} of the test set {listed(told)}. "
            said += self._lenient()
        compared = parameters["agrees"] + parameters["differs"]
        if compared:
            same = "all" if parameters["agrees"] == compared else count(parameters["agrees"])
            said += f"Of {counted(compared, 'published number')} of parameters {same} are ours. "
        return f"{said}{self.obstacles()}".rstrip()

    def _lenient(self) -> str:
        """Return that the rule is lenient where both results are of the same pictures."""
        v, start = self.values, "published.data.test.count"
        theirs = {n.removeprefix("published."): item for n, item in v.results.items() if n.startswith(start)}
        equal = (name in v.results and v.value(name) == item["value"] for name, item in theirs.items())
        if self.study["split"]["protocol"] == "official":
            same = "Both results are of the same pictures, the dataset's own test set"
        elif all(equal):
            same = "Both test sets have the same numbers of pictures of each class, so they may well be the same pictures"
        else:
            return ""
        return f"{same}: then they are not independent, as the rule takes them to be, and it is lenient. "

    def agreement(self) -> str:
        """Return how many networks reach the published accuracy; nothing where none can be compared."""
        if not self.study["published"]:
            return ""
        found = self._tally("accuracy")
        compared = found["agrees"] + found["differs"]
        if not compared:
            return ""
        if compared == 1:
            verdict = "agrees with ours" if found["agrees"] else "differs from ours"
            return f"The one published test accuracy that can be compared {verdict}."
        return (
            f"Of {count(compared)} published test accuracies that can be compared with ours {count(found['agrees'])} "
            f"{'agrees' if found['agrees'] == 1 else 'agree'}."
        )

    def _tally(self, kind: str) -> dict[str, int]:
        prefix = f"ledger.{kind}."
        names = [name for name in self.values.results if name.startswith(prefix)]
        return {name.removeprefix(prefix): int(self.values.value(name) or 0) for name in names}

    def obstacles(self) -> str:
        """Return why figures are not compared, each reason with its models."""
        models: dict[str, list[str]] = {}
        for row in self.rows:
            if row["verdict"] == "not comparable":
                for reason in row["why"].split("; "):
                    title = self.title(row["model"])
                    models.setdefault(reason, []).extend(
                        [title] if title not in models.get(reason, []) else []
                    )
        everyone = {title for titles in models.values() for title in titles}
        told = [
            escape(reason) + ("" if set(titles) == everyone else f" ({listed(titles)})")
            for reason, titles in models.items()
        ]
        return f"Not compared: {'; '.join(told)}." if told else ""

    def notes(self) -> list[str]:
        """Return what else differs, or is not known, of the published conditions."""
        return [escape(note) for note in self.study["published"]["protocol"]["notes"]]

    def floors(self) -> str:
        """Return what always answering the commonest class reaches, there and here."""
        v = self.values
        if "published.majority.test.accuracy" not in v.results:
            return ""
        return (
            "Always answering the commonest class reaches accuracy "
            f"{v('published.majority.test.accuracy')} on the published test set and {v('majority.test.accuracy')} on ours."
        )

    def choice(self) -> str:
        """Return which model the published study chose, and by what; nothing where it chose none."""
        choice = self.study["published"].get("choice")
        if not choice:
            return ""
        trained = {m["id"] for m in self.study["models"]}
        here = "" if choice["model"] in trained else "; it is not trained here"
        return f"The published study chose its model {escape(choice['reason'])}: {self.title(choice['model'])}{here}."

    def data(self) -> str:
        """Return how far the numbers of pictures may be apart for figures to be compared."""
        share = 100 * float(self.values.value("ledger.tolerance"))
        return (
            "@tbl-ledger-counts has the numbers of pictures; where a part has over "
            f"{share:.0f}\u00a0% more or fewer than published, nothing is compared."
        )

    def counts(self) -> str:
        """Return the published numbers of pictures beside ours."""
        labels = {c["id"]: escape(c["label"]) for c in self.study["classes"]}
        rows = []
        counts = self.study["published"]["protocol"]["counts"]
        order = [f"{split}{of}" for split in SPLITS for of in ("", *(f".{c}" for c in labels))]
        for name in sorted(counts, key=lambda name: order.index(name) if name in order else len(order)):
            published, (split, _, of) = counts[name], name.partition(".")
            ours = f"data.{split}.count{'.' if of else ''}{of}"
            known = self.values.value(ours) if ours in self.values.results else None
            same = "" if known is None else "same" if known == published else _signed(known - published)
            words = [SPLITS[split], labels.get(of, escape(of)) if of else "All classes"]
            rows.append([*words, count(published), MISSING if known is None else count(known), same])
        caption = "Numbers of pictures, as published and here."
        return pipe_table(
            "ledger-counts", caption, ["Part", "Class", "Published", "Here", "Difference"], rows, "llrrr"
        )

    def table(self) -> str:
        """Return the main figures: published, ours with interval, and the verdict."""
        rows = [*map(self._line, self.main), *self._floor()]
        caption = (
            "Published figures and ours on the test set, with 95\u00a0% intervals of ours. They agree if they differ by at "
            "most 1.96 standard errors of their difference; only figures of the same protocol are compared."
        )
        head = ["Model", "Measure", "Published", "Ours", "Verdict"]
        return pipe_table("ledger", caption, head, rows, "llrrl", (30, 20, 12, 22, 16))

    def _floor(self) -> Iterator[list[str]]:
        names = ("published.majority.test.accuracy", "majority.test.accuracy")
        if names[0] in self.values.results:
            published, ours = (self.values.text(name) for name in names)
            yield ["Always the commonest class", "Accuracy", published, ours, ""]

    def everything(self) -> str:
        """Return the whole ledger with where each figure was read, for HTML."""
        rows = [
            [
                self.title(row["model"]) + (f", {escape(row['run'])} run" if row["run"] else ""),
                f"{KINDS[row['figure'].partition('.')[0]]}: {self.measure(row['figure'])}",
                _printed(row["printed"]),
                self._ours(row),
                row["verdict"],
                escape(SOURCES[row["source"]]),
            ]
            for row in self.rows
        ]
        caption = (
            "Every published figure, ours beside it, and where it was read; also in `tables/ledger.csv`."
        )
        head = ["Model", "Figure", "Published", "Ours", "Verdict", "Read"]
        return pipe_table("ledger-all", caption, head, rows, "llrrll", (26, 26, 10, 20, 14, 20))

    def _line(self, row: Mapping[str, str]) -> list[str]:
        printed = _printed(row["printed"]) + ("\\*" if row["source"] in {"derived", "inferred"} else "")
        title, name = self.title(row["model"]), self.measure(row["figure"])
        if "," in name:  # of a class
            name = unbroken(name)
        return [title, name[:1].upper() + name[1:], printed, self._ours(row), unbroken(row["verdict"])]

    def _ours(self, row: Mapping[str, str]) -> str:
        if not row["ours"]:
            return MISSING
        if row["figure"].startswith("architecture.") or row["figure"].endswith(("epochs_run", "best_epoch")):
            return count(round(float(row["ours"])))
        digits = max(3, len(row["printed"].partition(".")[2])) if row["printed"] else 3
        text = decimal(float(row["ours"]), min(digits, 4))
        if not row["low"]:
            return text
        return unbroken(f"{text} ({decimal(float(row['low']), 2)}–{decimal(float(row['high']), 2)})")

    def measure(self, figure: str) -> str:
        """Return the name of a published figure in words: ``macro F1``, ``sensitivity, Pneumonia``."""
        parts = figure.split(".")
        kind, name, of = parts[0], parts[1], parts[2] if len(parts) > 2 else ""
        when, of_curve = "", name
        if kind == "training" and name not in {"epochs_run", "best_epoch"}:
            when, _, of_curve = name.partition("_")
            of_curve = of_curve.replace("val_", "validation ").replace("_", " ")
            return f"{of_curve}, {when} epoch"
        words = NAMES.get(name, name.replace("_", " "))
        if of in {"macro", "micro", "weighted"}:
            return f"{of} {words}"
        labels = {c["id"]: escape(c["label"]) for c in self.study["classes"]}
        return f"{words}, {labels.get(of, escape(of))}" if of else words

    @property
    def repeats(self) -> bool:
        """Whether any mistake is repeated here, and not only described."""
        return any(map(self.repeated, self.study["mistakes"]))

    def repeated(self, mistake: Mapping[str, Any]) -> bool:
        """Tell whether the model with a mistake and the one without it are trained here."""
        trained = {m["id"] for m in self._models if m["weights"] == "random"}
        return {mistake["faithful"], mistake["corrected"]} <= trained

    def mistakes(self) -> Iterator[str]:
        """Yield for each mistake what it was, and what it cost in accuracy and macro F1."""
        for mistake in self.study["mistakes"]:
            told = "What it cost is not measured, as these networks are not trained here."
            if self.repeated(mistake):
                told = self._cost(mistake["faithful"], mistake["corrected"])
            yield f"{escape(mistake['text'])} {told}"

    def _cost(self, a: str, b: str) -> str:
        v = self.values
        reached = [
            f"the {self.tables.title(m)} reaches accuracy {v(f'{m}.test.accuracy')} and macro F1 {v(f'{m}.test.f1.macro')}"
            for m in (a, b)
        ]
        pair = f"{b}_vs_{a}.test"
        changes = {"accuracy": f"{pair}.accuracy", "macro F1": f"{pair}.f1.macro"}
        told = f"With the mistake, {reached[0]} on the test pictures; corrected, {reached[1]}."
        if self._answers_one_class(a) and self._answers_one_class(b):
            return (
                f"{told} Both call every picture one class, so the difference tells nothing of the mistake."
            )
        return f"{told} {self._changed(changes)}"

    def _answers_one_class(self, model: str) -> bool:
        found = [self.values.value(f"{model}.test.sensitivity.{c['id']}") for c in self.study["classes"]]
        return sorted(map(float, filter(None, found))) == [1.0] and None not in found

    def _changed(self, changes: Mapping[str, str]) -> str:
        """Return the differences that are any, and what follows from all of them."""
        v = self.values
        told = [
            f"{v.aside(name)} in {words}"
            for words, name in changes.items()
            if effect(v.entry(name)) != "none"
        ]
        follows = self._effects(changes)
        if not told:
            return f"{follows[:1].upper()}{follows[1:]}."
        return f"The difference is {listed(told)}: {follows}."

    def _effects(self, changes: Mapping[str, str]) -> str:
        """Return what follows from the differences, measures with the same effect together."""
        measures: dict[str, list[str]] = {}
        for words, name in changes.items():
            measures.setdefault(effect(self.values.entry(name)), []).append(words)
        return "; ".join(EFFECTS[found].format(listed(words)) for found, words in measures.items())


EFFECTS = {
    "cost": "between these two trainings the mistake cost {}",
    "gain": "of these two trainings the one with the mistake is ahead in {}",
    "none": "nothing changed in {}",
    "unsure": "a cost in {} is not shown, as the interval holds 0",
    "unknown": "there is no interval for {}",
}


def effect(difference: Mapping[str, Any]) -> str:
    """Return what a difference, corrected less faithful, says of a mistake, as a key of ``EFFECTS``."""
    value, low, high = (difference[key] for key in ("value", "low", "high"))
    if value == 0 and low in {None, 0} and high in {None, 0}:
        return "none"
    if low is None:
        return "unknown"
    return "unsure" if low <= 0 <= high else "cost" if low > 0 else "gain"


def _printed(text: str) -> str:
    return text if "." in text else count(int(text))


def _signed(number: int) -> str:
    return f"{number:+,}".replace("-", "−")
