"""Facts of the ablation: what each component of a network is worth, there and in the baseline."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from analysis.vocabulary.ablation import ADD, EFFECTS_TABLE, LEAVE, RANGE, SYNERGY, join_effect
from analysis.vocabulary.results import ABLATION
from report.document.markdown import escape
from report.writing.sections.models import Models, Setting
from report.writing.study_facts import Section, read_rows


class Ablation(Section):
    """What the report says of components."""

    leave, add, together = LEAVE, ADD, SYNERGY

    @property
    def is_known(self) -> bool:
        """Whether the study has an ablation that was run."""
        return ABLATION in self.facts.inputs

    @property
    def model(self) -> str:
        """The network whose components are left out."""
        return str(self.study[ABLATION]["model"])

    @property
    def components(self) -> list[str]:
        """The ids of the components."""
        return [c["id"] for c in self.study[ABLATION]["components"]]

    def title(self, component: str) -> str:
        """Return what a component is called in a sentence."""
        return escape(str(self._declared(component)["title"]))

    def _declared(self, component: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = next(c for c in self.study[ABLATION]["components"] if c["id"] == component)
        return found

    @cached_property
    def _effects(self) -> dict[tuple[str, str], dict[str, str]]:
        rows = read_rows(self.facts.inputs[ABLATION] / EFFECTS_TABLE)
        return {(row["component"], row["effect"]): row for row in rows}

    def effect(self, component: str, effect: str) -> dict[str, Any]:
        """Return an effect's ``case`` and the ``name`` of its result; nothing where there is no such effect."""
        row = self._effects.get((component, effect))
        return {"case": row["case"], "name": join_effect(component, effect)} if row else {}

    def having(self, case: str, effect: str = LEAVE) -> list[str]:
        """Return the components whose effect is of a case, those with the largest effect first."""
        found = [c for c in self.components if self.effect(c, effect).get("case") == case]
        return sorted(found, key=lambda c: -abs(self.values.value(join_effect(c, effect)) or 0))

    def is_scattered(self, component: str) -> bool:
        """Tell whether single trainings without a component lie further apart than the margin allows on both sides."""
        found = [self.values.value(join_effect(component, LEAVE, end)) for end in RANGE]
        return None not in found and found[1] - found[0] > 2 * self.study["comparison"]["margin"]

    def of_equal_length(self, b: str) -> str:
        """Return the component without which network ``b`` is trained for as many epochs as the baseline; "" without one."""
        return self._of_equal(b, "epochs")

    def of_equal_layers(self, b: str) -> str:
        """Return the component without which network ``b`` has the layers of the baseline; "" without one."""
        return self._of_equal(b, "architecture")

    def _of_equal(self, b: str, setting: str) -> str:
        """Return the component without which a network has a setting from the baseline that is its own otherwise."""
        if not self.is_known or self.model != b:
            return ""
        own, other = (self.facts.model(m)[setting] for m in (b, self.study["comparison"]["baseline"]))
        return next(
            (c for c in self.components if self._declared(c)["models"][0][setting] == other != own), ""
        )

    def difference(self) -> float | None:
        """Return how far the network is from the baseline with the seeds of leaving out; None where that is not known."""
        effect = join_effect(self.components[0], LEAVE)
        found = [self.values.value(name) for name in (effect, f"{effect}.remaining")]
        return None if None in found else float(sum(found))

    def total(self) -> float | None:
        """Return the sum of the effects of leaving out; None where one is not known."""
        found = [self.values.value(join_effect(c, LEAVE)) for c in self.components]
        return None if None in found else float(sum(found))

    def trainings(self, effect: str) -> int:
        """Return how often each network of an effect is trained, 0 without such an effect."""
        return max(
            (int(row["trainings"]) for (_, of), row in self._effects.items() if of == effect), default=0
        )

    def changes(self, component: str, name: Callable[[str], str], setting: Setting) -> dict[str, list[str]]:
        """Return by ``leave`` and ``add`` what is changed to what: settings in the template's words.

        Arguments of the network are told in the author's words if there are any, else as typed.
        """
        ends = {LEAVE: self.model, ADD: self.study["comparison"]["baseline"]}
        declared = self._declared(component)
        words = {LEAVE: declared["instead"], ADD: declared["title"] if declared["instead"] else None}
        return {
            effect: self._compare(self.facts.model(ends[effect]), model, name, setting, words[effect])
            for effect, model in zip(ends, declared["models"], strict=False)
        }

    def _compare(
        self,
        model: Mapping[str, Any],
        varied: Mapping[str, Any],
        name: Callable[[str], str],
        setting: Setting,
        words: str | None,
    ) -> list[str]:
        # The architecture that tells what is computed in is that of the network itself.
        rows = Models(self.facts).settings([model, {**varied, "id": model["id"]}], name, setting)
        settings = [f"{row[0]}: {row[2]}" for row in rows if row[1] != row[2]]
        arguments = [
            f"`{key} = {json.dumps(value)}`"
            for key, value in varied["params"].items()
            if model["params"].get(key) != value
        ]
        other = arguments or model["architecture"] != varied["architecture"]
        return [*settings, *([escape(words)] if other and words else arguments)]
