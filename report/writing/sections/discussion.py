"""Facts of the discussion: what differs between the networks that are compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from report.writing.layers import compare_layers
from report.writing.sections.models import Models, Setting
from report.writing.study_facts import Section
from report.writing.values import unbroken


class Discussion(Section):
    """What the report says of the causes of a difference."""

    def changes(
        self,
        models: Sequence[str],
        name: Callable[[str], str],
        setting: Setting,
        kind: Callable[[str], str],
        told: Callable[[str, object], str],
    ) -> list[list[str]]:
        """Return what differs between models, a row each: parameters, layers, settings and epochs.

        ``name`` and ``setting`` are the template's words for a setting and for what it is set to, ``kind`` and ``told``
        those for a kind of layers and for what is set in them.
        """
        layers = compare_layers([self.facts.layers(m) for m in models])
        declared = [self.facts.model(m) for m in models]
        rows = [
            [name("parameters"), *(self.values.text(f"{m}.architecture.parameters") for m in models)],
            *([kind(of), *(told(of, found) for found in each)] for of, each in layers),
            *Models(self.facts).settings(declared, name, setting),
            [name("epochs_run"), *(self.values.text(f"{m}.training.epochs_run") for m in models)],
        ]
        return [[unbroken(row[0]), *row[1:]] for row in rows if len(set(row[1:])) > 1]
