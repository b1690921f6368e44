"""The table ``[external]`` of a study file: labelled images from elsewhere, on which trained networks are tried."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Annotated

from pydantic import Field, model_validator

from report.study.collisions import find_alike
from report.study.settings import Dataset
from report.study.value_types import Identifier, Identifiers, Label, Rationale, Section, Title, refuse


class ExternalClass(Section):
    """A class of the external set: its name in results, its label in the data and the report.

    ``matches`` names the class of the study that it is, several if it may be any of them, or none if the study has no
    such class.
    """

    id: Identifier
    label: Label
    matches: Identifiers = ()


class External(Dataset):
    """Images from elsewhere. No training and no choice reads them; all keys of ``[dataset]`` say how they are read.

    ``title`` is what the report calls them, as it stands in a sentence; ``selection`` says in the author's words how they
    were chosen. ``classes`` are their own. ``pictures`` is how many of them the sample has.
    """

    title: Title
    selection: Rationale = ""
    classes: Annotated[tuple[ExternalClass, ...], Field(min_length=1)]
    pictures: Annotated[int, Field(ge=8, le=2000)] = 36

    @property
    def class_ids(self) -> list[str]:
        """The ids of the classes, in their order."""
        return [c.id for c in self.classes]

    def match(self, ids: Collection[str]) -> External:
        """Return the same set for a study that has of its classes those of ``ids`` alone."""
        kept = [
            c.model_copy(update={"matches": tuple(name for name in c.matches if name in ids)})
            for c in self.classes
        ]
        return self.model_copy(update={"classes": tuple(kept)})

    @model_validator(mode="after")
    def _classes_are_declared(self) -> External:
        if self.without:
            raise refuse("leave the class out of external.classes", key="without")
        for number, name in enumerate(self.class_ids):
            if name in self.class_ids[:number]:
                raise refuse(f"{name} is declared twice", key=f"classes.{number}.id")
        labels = {f"classes.{c.id}.label": c.label for c in self.classes}
        if found := find_alike(labels, ()):
            raise refuse(found[1], key=found[0])
        named = {
            "folders": self.folders,
            "values": self.values,
            "several": () if isinstance(self.several, str) else self.several,
        }
        for key, names in named.items():
            for name in sorted(set(names) - set(self.class_ids)):
                raise refuse(f"no class of the external set is called {name!r}", key=key)
        return self


def find_unmatched(external: External, ids: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield each class of a study that is named in ``matches`` and is not among its ``ids``, behind its key."""
    for c in external.classes:
        for name in c.matches:
            if name not in ids:
                yield f"external.classes.{c.id}.matches", name
