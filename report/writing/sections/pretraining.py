"""Facts of the section on a pretraining: on what a network was trained first, what was left out, and what followed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analysis.vocabulary.pretraining import ALL, KEPT, LEFT_OUT, PRETRAINING, REASONS
from report.document.markdown import escape
from report.writing.study_facts import Section, uncapitalised

COLUMNS = (ALL, *(f"{LEFT_OUT}.{reason}" for reason in REASONS), *KEPT)
"""What the table has of each class."""


class Pretraining(Section):
    """What the report says of a training on other images before that on the study's own."""

    @property
    def is_declared(self) -> bool:
        """Whether the study has one."""
        return bool(self.study[PRETRAINING])

    @property
    def model(self) -> Mapping[str, Any]:
        """The network that is trained first, as in the study file."""
        found: Mapping[str, Any] = self.study[PRETRAINING]["model"]
        return found

    @property
    def title(self) -> str:
        """Its title as it stands in a sentence."""
        return escape(uncapitalised(str(self.model["title"])))

    @property
    def labels(self) -> list[str]:
        """The labels of the classes that it learns, as markdown."""
        return [escape(c["label"]) for c in self.study[PRETRAINING]["classes"]]

    @property
    def phases(self) -> list[Mapping[str, Any]]:
        """The trained models that begin with what was learnt, each before those that go on from it."""
        found: list[Mapping[str, Any]] = []
        for model in self.study["models"]:
            if model["weights"] == PRETRAINING or model["init_from"] in [m["id"] for m in found]:
                found.append(model)
        return found

    @property
    def compared(self) -> list[str]:
        """Those of them that are compared with another network by the verdict rule."""
        return [m["id"] for m in self.phases if m["id"] in self.facts.compared]

    def rows(self) -> list[list[str]]:
        """Return for each class its label and how many images there are, are left out for each reason, and are learnt from."""
        ids = [c["id"] for c in self.study[PRETRAINING]["classes"]]
        return [
            [label, *(self.values(f"{PRETRAINING}.{column}.count.{name}") for column in COLUMNS)]
            for label, name in zip(self.labels, ids, strict=True)
        ]

    def totals(self) -> list[str]:
        """Return the same of all classes together."""
        return [self.values(f"{PRETRAINING}.{column}.count") for column in COLUMNS]

    def keeps_statistics(self) -> bool:
        """Tell whether batch normalisation keeps what was learnt of means and variances in all phases."""
        return all(_is_inference(self.facts.architecture(m["id"])) for m in self.phases)


def _is_inference(network: Mapping[str, Any]) -> bool:
    """Tell whether a part of a network is called as for prediction, in training too."""
    nodes = [node for layer in network["config"]["layers"] for node in layer.get("inbound_nodes", ())]
    return any(node.get("kwargs", {}).get("training") is False for node in nodes if isinstance(node, dict))
