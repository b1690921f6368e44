"""Facts of the section on published figures: which agree with ours, why others are not compared, and what mistakes cost."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal

from analysis.vocabulary.measures import HEADLINES, pair_name
from analysis.vocabulary.published import AGREES, DIFFERS, NOT_COMPARABLE, split_reasons
from analysis.vocabulary.splits import SPLITS
from report.document.markdown import escape
from report.study.build_command import format_build
from report.writing.study_facts import Section, read_rows
from report.writing.values import MISSING, count, decimal, unbroken

Effect = Literal["cost", "gain", "none", "unsure", "unknown"]
COSTS = ("accuracy", "f1.macro")
"""The measures in which it is told what a mistake cost."""
WHOLE = ("epochs_run", "best_epoch")
"""Published figures of a training that are whole numbers."""
_MOST_DIGITS = 4


class Ledger(Section):
    """What the published figures of a study are, and how ours stand to them."""

    @cached_property
    def rows(self) -> list[dict[str, str]]:
        """The ledger, a row for each published figure; none without published figures."""
        if not self.study["published"]:
            return []
        return read_rows(self.facts.inputs["ledger"] / "ledger.csv")

    @property
    def main(self) -> list[dict[str, str]]:
        """The rows of the figures that the study is about, of its main run, each as it was printed with most digits."""
        reported, order = self.facts.reported_class, self.facts.described
        names = {f"test.{measure}" for measure in HEADLINES}
        names |= {f"test.sensitivity.{reported}", f"test.specificity.{reported}"} if reported else set()
        chosen: dict[tuple[str, str], dict[str, str]] = {}
        for row in self.rows:
            if row["figure"] in names and not row["run"]:
                known = chosen.setdefault((row["model"], row["figure"]), row)
                if len(row["printed"]) > len(known["printed"]):
                    chosen[row["model"], row["figure"]] = row
        return sorted(chosen.values(), key=lambda row: _place(row["model"], order))

    def title(self, model: str) -> str:
        """Return the title of a model, ours or one that was only published."""
        if model in self.facts.described:
            return self.facts.title(model, capital=True)
        titles = (r["title"] for r in self.study["published"]["results"] if r["model"] == model)
        return escape(next(filter(None, titles), model))

    def tally(self, kind: str) -> dict[str, int]:
        """Return how many figures of a ``kind`` there are, ``count``, and on how many of them each verdict was passed."""
        prefix = f"ledger.{kind}."
        names = [name for name in self.values.results if name.startswith(prefix)]
        found = {name.removeprefix(prefix): int(self.values.value(name) or 0) for name in names}
        return {**found, "compared": found[AGREES] + found[DIFFERS]} if found else {}

    @property
    def shared_images(self) -> Literal["official", "counts", ""]:
        """Whether both results are of the same images: of the dataset's own test set, or as all counts are the same."""
        start, results = "published.data.test.count", self.values.results
        theirs = {n.removeprefix("published."): item for n, item in results.items() if n.startswith(start)}
        if self.study["split"]["protocol"] == "official":
            return "official"
        equal = (name in results and results[name]["value"] == item["value"] for name, item in theirs.items())
        return "counts" if all(equal) else ""

    @property
    def has_majority(self) -> bool:
        """Whether the published numbers tell what always answering the commonest class reaches."""
        return "published.majority.test.accuracy" in self.values.results

    def obstacles(self) -> list[dict[str, Any]]:
        """Return each ``reason`` why figures are not compared, with the ``titles`` of its models where not of all."""
        models: dict[str, dict[str, None]] = {}
        for row in self.rows:
            if row["verdict"] == NOT_COMPARABLE:
                for reason in split_reasons(row["why"]):
                    models.setdefault(reason, {})[self.title(row["model"])] = None
        everyone = {title for titles in models.values() for title in titles}
        return [
            {"reason": reason, "titles": [] if set(titles) == everyone else list(titles)}
            for reason, titles in models.items()
        ]

    @property
    def is_main(self) -> bool:
        """Whether the ledger stands in the main text: the study is a replication, or any test figure is compared."""
        if not self.study["published"]:
            return False
        return self.study["study"]["kind"] == "replication" or bool(self.tally("test").get("compared"))

    def published_accuracies(self) -> list[str]:
        """Return the published accuracies on test, as they were printed, the lowest first."""
        found = {row["printed"] for row in self.main if row["figure"] == "test.accuracy"}
        return sorted(found, key=float)

    def settings_apart(self) -> list[str]:
        """Return the settings of the study that are not as published, of each group that is spoken of together one."""
        found = [self._setting(o["reason"]) for o in self.obstacles()]
        groups = {
            name if name.startswith("dataset.") else name.partition(".")[0]: name for name in found if name
        }
        return list(groups.values())

    def other_obstacles(self) -> list[dict[str, Any]]:
        """Return the reasons why figures are not compared that are no setting of the study."""
        return [o for o in self.obstacles() if not self._setting(o["reason"])]

    @staticmethod
    def _setting(reason: str) -> str:
        """Return the setting that a reason is about, "" where it is about none."""
        name = reason.partition(" is ")[0]
        if " here, published " not in reason and not reason.endswith("not as published"):
            return ""
        return name if "." in name else f"models.{name}"

    def counts(self) -> list[dict[str, Any]]:
        """Return the published numbers of images beside ours: ``split``, ``class`` or "", both numbers and the ``change``."""
        published = self.study["published"]["protocol"]["counts"]
        order = [f"{split}{of}" for split in SPLITS for of in ("", *(f".{c}" for c in self.facts.classes))]
        return [
            self._count(name, published[name]) for name in sorted(published, key=lambda n: _place(n, order))
        ]

    def _count(self, name: str, published: int) -> dict[str, Any]:
        split, dot, class_id = name.partition(".")
        ours = f"data.{split}.count{dot}{class_id}"
        known = self.values.value(ours) if ours in self.values.results else None
        return {
            "split": split,
            "class": class_id,
            "published": count(published),
            "ours": MISSING if known is None else count(known),
            "change": "" if known in {None, published} else f"{known - published:+,}".replace("-", "−"),
            "same": known == published,
        }

    def printed(self, row: Mapping[str, str]) -> str:
        """Return a published figure as it was printed, whole numbers with their thousands set apart."""
        return row["printed"] if "." in row["printed"] else count(int(row["printed"]))

    def ours(self, row: Mapping[str, str]) -> str:
        """Return our figure with as many decimals as the published one, three at least, and its interval."""
        if not row["ours"]:
            return MISSING
        if row["figure"].startswith("architecture.") or row["figure"].endswith(WHOLE):
            return count(round(float(row["ours"])))
        digits = max(3, len(row["printed"].partition(".")[2]))
        text = decimal(float(row["ours"]), min(digits, _MOST_DIGITS))
        if not row["low"]:
            return text
        return unbroken(f"{text} ({decimal(float(row['low']), 2)}–{decimal(float(row['high']), 2)})")

    def label(self, class_id: str) -> str:
        """Return a class' label as markdown, its id where it is not a class of ours."""
        return self.facts.label(class_id) if class_id in self.facts.classes else escape(class_id)

    @property
    def repeats_mistakes(self) -> bool:
        """Whether any mistake is repeated here, and not only described."""
        return any(map(self.repeats, self.study["mistakes"]))

    def repeats(self, mistake: Mapping[str, Any]) -> bool:
        """Tell whether the model with a mistake and the one without it are trained here."""
        return {mistake["faithful"], mistake["corrected"]} <= {m["id"] for m in self.study["models"]}

    def lacking_weights(self) -> list[str]:
        """Return the models of published figures that are not trained, as their weights are not at hand."""
        published = {row["model"] for row in self.rows}
        return [m["id"] for m in self.study["untrained"] if m["id"] in published]

    def command_with_weights(self) -> str:
        """Return the command that trains them too."""
        origin, data = self.facts.origin, ["--sample"] if self.facts.sample else ["--data", "DIR"]
        return format_build(origin.name, origin.overrides, *data, "--weights", "keras")

    def answers_one_class(self, model: str) -> bool:
        """Tell whether a model calls every image one class."""
        found = [self.values.value(f"{model}.test.sensitivity.{c}") for c in self.facts.classes]
        return sorted(map(float, filter(None, found))) == [1.0] and None not in found

    def costs(self, mistake: Mapping[str, Any]) -> dict[str, str]:
        """Return the names of the differences, corrected less faithful, by measure."""
        pair = f"{pair_name(mistake['corrected'], mistake['faithful'])}.test"
        return {measure: f"{pair}.{measure}" for measure in COSTS}

    def effects(self, mistake: Mapping[str, Any]) -> dict[Effect, list[str]]:
        """Return what the differences say of a mistake, each with the measures of which they say so."""
        found: dict[Effect, list[str]] = {}
        for measure, name in self.costs(mistake).items():
            found.setdefault(effect(self.values.entry(name)), []).append(measure)
        return found


def effect(difference: Mapping[str, Any]) -> Effect:
    """Return what a difference, corrected less faithful, says of a mistake."""
    value, low, high = (difference[key] for key in ("value", "low", "high"))
    if value == 0 and low in {None, 0} and high in {None, 0}:
        return "none"
    if low is None:
        return "unknown"
    return "unsure" if low <= 0 <= high else "cost" if low > 0 else "gain"


def _place(name: str, order: list[str]) -> int:
    return order.index(name) if name in order else len(order)
