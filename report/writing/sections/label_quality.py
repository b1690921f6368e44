"""Facts of the appendix on labels: with which of them models disagree, and which ones the sources contradict."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from analysis.vocabulary.audit import AUDIT, BY_NETWORKS, CONFLICTS, CONTRADICTING, LABELS, WHOLE
from report.document.markdown import escape
from report.writing.study_facts import Section, read_rows
from report.writing.values import decimal

MOST_LISTED = 24
"""Of the images with whose label a model disagrees, as many as the figure shows."""
TREES, NETWORKS = f"{AUDIT}.{LABELS}", f"{AUDIT}.{BY_NETWORKS}"


class LabelQuality(Section):
    """What the report says of labels."""

    @property
    def is_known(self) -> bool:
        """Whether labels were looked at."""
        return f"{TREES}.candidates.{WHOLE}" in self.values.results

    @property
    def has_networks(self) -> bool:
        """Whether networks were asked, beside the fixed model."""
        return f"{NETWORKS}.candidates.{WHOLE}" in self.values.results

    @property
    def owner(self) -> str:
        """How the names of results begin that say what the list and the figure have: of the networks, where there are any."""
        return NETWORKS if self.has_networks else TREES

    @property
    def candidates(self) -> int:
        """With how many labels the listed model disagrees; none where it could not be asked."""
        return int(self.values.value(f"{self.owner}.candidates.{WHOLE}") or 0)

    @property
    def listed(self) -> int:
        """How many images are listed."""
        return min(MOST_LISTED, self.candidates)

    def number(self, kind: str) -> int:
        """Return how many images have a label that a source of this ``kind`` contradicts."""
        return int(self.values.value(f"{TREES}.conflicts.{kind}.{WHOLE}"))

    def kinds(self) -> list[str]:
        """Return what contradicts any label."""
        return [kind for kind in CONFLICTS if self.number(kind)]

    def counts(self) -> list[list[str]]:
        """Return a row for each class: images, how many the model agrees with, how many it disagrees with; of both models."""
        owners = (TREES, NETWORKS) if self.has_networks else (TREES,)
        return [
            [
                self.facts.label(name),
                *(
                    self.values.text(f"{owner}.{what}.{name}")
                    for owner in owners
                    for what in ("images", "agreeing", "candidates")
                ),
            ]
            for name in self.facts.classes
        ]

    def rows(self) -> list[list[str]]:
        """Return a row for each image listed: number, file, label, what the model says, and both probabilities."""
        name = BY_NETWORKS.replace(".", "_") if self.has_networks else LABELS
        rows = read_rows(self.facts.inputs[f"{AUDIT}_{name}"] / "candidates.csv")[:MOST_LISTED]
        return [
            [
                row["rank"],
                escape(row["image_id"]),
                self.facts.label(row["label"]),
                decimal(float(row["p_label"])),
                self.facts.label(row["says"]),
                decimal(float(row["p_says"])),
            ]
            for row in rows
        ]

    def conflicts(self, told: Callable[[str, str, str], str]) -> list[list[str]]:
        """Return a row for each label that a copy or a collection contradicts: file, label, and the template's words for it.

        ``told`` is the template's words for a kind, what is told and by what.
        """
        return [
            [escape(row["image_id"]), self.facts.label(row["label"]), told(row["kind"], *self._told(row))]
            for row in read_rows(self.facts.inputs[f"{AUDIT}_{LABELS}"] / "conflicts.csv")
            if row["kind"] in CONTRADICTING
        ][:MOST_LISTED]

    def _told(self, row: Mapping[str, Any]) -> tuple[str, str]:
        names = [
            self.facts.label(n) if n in self.facts.classes else escape(n) for n in row["told"].split("|")
        ]
        return ", ".join(names), escape(row["by"])
