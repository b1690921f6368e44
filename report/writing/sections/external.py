"""Facts of the section on the external test: what networks call images from elsewhere, beside the study's test set."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from analysis.audit.people import AGE_GROUPS, name_age_group
from analysis.vocabulary.external import EXTERNAL, MEASURES_OF_CLASS
from analysis.vocabulary.measures import MEASURES
from analysis.vocabulary.origins import ADULT
from report.document.markdown import escape
from report.writing.study_facts import Section, read_rows
from report.writing.values import MISSING, unbroken

_YOUNG = {name_age_group(low): low < ADULT for low, _ in AGE_GROUPS}
"""Whether those of an age group are minors."""


class External(Section):
    """What the report says of images from elsewhere."""

    @property
    def is_declared(self) -> bool:
        """Whether the study names images from elsewhere."""
        return bool(self.study[EXTERNAL])

    @property
    def is_tested(self) -> bool:
        """Whether such images were there, so that there are results."""
        return f"{EXTERNAL}.count" in self.values.results

    @property
    def classes(self) -> list[Mapping[str, Any]]:
        """The classes of the external set: ``id``, ``label`` and which of the study's each ``matches``."""
        return list(self.study[EXTERNAL]["classes"])

    def label(self, class_id: str) -> str:
        """Return the label of a class of the external set."""
        return next(escape(c["label"]) for c in self.classes if c["id"] == class_id)

    def median_age(self) -> str:
        """Return the median age in years, of an even number of images perhaps half a year between two."""
        return f"{self.values.value(f'{EXTERNAL}.age_median'):g}"

    @property
    def headline(self) -> str:
        """The class that is quoted first: the one that is the study's normal class, else the one with most images."""
        normal = [str(c["id"]) for c in self.classes if [*c["matches"]] == [self.facts.normal_class]]
        sizes = {str(c["id"]): self.values.value(f"{EXTERNAL}.count.{c['id']}") for c in self.classes}
        return next(iter(normal), max(sizes, key=lambda name: sizes[name]))

    def commonest(self, model: str, label: str) -> str:
        """Return the class of the study that a network calls most images of a label."""
        of = f"{model}.{EXTERNAL}.confusion.{label}"
        return max(self.facts.classes, key=lambda name: self.values.value(f"{of}.{name}"))

    def are_adults(self) -> bool:
        """Return whether the age of all images is known and none is of a minor."""
        known, minors = (self.values.value(f"{EXTERNAL}.{name}") for name in ("age_known", "minors"))
        return bool(known == self.values.value(f"{EXTERNAL}.count") and not minors)

    def minors(self) -> dict[str, dict[str, Any]]:
        """Return for each model of how many ``images`` of minors it calls what ``share`` a ``called`` class, its commonest answer.

        ``adults`` is the share of images of adults that it calls so, None without any, and ``is_rising`` whether that is
        more. Nothing where the age of no minor is known.
        """
        found: dict[str, dict[str, Any]] = {}
        for model in self.facts.trained:
            counts = {young: dict.fromkeys(self.facts.classes, 0.0) for young in (True, False)}
            for row in read_rows(self.facts.inputs[f"{EXTERNAL}_{model}"] / "groups.csv"):
                if row["kind"] == "age_group" and row["group"] in _YOUNG:
                    counts[_YOUNG[row["group"]]][row["y_pred"]] += float(row["count"])
            images, adults = (round(sum(counts[young].values())) for young in (True, False))
            called = max(counts[True], key=lambda name: counts[True][name])
            if images:
                share = counts[False][called] / adults if adults else None
                found[model] = {
                    "images": images,
                    "called": called,
                    "share": counts[True][called] / images,
                    "adults": share,
                    "is_rising": share is not None and share > counts[True][called] / images,
                }
        return found

    def are_wrong(self) -> bool:
        """Return whether a network calls most images of the label that is quoted first a class that this does not match."""
        matches = next(c["matches"] for c in self.classes if c["id"] == self.headline)
        return any(self.commonest(model, self.headline) not in matches for model in self.facts.trained)

    def with_accuracy(self) -> list[str]:
        """Return the models whose accuracy on the external set is known."""
        return [m for m in self.facts.trained if self.values.value(f"{m}.{EXTERNAL}.accuracy") is not None]

    def is_reversed(self) -> bool:
        """Return whether of two models in the main text the one with the higher accuracy on test has the lower one here.

        The intervals have to be apart.
        """
        main = self.facts.main
        if len(main) != 2 or not {*main} <= {*self.with_accuracy()}:
            return False
        here, there = ([self.values.value(f"{m}.{of}.accuracy") for m in main] for of in (EXTERNAL, "test"))
        ends = [[self.values.entry(f"{m}.{EXTERNAL}.accuracy")[end] for end in ("low", "high")] for m in main]
        apart = None not in ends[0] + ends[1] and (ends[0][0] > ends[1][1] or ends[1][0] > ends[0][1])
        return bool(apart and (here[0] - here[1]) * (there[0] - there[1]) < 0)

    def is_chance(self, models: Sequence[str], of: str) -> bool:
        """Return whether the AUC of a class is known here of all these models, with intervals that have 0.5 in them."""
        found = [self.values.entry(f"{model}.{EXTERNAL}.auroc.{of}") for model in models]
        return all(item["low"] is not None and item["low"] <= 0.5 <= item["high"] for item in found)

    def unseen(self) -> list[str]:
        """Return the classes of the study of which the external set has no image."""
        matched = {name for c in self.classes for name in c["matches"]}
        return [name for name in self.facts.classes if name not in matched]

    def measures(self) -> list[dict[str, str]]:
        """Return what is measured on both sets: ``measure`` and ``of`` (a class, or ""), and the ``name`` behind model and set."""
        models = self.facts.trained
        found = [{"measure": MEASURES["accuracy"].head, "of": "", "name": "accuracy"}]
        for measure in MEASURES_OF_CLASS:
            for name in self.facts.classes:
                found.append({"measure": MEASURES[measure].head, "of": name, "name": f"{measure}.{name}"})
        known = self.values.results
        return [
            item
            for item in found
            if all(known[f"{m}.{EXTERNAL}.{item['name']}"]["value"] is not None for m in models)
        ]

    def cell(self, name: str) -> str:
        """Return a result with its interval, on one line."""
        return unbroken(self.values.cell(name))

    def groups(self, told: Callable[[str, str], str]) -> list[list[str]]:
        """Return a row for each group and label: kind, group, label, images, and what each network calls most of them.

        ``told`` is the template's words for a kind of groups and for a group of that kind.
        """
        tables = {
            m: read_rows(self.facts.inputs[f"{EXTERNAL}_{m}"] / "groups.csv") for m in self.facts.trained
        }
        keys = ("kind", "group", "label")
        first = next(iter(tables.values()))
        found = dict.fromkeys(tuple(row[key] for key in keys) for row in first)
        rows, before = [], ""
        for kind, group, label in found:
            of = {
                m: [r for r in t if (r["kind"], r["group"], r["label"]) == (kind, group, label)]
                for m, t in tables.items()
            }
            said = [self._most(rows_of) for rows_of in of.values()]
            images = next(iter(of.values()))[0]["n"]
            rows.append(
                [
                    told(kind, "") if kind != before else "",
                    told(kind, group),
                    self.label(label),
                    images,
                    *said,
                ]
            )
            before = kind
        return rows

    def _most(self, rows: list[dict[str, str]]) -> str:
        """Return the class, or the classes, that most images are called, and how many each; means of trainings are rounded."""
        most = max(float(row["count"]) for row in rows)
        if round(most) == 0:
            return MISSING
        labels = [self.facts.label(row["y_pred"]) for row in rows if float(row["count"]) == most]
        return f"{', '.join(labels)}{unbroken(' ')}({most:.0f})"
