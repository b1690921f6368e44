"""Facts of the audit: what goes with the classes, how closely, for which of them it holds, and what splits share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from analysis.vocabulary.audit import (
    ALPHA,
    AUDIT,
    DUPLICATES,
    FILE,
    LEAKS,
    LUNG_PROBES,
    MISSING,
    OF_KNOWN_PATIENTS,
    ORIGINAL,
    PATIENTS,
    PROBES,
    SAME_PATIENT,
    STRONG_AREA,
    STRONG_V,
    VALUES,
    VARIABLES,
    WEAK_AREA,
    WEAK_V,
    WHOLE,
    WITHOUT_LUNGS,
)
from analysis.vocabulary.measures import MACRO
from analysis.vocabulary.origins import ORIGINS
from analysis.vocabulary.splits import SPLITS
from report.document.markdown import escape
from report.writing.sections.across import Across
from report.writing.study_facts import Section, read_rows
from report.writing.values import MISSING as NOTHING
from report.writing.values import count, unbroken, whole_percent

NOT_FOUND = "none"
"""The level of what is no finding."""
NEARLY_ALL = 0.95
"""From this share of its images on, a value is said to be that of a class; from this AUC on, a class is said to be told."""
FEWEST = 20
"""Images of a class of which something must be known for that class to be named."""
MOST_MODELS = 2
"""Beside more models the table has the chosen one alone."""
NOT_KNOWN = "not known"
PEOPLE = ("population", "age_group")
"""Both are of age; the first is known of more images, as origins tell it too."""
SHARED = f"{AUDIT}.{PATIENTS}.test.{SAME_PATIENT}"
COPIES = f"{AUDIT}.{LEAKS}.test.any_in_train_or_val"


class Audit(Section):
    """What the report says that results may rest on beside the disease."""

    thresholds: ClassVar = {
        "weak_area": WEAK_AREA,
        "strong_area": STRONG_AREA,
        "weak_v": WEAK_V,
        "strong_v": STRONG_V,
        "alpha": ALPHA,
    }

    def level(self, topic: str, subject: str) -> str:
        """Return the level of a finding."""
        of = (topic, subject, "")
        levels = [f.level for f in self.facts.findings if (f.topic, f.subject, f.analysis) == of]
        return levels[0] if levels else NOT_FOUND

    # What goes with the class ---------------------------------------------------------------------

    def variables(self, *levels: str) -> list[str]:
        """Return the variables whose values go with the class at one of these levels; of both that tell age the first."""
        found = [v for v in VARIABLES if self.level("confounding", v) in levels]
        return [v for v in found if v != PEOPLE[1] or PEOPLE[0] not in found]

    def mislabelled(self) -> int:
        """Return how many groups of copies have different labels."""
        return int(self._entry(f"{DUPLICATES}.conflicting_labels.groups")["value"])

    def known_apart(self) -> list[str]:
        """Return the variables of which it goes with the class whether they are known."""
        return [v for v in VARIABLES if self.level("confounding", f"{v}.{MISSING}") != NOT_FOUND]

    def untested(self) -> list[str]:
        """Return the variables that cannot be compared between classes, as too few images have them."""
        found = [v for v in VARIABLES if self._cannot_be_tested(v) and self._is_known(v)]
        return [v for v in found if v != PEOPLE[0] and (v != PEOPLE[1] or self._cannot_be_tested(PEOPLE[0]))]

    def unrecorded(self) -> list[str]:
        """Return the variables that no image has."""
        return [v for v in VARIABLES if v != PEOPLE[0] and not self._is_known(v)]

    def tested(self) -> list[str]:
        """Return the variables that can be compared between classes, and those that have one value in all of them."""
        found = [v for v in VARIABLES if not self._cannot_be_tested(v)]
        return [v for v in found if v != PEOPLE[1] or PEOPLE[0] not in found]

    def _cannot_be_tested(self, variable: str) -> bool:
        item = self._entry(f"confounding.{variable}.{VALUES}.cramers_v")
        return item["value"] is None and sum(bool(self._known(variable, c)) for c in self.facts.classes) < 2

    def _entry(self, name: str) -> Any:
        return self.values.entry(f"{AUDIT}.{name}")

    def _known(self, variable: str, of: str) -> int:
        return int(self._entry(f"confounding.{variable}.known.{of}")["value"])

    def ages_by_source(self) -> list[str]:
        """Return the classes whose images tell no age, where source and age go with the class: then both are one finding."""
        if not {"source", PEOPLE[0]} <= set(self.variables("strong", "weak")):
            return []
        return [c for c in self.facts.classes if self._known(PEOPLE[0], c) and not self._known(PEOPLE[1], c)]

    def own(self, variable: str) -> list[dict[str, Any]]:
        """Return the classes of which nearly all images have a value that no image of another class has.

        Each with its ``id``, how ``many`` of those ``known`` are so, and the ``values`` that most of them have.
        """
        found = []
        for name in self.facts.classes:
            known = self._known(variable, name)
            many = self._entry(f"confounding.{variable}.exclusive.{name}")["value"]
            if many is not None and known >= FEWEST and many >= NEARLY_ALL * known:
                values = [row["value"] for row in self._values(variable, name)]
                found.append({"id": name, "many": many, "known": known, "values": values})
        return found

    def concerned(self, *levels: str) -> list[str]:
        """Return the classes that have values of their own of a variable that goes with the class."""
        own = {item["id"] for variable in self.variables(*levels) for item in self.own(variable)}
        return [name for name in self.facts.classes if name in own]

    def _values(self, variable: str, of: str) -> list[dict[str, str]]:
        """Return the rows of the cross table of a class, the commonest value first, without those that are not known."""
        rows = [
            row
            for row in self.cross_table()
            if (row["variable"], row["class"]) == (variable, of)
            and row["value"] != NOT_KNOWN
            and int(row["images"])
        ]
        return sorted(rows, key=lambda row: -int(row["images"]))

    def cross_table(self) -> list[dict[str, str]]:
        """Return for each variable, value and class: images, patients and their share of the class."""
        return read_rows(self.facts.inputs[f"{AUDIT}_confounding"] / "cross_tables.csv")

    def value_name(self, variable: str, value: str) -> str:
        """Return what a value is called: a dataset of origin by its citation, where the images are those."""
        if variable == "source" and value in ORIGINS and not self.facts.sample:
            return f"@{ORIGINS[value].citation}"
        return escape(value)

    # Probes ---------------------------------------------------------------------------------------

    def probes(self) -> list[str]:
        """Return the probes that were tried."""
        every = (*PROBES, *LUNG_PROBES)
        return [p for p in every if f"{AUDIT}.probes.{p}.auroc.{MACRO}" in self.values.results]

    def shortcuts(self, *levels: str) -> list[str]:
        """Return the probes that show no lung and tell the classes apart at one of these levels, the best one first.

        Facts of the files say no more than facts of the originals, where these are known.
        """
        found = [p for p in self.probes() if p in WITHOUT_LUNGS and self.level("probes", p) in levels]
        found = [p for p in found if p != FILE or self.area(ORIGINAL) is None]
        return sorted(found, key=lambda p: -(self.area(p) or 0))

    def is_probed(self) -> bool:
        """Whether any probe that sees no lungs could be tried."""
        return any(self.area(probe) is not None for probe in self.probes() if probe in WITHOUT_LUNGS)

    def area(self, probe: str, of: str = MACRO) -> float | None:
        """Return the AUC of a probe."""
        found: float | None = self._entry(f"probes.{probe}.auroc.{of}")["value"]
        return found

    def told_apart(self) -> dict[str, Any]:
        """Return the ``classes`` that a probe without lungs nearly always tells from the rest, their ``lowest`` AUC, and the ``probe``."""
        for probe in self.shortcuts("strong", "weak")[:1]:
            shown = [self.facts.reported_class] if self.facts.reported_class else self.facts.classes
            areas = {c: area for c in shown if (area := self.area(probe, c)) and area >= NEARLY_ALL}
            if areas:
                return {"probe": probe, "classes": [*areas], "lowest": min(areas.values())}
        return {}

    def models(self) -> list[str]:
        """Return the models that the probes are held against: all of few, else the chosen one."""
        models = self.facts.trained
        return models if len(models) <= MOST_MODELS else [Across(self.facts).chosen]

    def share(self, probe: str, model: str) -> float | None:
        """Return what a probe's AUC is above chance as a share of what a model's is."""
        name = f"{AUDIT}.probes.{probe}.share_of.{model}"
        found: float | None = self.values.results.get(name, {}).get("value")
        return found

    def shared_source(self, probe: str) -> dict[str, Any]:
        """Return the ``id`` and ``area`` of the class that a probe tells best of those that share a source; nothing without.

        That is more than the source: it tells apart what comes from one place.
        """
        own = (
            {item["id"] for item in self.own("source")}
            if "source" in self.variables("strong", "weak")
            else set()
        )
        areas = {
            c: area for c in self.facts.classes if c not in own and (area := self.area(probe, c)) is not None
        }
        best = max(areas, key=lambda c: areas[c], default="")
        return {"id": best, "area": areas[best]} if own and len(areas) > 1 else {}

    # What splits share ----------------------------------------------------------------------------

    @property
    def is_split(self) -> bool:
        """Whether the images are in sets that could share patients or images."""
        return f"{SHARED}.{WHOLE}" in self.values.results

    @property
    def knows_patients(self) -> bool:
        """Whether the patient is known of any image."""
        return bool(self._entry(f"patients.known.{WHOLE}")["value"])

    def shared(self) -> int:
        """Return how many test images are of patients who have training images too."""
        return int(self.values.value(f"{SHARED}.{WHOLE}")) if self.is_split else 0

    def copies(self) -> int:
        """Return how many test images have a copy, exact or near, among training and validation images."""
        return int(self.values.value(COPIES)) if self.is_split else 0

    def copies_of_known(self) -> int:
        """Return how many of these are of patients who have training images too."""
        return int(self._entry(f"{LEAKS}.test.{OF_KNOWN_PATIENTS}")["value"])

    def leaks(self) -> list[str]:
        """Return what test images share with others: ``patients``, ``copies``."""
        found = {"patients": self.shared(), "copies": self.copies()}
        return [what for what, number in found.items() if number]

    # Tables ---------------------------------------------------------------------------------------

    def rests(self, *levels: str) -> list[str]:
        """Return all that results may rest on at one of these levels."""
        leaks = {"patients": PATIENTS, "copies": LEAKS}
        shared = [what for what in self.leaks() if self.level(leaks[what], "test") in levels]
        return [*self.variables(*levels), *self.shortcuts(*levels), *shared]

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield the rows of the table of findings: ``kind``, ``subject``, ``name`` of the result and ``level``.

        Variables that are known of some classes more than of others are one row, with the ``lowest`` association.
        """
        for variable in VARIABLES:
            repeated = variable == PEOPLE[1] and self._has_population()
            if not repeated or variable in self.variables("strong", "weak"):
                name = f"confounding.{variable}.{VALUES}.cramers_v"
                if self._entry(name)["value"] is not None:
                    yield self._row("values", variable, name, self.level("confounding", variable))
        if apart := self.known_apart():
            names = {v: f"confounding.{v}.{MISSING}.cramers_v" for v in apart}
            lowest = min(apart, key=lambda v: self._entry(names[v])["value"])
            level = self.level("confounding", f"{lowest}.{MISSING}")
            yield {**self._row("missing", apart, names[lowest], level), "lowest": len(apart) > 1}
        for probe in self.probes():
            if self.area(probe) is not None:
                yield self._row("probe", probe, f"probes.{probe}.auroc.{MACRO}", self.level("probes", probe))
        yield from self._leaks()

    def _leaks(self) -> Iterator[dict[str, Any]]:
        if self.is_split:
            if self.knows_patients:
                name = f"patients.test.{SAME_PATIENT}_share.{WHOLE}"
                yield self._row("leak", "patients", name, self.level(PATIENTS, "test"))
            name = COPIES.removeprefix(f"{AUDIT}.")
            yield self._row("leak", "copies", name, self.level(LEAKS, "test"))
        conflicts = "conflicting_labels"
        if (level := self.level(DUPLICATES, conflicts)) != NOT_FOUND:
            yield self._row("leak", "labels", f"{DUPLICATES}.{conflicts}.groups", level)

    @staticmethod
    def _row(kind: str, subject: str | list[str], name: str, level: str) -> dict[str, Any]:
        return {"kind": kind, "subject": subject, "name": f"{AUDIT}.{name}", "level": level, "lowest": False}

    def _has_population(self) -> bool:
        return self._entry(f"confounding.{PEOPLE[0]}.{VALUES}.cramers_v")["value"] is not None

    def shown(self) -> list[str]:
        """Return the variables of which the table by class has the values: known of some image, and source and age in any case."""
        found = set(self.variables("strong", "weak")) | {"source", PEOPLE[0]}
        return [v for v in VARIABLES if v in found and self._is_known(v)]

    def told(self) -> list[str]:
        """Return the variables of which the table by class has how many images they are known of: not of all, nor of none."""
        images = sum(self._of_class(c) for c in self.facts.classes)
        known = {v: sum(self._known(v, c) for c in self.facts.classes) for v in VARIABLES}
        return [v for v, number in known.items() if v != PEOPLE[0] and 0 < number < images]

    def _is_known(self, variable: str) -> bool:
        return any(self._known(variable, c) for c in self.facts.classes)

    def _of_class(self, name: str) -> int:
        return int(self._entry(f"confounding.source.known.{name}")["n"])

    def ages(self) -> list[dict[str, Any]]:
        """Return for each class ``median``, ``lowest`` and ``highest`` age in years; nothing where none is known."""
        words = ("median", "lowest", "highest")
        found = [
            {word: self._entry(f"confounding.age.{word}.{c}")["value"] for word in words}
            for c in self.facts.classes
        ]
        return [{} if item["median"] is None else item for item in found]

    def most(self, variable: str, of: str) -> list[dict[str, str]]:
        """Return the ``value`` that most images of a class have, and its ``share`` of those of which it is known, "" for all."""
        rows = self._values(variable, of)
        known = self._known(variable, of)
        return [
            {
                "value": self.value_name(variable, row["value"]),
                "share": whole_percent(many / known) if (many := int(row["images"])) < known else "",
            }
            for row in rows[:1]
        ]

    def known_shares(self, of: str) -> str:
        """Return of what share of a class each variable is known that is known of some images."""
        sizes = self._of_class(of)
        if not sizes:
            return NOTHING
        return ", ".join(whole_percent(self._known(v, of) / sizes) for v in self.told())

    def shared_of(self, name: str) -> str:
        """Return what share of a class' test images is of patients who have training images too."""
        return self.values.text(f"{SHARED}_share.{name}")

    def cross_rows(self) -> list[dict[str, Any]]:
        """Return the whole cross table: ``variable``, ``value`` and the images of each class; of what is known of any image."""
        rows: dict[tuple[str, str], dict[str, str]] = {}
        for row in self.cross_table():
            if self._is_known(row["variable"]):
                rows.setdefault((row["variable"], row["value"]), {})[row["class"]] = count(int(row["images"]))
        return [
            {
                "variable": variable,
                "value": self.value_name(variable, value),
                "images": [of[c] for c in self.facts.classes],
            }
            for (variable, value), of in rows.items()
        ]

    def probe_cells(self, probe: str) -> list[str]:
        """Return the AUC of a probe for each class and their mean, with intervals."""
        return [
            unbroken(self.values.cell(f"{AUDIT}.probes.{probe}.auroc.{of}"))
            for of in (*self.facts.classes, MACRO)
        ]

    def missing_probes(self) -> list[dict[str, str]]:
        """Return the probes that could not be tried: ``probe`` and ``reason``."""
        return [
            {"probe": p, "reason": str(self._entry(f"probes.{p}.auroc.{MACRO}")["reason_null"])}
            for p in self.probes()
            if self.area(p) is None
        ]

    def is_reduced_copy(self) -> bool:
        """Return whether files are smaller or larger than the originals that annotations tell."""
        return bool(self.values.results.get(f"{AUDIT}.probes.{FILE}.not_original_size", {}).get("value"))

    def overlap_rows(self) -> list[dict[str, str]]:
        """Return for each split and class its ``set`` and class ``of``, "" for all, and the cells of the table as text."""
        return [
            {
                "set": SPLITS[row["split"]].title if row["class"] == WHOLE else "",
                "of": "" if row["class"] == WHOLE else self.facts.label(row["class"]),
                "images": count(int(row["images"])),
                "shared": count(int(row["same_patient_in_train"])),
                "share": whole_percent(float(row["share"])) if row["share"] else NOTHING,
                "patients": count(int(row["patients"])),
            }
            for row in read_rows(self.facts.inputs[f"{AUDIT}_patients"] / "overlap.csv")
        ]

    def has_class_table(self) -> bool:
        """Return whether anything is known by class, beside the class itself."""
        return bool(self.shown() or self.told() or self.shared())

    def pairs(self) -> int:
        """Return how many groups of images are one X-ray, exactly or nearly."""
        return int(self._entry("duplicates.groups")["value"])
