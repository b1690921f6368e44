"""Facts of the section on a pretraining: on what a network was trained first, what was left out, and what followed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

from analysis.vocabulary.pretraining import ALL, KEPT, LEFT_OUT, PRETRAINING, REASONS, SHARED
from report.document.markdown import escape
from report.writing.sections.models import Models, Setting
from report.writing.study_facts import Section, uncapitalised

COLUMNS = (ALL, SHARED, *(f"{LEFT_OUT}.{reason}" for reason in REASONS), *KEPT)
"""What the table has of each class."""
MOST = 0.9
"""Of the images of a class more than this share is nearly all."""
FEW = 3
"""In so many settings at most it differs from another network, that only these are told."""


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

    def follow_each_other(self) -> bool:
        """Tell whether each of them but the first goes on from the one before."""
        return all(later["init_from"] == model["id"] for model, later in pairwise(self.phases))

    @property
    def compared(self) -> list[str]:
        """Those of them that are compared with another network by the verdict rule."""
        return [m["id"] for m in self.phases if m["id"] in self.facts.compared]

    def settings(self, name: Callable[[str], str], setting: Setting) -> dict[str, Any]:
        """Return the settings of its training in the template's words, each a name and what it is set to.

        Where these and the layers are nearly those of a trained model, ``like`` names it, and only the ``rows`` that differ
        are there. Averaging is of predictions, and none is made.
        """
        models = Models(self.facts)
        own = {**self.model, "averaged_over": []}
        found: dict[str, Any] = {"like": "", "rows": models.settings([own], name, setting)}
        for model in self.study["models"]:
            both = models.settings([own, {**model, "averaged_over": []}], name, setting)
            unlike = [[key, cell] for key, cell, other in both if cell != other]
            same = all(model[key] == own[key] for key in ("architecture", "params"))
            if same and len(unlike) <= FEW:
                return {"like": model["id"], "rows": unlike}
        return found

    def apart(self) -> dict[str, list[dict[str, Any]]]:
        """Return the classes of which nearly ``all`` X-rays are ours too, and of which hardly any, ``none``.

        Each has its ``label``, and tells whether the word is true without nearly and hardly (``whole``).
        """
        shares = [
            (
                c["label"],
                self.values.value(f"{PRETRAINING}.{SHARED}.count.{c['id']}")
                / self.values.value(f"{PRETRAINING}.{ALL}.count.{c['id']}"),
            )
            for c in self.study[PRETRAINING]["classes"]
        ]
        return {
            "all": [{"label": label, "whole": of == 1} for label, of in shares if of > MOST],
            "none": [{"label": label, "whole": of == 0} for label, of in shares if of < 1 - MOST],
        }

    def rows(self) -> list[list[str]]:
        """Return for each class its label and how many images there are, are ours too, are left out for each reason, and are learnt from."""
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
    """Tell whether a network inside another is called as for prediction, in training too."""
    inside = [layer for layer in network["config"]["layers"] if "layers" in layer["config"]]
    nodes = [node for layer in inside for node in layer["inbound_nodes"]]
    return any(node.get("kwargs", {}).get("training") is False for node in nodes)
