"""Facts of the appendix on where the scores of networks come from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from analysis.vocabulary.attention import (
    ATTENTION,
    BEST,
    CORRELATION,
    EMPTY,
    EMPTY_RANDOM,
    IN_LUNGS,
    LUNG_IMAGES,
    MAPS_TABLE,
    NETWORK,
)
from report.writing.study_facts import Section, read_rows


class Attention(Section):
    """What the report says of Grad-CAM."""

    @property
    def networks(self) -> dict[str, str]:
        """What the stage of each network, and its figure, is called, and the network; none without such stages."""
        known = [
            name.removeprefix(f"{ATTENTION}_")
            for name in self.facts.inputs
            if name.startswith(f"{ATTENTION}_")
        ]
        found = {name: str(self._about(name)["model"]) for name in known}
        return dict(sorted(found.items(), key=lambda item: self.facts.trained.index(item[1])))

    @property
    def mapped(self) -> dict[str, str]:
        """Those of them of which there are maps."""
        return {name: model for name, model in self.networks.items() if self._about(name)["layer"]}

    @property
    def unmapped(self) -> list[str]:
        """The networks without a convolution, and so without maps."""
        return [model for name, model in self.networks.items() if name not in self.mapped]

    @property
    def is_best_of_many(self) -> bool:
        """Whether the one network is the best of many on validation images."""
        return BEST in self.networks

    def sides(self, name: str) -> str:
        """Return how many places the maps have before they are interpolated, as markdown."""
        return " × ".join(map(str, self._about(name)["size"]))

    def _about(self, name: str) -> Mapping[str, Any]:
        path = self.facts.inputs[f"{ATTENTION}_{name}"] / NETWORK
        found: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found

    @property
    def mirrored(self) -> list[str]:
        """The networks whose predictions, and so their maps, are averaged over mirror images."""
        return [m for m in self.mapped.values() if self.facts.model(m)["averaged_over"]]

    @property
    def of_lungs(self) -> list[str]:
        """The networks of which it is known how much of their maps lies in the lungs."""
        return [m for m in self.mapped.values() if self.values.value(self.name(m, IN_LUNGS)) is not None]

    @property
    def lung_images(self) -> int:
        """How many images have a lung mask: the same of each network."""
        return max(
            (int(self.values.value(self.name(m, LUNG_IMAGES))) for m in self.mapped.values()), default=0
        )

    def empty(self, model: str) -> dict[str, int]:
        """Return how many maps of a model, ``trained`` and with ``random`` weights, are 0 everywhere."""
        ends = {"trained": EMPTY, "random": EMPTY_RANDOM}
        return {end: int(self.values.value(self.name(model, word))) for end, word in ends.items()}

    @property
    def only_class_with_masks(self) -> str:
        """The label of the one class whose images have lung masks, "" where several have."""
        rows = (
            row
            for name in self.mapped
            for row in read_rows(self.facts.inputs[f"{ATTENTION}_{name}"] / MAPS_TABLE)
        )
        found = {row["y_true"] for row in rows if row["lung_area"]}
        return self.facts.label(*found) if len(found) == 1 else ""

    @staticmethod
    def name(model: str, word: str = CORRELATION) -> str:
        """Return the name of a result of a model."""
        return f"{ATTENTION}.{model}.{word}"

    @property
    def feature_maps(self) -> str:
        """The model of which the feature maps are shown, "" where there is none."""
        asked = self.study["report"]["feature_maps"] or ""
        return asked if "figure_activations" in self.facts.inputs else ""
